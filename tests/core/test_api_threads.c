/* The public interface from several threads that share a context, a value and an op. */
#include <pthread.h>

#include "api_lab.h"

enum { THREADS = 3, ROUNDS = 200 };

typedef struct task {
    tapegrad_context *context;
    tapegrad_value *shared;
    const tapegrad_op *square;
    int wrong;
} task;

static void *work(void *argument) {
    task *own = argument;
    for (int round = 0; round < ROUNDS; round++) {
        /* The same elements, with places of its own on tapes. */
        tapegrad_value *mine = tapegrad_constant(own->shared), *gradient = NULL;
        tapegrad_tape *tape = tapegrad_tape_new(own->context, 0);
        tapegrad_tape_enter(tape);
        tapegrad_watch(tape, mine);
        tapegrad_value *y = tapegrad_unary(own->square, mine);
        tapegrad_tape_leave(tape);
        tapegrad_gradient(tape, 1, &y, NULL, 1, &mine, &gradient);
        double numbers[3] = {0};
        tapegrad_read(gradient, numbers, sizeof numbers);
        own->wrong += numbers[0] != 2 || numbers[1] != 4 || numbers[2] != 6;
        tapegrad_tape_free(tape);
        release_all(3, (tapegrad_value *[]){mine, y, gradient});
        own->wrong += tapegrad_find(own->context, "nothing of that name") != NULL; /* errors are each thread's own */
        own->wrong += tapegrad_error_status() != TAPEGRAD_BAD_VALUE;
        (void)tapegrad_memory_stats(own->context);
    }
    return NULL;
}

static void test_threads(tapegrad_context *context) {
    pthread_t threads[THREADS];
    task tasks[THREADS];
    tapegrad_value *x = vector(context, 3, (double[]){1, 2, 3});
    tapegrad_share(context);
    for (int i = 0; i < THREADS; i++) {
        tasks[i] = (task){.context = context, .shared = x, .square = tapegrad_find(context, "square")};
        CHECK(pthread_create(&threads[i], NULL, work, &tasks[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(tasks[i].wrong == 0);
    }
    tapegrad_unshare(context);
    tapegrad_release(x);
}

int main(void) {
    run(test_threads);
    return check_report();
}
