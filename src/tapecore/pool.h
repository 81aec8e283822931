/* pool.h: memory for buffers, in size classes, with a cache of freed blocks.
 *
 * A training loop frees and takes the same sizes again and again; fresh pages from the system cost more than the
 * arithmetic on them. So freed blocks wait in one last-in-first-out list per size class until the cache holds
 * `limit` bytes; beyond that they go back to the allocator.
 *
 *   size classes: multiples of 64 bytes up to 1 KiB, then four per power of two (at most 25 % waste)
 *   a free block:  [ pointer to the next free block of its class | unused ... ]
 *
 * Threads: whoever touches a pool, or the reference counts of arrays in it, either holds the one lock that its owner
 * uses (in Python the interpreter lock), or has announced with tg_pool_share, while holding that lock, that it will
 * not. While nobody has, plain loads and stores do: an atomic instruction costs as much as an operation on ten numbers.
 * Otherwise counts are atomic, and a spin lock is held for a few instructions.
 *
 * A pool has no global state: whoever creates it passes it on. Blocks are aligned to TG_ALIGNMENT.
 */
#ifndef TG_POOL_H
#define TG_POOL_H

#include <stdatomic.h>

#include "core.h"

/* From this size on blocks are resized through the allocator, without copying. Their sizes are multiples of 256 KiB. */
#define TG_POOL_LARGE ((size_t)1 << 20)

/* No block is larger. */
#define TG_POOL_LARGEST ((size_t)1 << (8 * sizeof(size_t) - 2))

/* Where a pool gets its memory. `allocate` returns NULL on failure; `bytes` is a multiple of TG_ALIGNMENT and the
 * result must be aligned to it. `resize` may be NULL; it moves or extends a block of `allocate` from `bytes` to
 * `wanted` bytes, both at least TG_POOL_LARGE, and keeps the contents; NULL: it failed, and the block is as it was.
 * Tests inject one that fails on request. */
typedef struct tg_allocator {
    void *(*allocate)(void *context, size_t bytes);
    void (*release)(void *context, void *block, size_t bytes);
    void *(*resize)(void *context, void *block, size_t bytes, size_t wanted);
    void *context;
} tg_allocator;

typedef struct tg_pool_stats {
    size_t live;    /* bytes handed out now, in whole size classes */
    size_t cached;  /* bytes waiting in the free lists */
    size_t peak;    /* the largest `live` since creation or tg_pool_reset_peak */
    size_t limit;   /* what `cached` may reach */
    uint64_t taken; /* blocks handed out since creation, resized ones included */
    uint64_t fresh; /* of these, how many had to come from the allocator */
} tg_pool_stats;

typedef struct tg_pool tg_pool;

/* What comes first in every pool. */
typedef struct tg_pool_head {
    _Atomic int sharers; /* threads that work without the owner's lock */
} tg_pool_head;

static inline bool tg_pool_is_shared(const tg_pool *pool) {
    return atomic_load_explicit(&((const tg_pool_head *)(const void *)pool)->sharers, memory_order_relaxed) != 0;
}

/* Before the owner's lock is given up, and after it has been taken again. */
void tg_pool_share(tg_pool *pool);
void tg_pool_unshare(tg_pool *pool);

/* Around fork(), in handlers of pthread_atfork: between the two no other thread is inside the pool, so that the child's
 * copy is whole. In the child, whose only thread holds the owner's lock, nobody shares it any more. */
void tg_pool_before_fork(tg_pool *pool);
void tg_pool_after_fork(tg_pool *pool, bool in_child);

/* *out: owned by the caller, until tg_pool_destroy. The pool's own memory comes from `allocator` too. */
tg_status tg_pool_create(tg_allocator allocator, size_t limit, tg_pool **out);

/* Every block must have been given back. */
void tg_pool_destroy(tg_pool *pool);

/* A block of at least `bytes` bytes (owned by the caller until tg_pool_give), or NULL. *block_bytes, out: what must
 * be passed to tg_pool_give. The contents are undefined. */
void *tg_pool_take(tg_pool *pool, size_t bytes, size_t *block_bytes);
void tg_pool_give(tg_pool *pool, void *block, size_t block_bytes);

/* The same for who remembers a block's size class rather than its size: one byte, and nothing to work out. The class
 * must be the one of `bytes`, which is at most TG_POOL_LARGEST. */
uint8_t tg_pool_class(size_t bytes);
void *tg_pool_take_class(tg_pool *pool, uint8_t size_class, size_t bytes);
void tg_pool_give_class(tg_pool *pool, void *block, uint8_t size_class);

/* In place of `block` (NULL: a new one) a block of at least `bytes` bytes that begins with the first `used` bytes of
 * it; or NULL, and `block` is as it was. *new_block_bytes, out: its size, all of which may be used. Where the allocator
 * can resize, large blocks are not copied and pages that were never touched stay so: grow generously. */
void *tg_pool_resize(tg_pool *pool, void *block, size_t block_bytes, size_t bytes, size_t used,
                     size_t *new_block_bytes);

tg_pool_stats tg_pool_statistics(tg_pool *pool);
void tg_pool_reset_peak(tg_pool *pool);

/* A smaller limit frees cached blocks at once; 0 turns the cache off. */
void tg_pool_set_limit(tg_pool *pool, size_t limit);

/* Gives every cached block back to the allocator. */
void tg_pool_trim(tg_pool *pool);

#endif
