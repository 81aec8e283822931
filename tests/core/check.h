/* check.h: all that the core's tests need: conditions that are counted and reported, and an allocator that counts
 * what is outstanding and can be told to fail.
 *
 *     int main(void) {
 *         CHECK(1 + 1 == 2);
 *         CHECK_OK(tg_something());
 *         check_every_failure(scenario, NULL);
 *         return check_report();
 *     }
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#include "core.h"
#include "pool.h"
#include "system.h"

static _Atomic int check_count, check_failures; /* tests of threads check in each of them */

static inline bool check_that(bool condition, const char *text, const char *file, int line) {
    check_count++;
    if (!condition) {
        check_failures++;
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
    }
    return condition;
}

/* Both are expressions: true if the condition holds. */
#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)
#define CHECK_OK(status) check_that((status) == TG_OK, #status " is TG_OK", __FILE__, __LINE__)

/* What main returns. */
static inline int check_report(void) {
    printf("%d checks, %d failures\n", check_count, check_failures);
    return check_failures != 0;
}

/* An allocator for one thread. `countdown` allocations succeed and the next one fails, once; negative: none fails. */
typedef struct check_allocator {
    long countdown;
    bool failed;
    size_t live;      /* bytes */
    long outstanding; /* blocks */
} check_allocator;

static inline bool check_fails(check_allocator *heap) {
    if (heap->countdown-- != 0) return false;
    heap->failed = true;
    return true;
}

static inline void *check_allocate(void *context, size_t bytes) {
    check_allocator *heap = context;
    tg_allocator system = tg_system_allocator();
    void *block = check_fails(heap) ? NULL : system.allocate(system.context, bytes);
    if (block) {
        heap->live += bytes;
        heap->outstanding++;
    }
    return block;
}

static inline void check_free(void *context, void *block, size_t bytes) {
    check_allocator *heap = context;
    heap->live -= bytes;
    heap->outstanding--;
    tg_allocator system = tg_system_allocator();
    system.release(system.context, block, bytes);
}

static inline void *check_resize(void *context, void *block, size_t bytes, size_t wanted) {
    check_allocator *heap = context;
    tg_allocator system = tg_system_allocator();
    void *resized = check_fails(heap) ? NULL : system.resize(system.context, block, bytes, wanted);
    if (resized) heap->live += wanted - bytes;
    return resized;
}

/* `heap` is borrowed as long as the allocator is in use. */
static inline tg_allocator check_allocator_of(check_allocator *heap) {
    return (tg_allocator){.allocate = check_allocate,
                          .release = check_free,
                          .resize = tg_system_allocator().resize ? check_resize : NULL,
                          .context = heap};
}

/* Runs the scenario again and again: first its first allocation fails, then its second, and so on until none does.
 * Each time it must say TG_NO_MEMORY and leave nothing behind; the last time it must say TG_OK. A pool in a scenario
 * should have the limit 0: cached blocks would stand in for the allocation that fails. */
static inline void check_every_failure(tg_status (*scenario)(tg_allocator allocator, void *context), void *context) {
    for (long n = 0;; n++) {
        check_allocator heap = {.countdown = n};
        tg_status status = scenario(check_allocator_of(&heap), context);
        bool right = CHECK(status == (heap.failed ? TG_NO_MEMORY : TG_OK));
        right = CHECK(heap.live == 0 && heap.outstanding == 0) && right;
        if (!right) fprintf(stderr, "    where allocation %ld fails\n", n);
        if (!heap.failed) return;
    }
}

#endif
