/* The list of recording tapes that each thread has. */
#include "thread.h"

#include <pthread.h>

#include "check.h"

enum { TAPES = 20 };

static tg_tape tapes[TAPES];

static void *nest(void *context) {
    const tg_thread *thread = tg_thread_current();
    CHECK(thread->count == 0 && !tg_thread_records(thread)); /* other threads' tapes are not here */
    for (int i = 0; i < TAPES; i++) CHECK_OK(tg_thread_push(&tapes[i]));
    CHECK(thread->count == TAPES && thread->tapes[TAPES - 1] == &tapes[TAPES - 1] && tg_thread_records(thread));
    CHECK_OK(tg_thread_push(&tapes[3])); /* entered twice: the inner one goes first */
    CHECK(tg_thread_remove(&tapes[3]) && tg_thread_has(&tapes[3]) && thread->count == TAPES);
    CHECK(thread->tapes[3] == &tapes[3]);
    CHECK(tg_thread_remove(&tapes[3]) && !tg_thread_has(&tapes[3]) && !tg_thread_remove(&tapes[3]));
    CHECK(thread->tapes[3] == &tapes[4] && thread->tapes[TAPES - 2] == &tapes[TAPES - 1]);
    for (int i = TAPES - 1; i >= 0; i--) CHECK(tg_thread_remove(&tapes[i]) == (i != 3));
    CHECK(thread->count == 0 && !thread->tapes && !thread->capacity);
    return context;
}

/* Tapes below the base are paused; it moves with them. */
static void test_base(void) {
    tg_thread *thread = tg_thread_current();
    for (int i = 0; i < 3; i++) CHECK_OK(tg_thread_push(&tapes[i]));
    thread->base = 2;
    CHECK(tg_thread_records(thread) && tg_thread_remove(&tapes[0]) && thread->base == 1);
    CHECK(thread->tapes[thread->base] == &tapes[2] && tg_thread_remove(&tapes[2]) && thread->base == 1);
    CHECK(!tg_thread_records(thread) && tg_thread_has(&tapes[1]));
    CHECK(tg_thread_remove(&tapes[1]) && thread->base == 0);
}

int main(void) {
    CHECK_OK(tg_thread_push(&tapes[0]));
    pthread_t other;
    CHECK(pthread_create(&other, NULL, nest, NULL) == 0 && pthread_join(other, NULL) == 0);
    CHECK(tg_thread_has(&tapes[0]) && tg_thread_remove(&tapes[0]));
    nest(NULL);
    test_base();
    return check_report();
}
