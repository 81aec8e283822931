/* pool.c: size classes and the cache of freed blocks. */
#include "pool.h"

#include <assert.h>
#include <string.h>

#include "lock.h"

/* Under the address sanitizer cached blocks, and the unused tail of those handed out, are out of bounds: without this
 * the cache would hide every use after release. */
#if defined(__SANITIZE_ADDRESS__)
#define TG_POOL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TG_POOL_SANITIZED 1
#endif
#endif

#ifdef TG_POOL_SANITIZED
#include <sanitizer/asan_interface.h>
static void forbid(void *start, size_t bytes) { __asan_poison_memory_region(start, bytes); }
static void permit(void *start, size_t bytes) { __asan_unpoison_memory_region(start, bytes); }
#else
static void forbid(void *start, size_t bytes) { (void)start, (void)bytes; }
static void permit(void *start, size_t bytes) { (void)start, (void)bytes; }
#endif

/* Size classes 0 to 15 are 64, 128, ... 1024 bytes; from there each power of two is divided into four. */
#define LINEAR_CLASSES 16
#define LINEAR_BYTES ((size_t)LINEAR_CLASSES * TG_ALIGNMENT)
#define LINEAR_LOG2 10
#define SIZE_BITS (8 * (int)sizeof(size_t))
#define CLASSES (LINEAR_CLASSES + 4 * (SIZE_BITS - 2 - LINEAR_LOG2))

/* A growing block may be replaced by a cached one of up to four times the size wanted: it will grow into it. */
#define ROOMY_CLASSES 8

typedef struct free_block {
    struct free_block *next;
    struct free_block *after_next; /* when this block was freed: a place to fetch, no more */
    size_t bytes;
} free_block;

typedef struct class_list {
    free_block *free;
    size_t bytes;        /* of every block */
    uint64_t last_taken; /* `stats.taken` when a block of this class was last handed out */
} class_list;

struct tg_pool {
    tg_pool_head head; /* first: see tg_pool_is_shared */
    tg_lock lock;
    tg_allocator allocator;
    tg_pool_stats stats;
    class_list classes[CLASSES];
};

static const size_t pool_bytes = (sizeof(tg_pool) + TG_ALIGNMENT - 1) / TG_ALIGNMENT * TG_ALIGNMENT;

_Static_assert(CLASSES <= UINT8_MAX, "a size class is a byte");

uint8_t tg_pool_class(size_t bytes) {
    if (bytes <= LINEAR_BYTES) return (uint8_t)((bytes ? bytes - 1 : 0) / TG_ALIGNMENT);
    int log2 = 63 - __builtin_clzll(bytes - 1);
    int quarter = (int)((bytes - 1) >> (log2 - 2)); /* 4 to 7 */
    return (uint8_t)(LINEAR_CLASSES + 4 * (log2 - LINEAR_LOG2) + quarter - 4);
}

/* The size of a class's blocks. */
static size_t class_bytes_of(int size_class) {
    if (size_class < LINEAR_CLASSES) return (size_t)(size_class + 1) * TG_ALIGNMENT;
    const int fourths = size_class - LINEAR_CLASSES;
    return (size_t)(fourths % 4 + 5) << (fourths / 4 + LINEAR_LOG2 - 2);
}

void tg_pool_share(tg_pool *pool) { atomic_fetch_add(&pool->head.sharers, 1); }
void tg_pool_unshare(tg_pool *pool) { atomic_fetch_sub(&pool->head.sharers, 1); }

static void lock(tg_pool *pool) {
    if (tg_pool_is_shared(pool)) tg_lock_take(&pool->lock);
}

static void unlock(tg_pool *pool) {
    if (tg_pool_is_shared(pool)) tg_lock_give(&pool->lock);
}

void tg_pool_before_fork(tg_pool *pool) { tg_lock_take(&pool->lock); }

void tg_pool_after_fork(tg_pool *pool, bool in_child) {
    if (in_child) atomic_store(&pool->head.sharers, 0);
    tg_lock_give(&pool->lock);
}

/* The functions below that say "locked" are called with the lock held. The allocator is never called under the lock:
 * returning pages to the system takes long. */

/* Asks for the first lines of a cached block, which may long have left the processor's caches. */
static void fetch(const free_block *block) {
    __builtin_prefetch(block, 1);
    __builtin_prefetch((const char *)block + TG_ALIGNMENT, 1);
    __builtin_prefetch((const char *)block + 2 * TG_ALIGNMENT, 1);
}

/* Locked: takes the first cached block out of its class. Fetches the one after the next, since memory takes longer to
 * answer than short operations take between two blocks. */
static free_block *pop(tg_pool *pool, class_list *bin) {
    free_block *block = bin->free;
    bin->free = block->next;
    fetch(block->after_next);
    pool->stats.cached -= bin->bytes;
    return block;
}

/* Locked: the class that has gone unused for longest, of those that have cached blocks; NULL if none has. */
static class_list *stalest(tg_pool *pool) {
    class_list *found = NULL;
    for (class_list *bin = pool->classes; bin < pool->classes + CLASSES; bin++) {
        if (bin->free && (!found || bin->last_taken < found->last_taken)) found = bin;
    }
    return found;
}

/* Locked: takes blocks out of the cache until at most `limit` bytes remain. Returns them as a list. */
static free_block *shrink(tg_pool *pool, size_t limit) {
    free_block *list = NULL;
    while (pool->stats.cached > limit) {
        class_list *bin = stalest(pool);
        assert(bin);
        do {
            free_block *block = pop(pool, bin);
            block->next = list;
            list = block;
        } while (bin->free && pool->stats.cached > limit);
    }
    return list;
}

/* Locked: the smallest cached block of class `bin` or of the ROOMY_CLASSES after it, NULL if there is none. */
static free_block *pop_roomy(tg_pool *pool, class_list *bin) {
    const class_list *end = pool->classes + CLASSES;
    if (end - bin > ROOMY_CLASSES) end = bin + ROOMY_CLASSES + 1;
    for (; bin < end; bin++) {
        if (bin->free) return pop(pool, bin);
    }
    return NULL;
}

/* Locked: a block of this class goes to the caller. */
static void count_taken(tg_pool *pool, class_list *bin) {
    tg_pool_stats *stats = &pool->stats;
    bin->last_taken = ++stats->taken;
    stats->live += bin->bytes;
    if (stats->live > stats->peak) stats->peak = stats->live;
}

/* Not locked: hands a list of blocks back to the allocator. */
static void release_list(tg_pool *pool, free_block *list) {
    while (list) {
        free_block *next = list->next;
        size_t bytes = list->bytes;
        permit(list, bytes);
        pool->allocator.release(pool->allocator.context, list, bytes);
        list = next;
    }
}

/* Not locked: frees cached blocks until `limit` bytes of them remain; false if there were none to free. */
static bool reduce_cache(tg_pool *pool, size_t limit) {
    lock(pool);
    free_block *dropped = shrink(pool, limit);
    unlock(pool);
    release_list(pool, dropped);
    return dropped != NULL;
}

/* Not locked: a block from the allocator; if it has none, the cache is given up for another attempt. */
static void *allocate(tg_pool *pool, size_t bytes) {
    void *block = pool->allocator.allocate(pool->allocator.context, bytes);
    if (!block && reduce_cache(pool, 0)) block = pool->allocator.allocate(pool->allocator.context, bytes);
    return block;
}

tg_status tg_pool_create(tg_allocator allocator, size_t limit, tg_pool **out) {
    tg_pool *pool = allocator.allocate(allocator.context, pool_bytes);
    if (!pool) return TG_NO_MEMORY;
    memset(pool, 0, sizeof *pool);
    pool->allocator = allocator;
    pool->stats.limit = limit;
    for (int i = 0; i < CLASSES; i++) pool->classes[i].bytes = class_bytes_of(i);
    *out = pool;
    return TG_OK;
}

void tg_pool_destroy(tg_pool *pool) {
    assert(pool->stats.live == 0);
    tg_pool_trim(pool);
    tg_allocator allocator = pool->allocator;
    allocator.release(allocator.context, pool, pool_bytes);
}

/* tg_pool_take_class for a pool that is shared or has no such block. */
static __attribute__((noinline)) void *take_slowly(tg_pool *pool, class_list *bin, size_t bytes) {
    lock(pool);
    void *block = bin->free ? pop(pool, bin) : NULL;
    if (!block) {
        unlock(pool);
        block = allocate(pool, bin->bytes);
        if (!block) return NULL;
        lock(pool);
        pool->stats.fresh++;
    }
    count_taken(pool, bin);
    unlock(pool);

    permit(block, bytes);
    forbid((char *)block + bytes, bin->bytes - bytes);
    return block;
}

void *tg_pool_take_class(tg_pool *pool, uint8_t size_class, size_t bytes) {
    class_list *bin = &pool->classes[size_class];
    if (tg_pool_is_shared(pool) || !bin->free) return take_slowly(pool, bin, bytes);
    void *block = pop(pool, bin);
    count_taken(pool, bin);
    permit(block, bytes);
    forbid((char *)block + bytes, bin->bytes - bytes);
    return block;
}

void *tg_pool_take(tg_pool *pool, size_t bytes, size_t *block_bytes) {
    if (bytes > TG_POOL_LARGEST) return NULL;
    const uint8_t size_class = tg_pool_class(bytes);
    *block_bytes = pool->classes[size_class].bytes;
    return tg_pool_take_class(pool, size_class, bytes);
}

/* Locked: puts a block into its class. */
static void push(tg_pool *pool, class_list *bin, free_block *block) {
    block->next = bin->free;
    block->after_next = bin->free ? bin->free->next : NULL;
    bin->free = block;
    pool->stats.cached += bin->bytes;
}

/* tg_pool_give_class for a pool that is shared or full. */
static __attribute__((noinline)) void give_slowly(tg_pool *pool, class_list *bin, free_block *freed) {
    lock(pool);
    tg_pool_stats *stats = &pool->stats;
    stats->live -= bin->bytes;
    free_block *dropped = NULL;
    if (bin->bytes > stats->limit) {
        freed->next = NULL;
        dropped = freed;
    } else {
        push(pool, bin, freed);
        /* A full cache drops what has gone unused for longest rather than what came last, so that a program that
         * moves on to other sizes finds those cached. */
        if (stats->cached > stats->limit) dropped = shrink(pool, stats->limit);
    }
    unlock(pool);
    release_list(pool, dropped);
}

void tg_pool_give_class(tg_pool *pool, void *block, uint8_t size_class) {
    class_list *bin = &pool->classes[size_class];
    tg_pool_stats *stats = &pool->stats;
    permit(block, sizeof(free_block));
    free_block *freed = block;
    freed->bytes = bin->bytes;
    forbid(freed + 1, bin->bytes - sizeof(free_block));
    if (tg_pool_is_shared(pool) || stats->cached + bin->bytes > stats->limit) {
        give_slowly(pool, bin, freed);
        return;
    }
    stats->live -= bin->bytes;
    push(pool, bin, freed);
}

void tg_pool_give(tg_pool *pool, void *block, size_t block_bytes) {
    const uint8_t size_class = tg_pool_class(block_bytes);
    assert(pool->classes[size_class].bytes == block_bytes);
    tg_pool_give_class(pool, block, size_class);
}

/* Not locked: a cached block for a large buffer to grow into. *got, out: its size. */
static void *take_roomy(tg_pool *pool, class_list *bin, size_t *got) {
    lock(pool);
    free_block *block = pop_roomy(pool, bin);
    if (block) {
        *got = block->bytes;
        count_taken(pool, &pool->classes[tg_pool_class(*got)]);
    }
    unlock(pool);
    return block;
}

/* Not locked: the same large block with another size, perhaps elsewhere. */
static void *remap(tg_pool *pool, void *block, size_t block_bytes, class_list *bin) {
    const tg_allocator *allocator = &pool->allocator;
    permit(block, block_bytes);
    void *moved = allocator->resize(allocator->context, block, block_bytes, bin->bytes);
    if (!moved && reduce_cache(pool, 0)) {
        moved = allocator->resize(allocator->context, block, block_bytes, bin->bytes);
    }
    if (moved) {
        lock(pool);
        pool->stats.live -= block_bytes;
        pool->stats.fresh++;
        count_taken(pool, bin);
        unlock(pool);
    }
    return moved;
}

void *tg_pool_resize(tg_pool *pool, void *block, size_t block_bytes, size_t bytes, size_t used,
                     size_t *new_block_bytes) {
    if (bytes > TG_POOL_LARGEST) return NULL;
    class_list *bin = &pool->classes[tg_pool_class(bytes)];
    void *target = NULL;
    if (block && bin->bytes >= TG_POOL_LARGE && pool->allocator.resize) {
        /* A buffer that was grown by remapping leaves none of its earlier sizes in the cache. This is how the next one
         * still finds the final size, instead of having new pages made for it. */
        target = take_roomy(pool, bin, new_block_bytes);
        if (!target && block_bytes >= TG_POOL_LARGE) {
            *new_block_bytes = bin->bytes;
            return remap(pool, block, block_bytes, bin);
        }
    }
    if (!target) target = tg_pool_take(pool, bytes, new_block_bytes);
    if (!target) return NULL;
    permit(target, *new_block_bytes);
    if (block) {
        memcpy(target, block, used);
        tg_pool_give(pool, block, block_bytes);
    }
    return target;
}

tg_pool_stats tg_pool_statistics(tg_pool *pool) {
    lock(pool);
    tg_pool_stats stats = pool->stats;
    unlock(pool);
    return stats;
}

void tg_pool_reset_peak(tg_pool *pool) {
    lock(pool);
    pool->stats.peak = pool->stats.live;
    unlock(pool);
}

void tg_pool_set_limit(tg_pool *pool, size_t limit) {
    lock(pool);
    pool->stats.limit = limit;
    unlock(pool);
    reduce_cache(pool, limit);
}

void tg_pool_trim(tg_pool *pool) { reduce_cache(pool, 0); }
