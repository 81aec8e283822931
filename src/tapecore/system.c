/* system.c: blocks from the heap, and from mappings that can grow; what threads and forks ask of the system. */
#define _GNU_SOURCE /* mremap; elsewhere posix_memalign, madvise */

#include "system.h"

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>

static void *system_allocate(void *context, size_t bytes) {
    (void)context;
    return _aligned_malloc(bytes, TG_ALIGNMENT);
}

static void system_release(void *context, void *block, size_t bytes) {
    (void)context, (void)bytes;
    _aligned_free(block);
}

tg_allocator tg_system_allocator(void) {
    return (tg_allocator){.allocate = system_allocate, .release = system_release};
}

void tg_system_yield(void) { SwitchToThread(); }

void tg_system_sleep(unsigned microseconds) { Sleep(microseconds / 1000 + (microseconds % 1000 != 0)); }

tg_status tg_system_at_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void)) {
    (void)before, (void)in_parent, (void)in_child;
    return TG_OK;
}

#else

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

void tg_system_yield(void) { sched_yield(); }

void tg_system_sleep(unsigned microseconds) {
    const struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    nanosleep(&time, NULL);
}

tg_status tg_system_at_fork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void)) {
    return pthread_atfork(before, in_parent, in_child) ? TG_NO_MEMORY : TG_OK;
}

#define HUGE_BYTES ((size_t)4 << 20)
#define HUGE_PAGE ((size_t)2 << 20)

static void advise_huge_pages(void *block, size_t bytes) {
#ifdef MADV_HUGEPAGE
    /* Advice only: a system without huge pages refuses it, and nothing is lost. */
    if (bytes >= HUGE_BYTES) (void)madvise(block, bytes, MADV_HUGEPAGE);
#else
    (void)block, (void)bytes;
#endif
}

static void *heap_allocate(size_t bytes) {
    void *block;
    if (posix_memalign(&block, bytes >= HUGE_BYTES ? HUGE_PAGE : TG_ALIGNMENT, bytes)) return NULL;
    advise_huge_pages(block, bytes);
    return block;
}

#ifdef __linux__

/* The beginning of a block of huge pages must be the beginning of a page: more is mapped, and both ends are cut off.
 * Sizes of large blocks are multiples of every page size in use (tg_allocator). */
static void *map(size_t bytes) {
    const size_t spare = bytes >= HUGE_BYTES ? HUGE_PAGE : 0;
    char *start = mmap(NULL, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    if (spare) {
        const size_t before = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;
        if (before) munmap(start, before);
        start += before;
        munmap(start + bytes, spare - before);
    }
    advise_huge_pages(start, bytes);
    return start;
}

static void *system_allocate(void *context, size_t bytes) {
    (void)context;
    return bytes >= TG_POOL_LARGE ? map(bytes) : heap_allocate(bytes);
}

static void system_release(void *context, void *block, size_t bytes) {
    (void)context;
    if (bytes >= TG_POOL_LARGE) {
        munmap(block, bytes);
    } else {
        free(block);
    }
}

static void *system_resize(void *context, void *block, size_t bytes, size_t wanted) {
    (void)context;
    void *resized = mremap(block, bytes, wanted, MREMAP_MAYMOVE);
    if (resized == MAP_FAILED) return NULL;
    advise_huge_pages(resized, wanted);
    return resized;
}

tg_allocator tg_system_allocator(void) {
    return (tg_allocator){.allocate = system_allocate, .release = system_release, .resize = system_resize};
}

#else

static void *system_allocate(void *context, size_t bytes) {
    (void)context;
    return heap_allocate(bytes);
}

static void system_release(void *context, void *block, size_t bytes) {
    (void)context, (void)bytes;
    free(block);
}

tg_allocator tg_system_allocator(void) {
    return (tg_allocator){.allocate = system_allocate, .release = system_release};
}

#endif

#endif
