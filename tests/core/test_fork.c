/* Forks: the handlers are called, and a pool that other threads use can be used in the child. */
#define _GNU_SOURCE /* fork */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "pool.h"
#include "system.h"

static int before_calls, parent_calls, child_calls;

static void before(void) { before_calls++; }
static void in_parent(void) { parent_calls++; }
static void in_child(void) { child_calls++; }

static bool called(int before_times, int parent_times, int child_times) {
    return before_calls == before_times && parent_calls == parent_times && child_calls == child_times;
}

static void test_handlers(void) {
    CHECK_OK(tg_system_at_fork(before, in_parent, in_child));
    CHECK(called(0, 0, 0));
    pid_t child = fork();
    if (child == 0) _exit(called(1, 0, 1) ? 0 : 1);
    int status = 1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    CHECK(called(1, 1, 0));
}

typedef struct forking {
    tg_pool *pool;
    atomic_int ready;
    atomic_int done;
} forking;

/* Leaves a block for each of two users in the pool. With them neither asks the allocator: the sanitizers' own, unlike the
 * system's, is left locked in a child if another thread was inside it. */
static void fill(tg_pool *pool) {
    size_t bytes[2];
    void *blocks[2];
    for (int i = 0; i < 2; i++) {
        blocks[i] = tg_pool_take(pool, 100, &bytes[i]);
        CHECK(blocks[i]);
    }
    for (int i = 0; i < 2; i++) tg_pool_give(pool, blocks[i], bytes[i]);
}

static void *wear(void *argument) {
    forking *shared = argument;
    tg_pool_share(shared->pool);
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->done)) {
        size_t bytes;
        void *block = tg_pool_take(shared->pool, 100, &bytes);
        if (block) tg_pool_give(shared->pool, block, bytes);
    }
    tg_pool_unshare(shared->pool);
    return NULL;
}

static void test_pool_in_a_child(void) {
    forking shared = {.pool = NULL};
    CHECK_OK(tg_pool_create(tg_system_allocator(), (size_t)1 << 20, &shared.pool));
    fill(shared.pool);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, wear, &shared) == 0);
    while (!atomic_load(&shared.ready)) sched_yield();
    for (int i = 0; i < 50; i++) {
        tg_pool_before_fork(shared.pool);
        pid_t child = fork();
        tg_pool_after_fork(shared.pool, child == 0);
        if (child == 0) {
            size_t bytes;
            void *block = tg_pool_take(shared.pool, 100, &bytes);
            if (block) tg_pool_give(shared.pool, block, bytes);
            _exit(block && !tg_pool_is_shared(shared.pool) ? 0 : 1);
        }
        int status = 1;
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    CHECK(tg_pool_is_shared(shared.pool));
    atomic_store(&shared.done, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    tg_pool_destroy(shared.pool);
}

int main(void) {
    test_pool_in_a_child();
    test_handlers();
    return check_report();
}
