/* The pool: size classes, reuse, counters, limits, failing allocations, threads. */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"

static const size_t mib = (size_t)1 << 20;

static tg_pool *new_pool(size_t limit) {
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(tg_system_allocator(), limit, &pool));
    return pool;
}

static void test_size_classes(void) {
    tg_pool *pool = new_pool(64 * mib);
    for (size_t bytes = 0; bytes < 40 * mib; bytes += 1 + bytes / 7) {
        size_t got, again;
        char *block = tg_pool_take(pool, bytes, &got);
        CHECK(block && (uintptr_t)block % TG_ALIGNMENT == 0);
        CHECK(got >= bytes && got % TG_ALIGNMENT == 0);
        CHECK(bytes <= 1024 ? got < bytes + TG_ALIGNMENT || bytes == 0 : got - bytes <= bytes / 4);
        if (bytes) block[0] = block[bytes - 1] = 1;
        tg_pool_give(pool, block, got);
        /* The size of a class belongs to that class. */
        CHECK(tg_pool_take(pool, got, &again) == block && again == got);
        tg_pool_give(pool, block, got);
    }
    tg_pool_destroy(pool);
}

static void test_last_in_first_out(void) {
    tg_pool *pool = new_pool(mib);
    size_t bytes;
    void *a = tg_pool_take(pool, 100, &bytes), *b = tg_pool_take(pool, 120, &bytes);
    CHECK(a != b && bytes == 128);
    tg_pool_give(pool, a, bytes);
    tg_pool_give(pool, b, bytes);
    CHECK(tg_pool_take(pool, 65, &bytes) == b);
    CHECK(tg_pool_take(pool, 128, &bytes) == a);
    tg_pool_give(pool, a, bytes);
    tg_pool_give(pool, b, bytes);
    tg_pool_destroy(pool);
}

static void test_statistics(void) {
    tg_pool *pool = new_pool(mib);
    size_t bytes;
    void *a = tg_pool_take(pool, 1000, &bytes), *b = tg_pool_take(pool, 1000, &bytes);
    tg_pool_stats stats = tg_pool_statistics(pool);
    CHECK(bytes == 1024 && stats.live == 2048 && stats.peak == 2048 && stats.cached == 0);
    CHECK(stats.taken == 2 && stats.fresh == 2 && stats.limit == mib);
    tg_pool_give(pool, a, bytes);
    a = tg_pool_take(pool, 1024, &bytes);
    tg_pool_give(pool, b, bytes);
    stats = tg_pool_statistics(pool);
    CHECK(stats.live == 1024 && stats.cached == 1024 && stats.peak == 2048 && stats.taken == 3 && stats.fresh == 2);
    tg_pool_reset_peak(pool);
    CHECK(tg_pool_statistics(pool).peak == 1024);
    tg_pool_give(pool, a, bytes);
    CHECK(tg_pool_statistics(pool).cached == 2048);
    tg_pool_trim(pool);
    stats = tg_pool_statistics(pool);
    CHECK(stats.cached == 0 && stats.live == 0 && stats.peak == 1024);
    tg_pool_destroy(pool);
}

static void test_limit(void) {
    check_allocator heap = {.countdown = -1};
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(check_allocator_of(&heap), 4096, &pool));
    size_t own = heap.live, bytes;
    void *small = tg_pool_take(pool, 512, &bytes);
    tg_pool_give(pool, small, bytes);
    void *large[3];
    for (int i = 0; i < 3; i++) large[i] = tg_pool_take(pool, 2048, &bytes);
    tg_pool_give(pool, large[0], bytes);
    CHECK(tg_pool_statistics(pool).cached == 512 + 2048);
    /* Over the limit: the class that went unused for longer makes room. */
    tg_pool_give(pool, large[1], bytes);
    CHECK(tg_pool_statistics(pool).cached == 4096);
    tg_pool_give(pool, large[2], bytes);
    CHECK(tg_pool_statistics(pool).cached == 4096 && heap.live == own + 4096);
    /* A block that alone exceeds the limit is never cached. */
    void *huge = tg_pool_take(pool, 5000, &bytes);
    tg_pool_give(pool, huge, bytes);
    CHECK(tg_pool_statistics(pool).cached == 4096 && heap.live == own + 4096);
    tg_pool_set_limit(pool, 3000);
    CHECK(tg_pool_statistics(pool).cached == 2048 && tg_pool_statistics(pool).limit == 3000);
    tg_pool_set_limit(pool, 0);
    CHECK(heap.live == own);
    small = tg_pool_take(pool, 64, &bytes);
    tg_pool_give(pool, small, bytes);
    CHECK(tg_pool_statistics(pool).cached == 0 && heap.live == own);
    tg_pool_destroy(pool);
    CHECK(heap.live == 0 && heap.outstanding == 0);
}

static void test_too_large(void) {
    tg_pool *pool = new_pool(mib);
    size_t bytes;
    CHECK(!tg_pool_take(pool, SIZE_MAX, &bytes));
    CHECK(!tg_pool_take(pool, SIZE_MAX / 2, &bytes));
    CHECK(tg_pool_statistics(pool).live == 0 && tg_pool_statistics(pool).taken == 0);
    tg_pool_destroy(pool);
}

static void test_large_blocks(void) {
    tg_pool *pool = new_pool(64 * mib);
    size_t bytes;
    char *block = tg_pool_take(pool, 10 * mib + 1, &bytes);
    const size_t alignment = tg_system_allocator().resize ? 2 * mib : TG_ALIGNMENT; /* of a mapping: a huge page */
    CHECK((uintptr_t)block % alignment == 0 && bytes == 12 * mib);
    memset(block, 7, 10 * mib + 1);
    tg_pool_give(pool, block, bytes);
    tg_pool_destroy(pool);
}

/* Draws a pattern on bytes [from, to), dotted since there are many; and checks it. */
enum { DOT = 61 };

static void draw(unsigned char *block, size_t from, size_t to) {
    for (size_t i = (from + DOT - 1) / DOT * DOT; i < to; i += DOT) block[i] = (unsigned char)(i * 31 >> 3);
}

static bool is_drawn(const unsigned char *block, size_t bytes) {
    for (size_t i = 0; i < bytes; i += DOT) {
        if (block[i] != (unsigned char)(i * 31 >> 3)) return false;
    }
    return true;
}

/* Every way to grow: from small to large, with and without an allocator that resizes. */
static void grow_all_the_way(tg_allocator allocator, size_t limit) {
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(allocator, limit, &pool));
    unsigned char *block = NULL;
    size_t bytes = 0, used = 0;
    for (size_t wanted = 100; wanted < 40 * mib; wanted += wanted / 3) {
        block = tg_pool_resize(pool, block, bytes, wanted, used, &bytes);
        if (!CHECK(block && bytes >= wanted && is_drawn(block, used))) return;
        draw(block, used, bytes);
        used = bytes;
        CHECK(tg_pool_statistics(pool).live == bytes);
    }
    block = tg_pool_resize(pool, block, bytes, 3 * mib, 3 * mib, &bytes);
    CHECK(block && bytes >= 3 * mib && is_drawn(block, 3 * mib));
    block = tg_pool_resize(pool, block, bytes, 1000, 1000, &bytes);
    CHECK(block && bytes == 1024 && is_drawn(block, 1000) && tg_pool_statistics(pool).live == 1024);
    CHECK(!tg_pool_resize(pool, block, bytes, SIZE_MAX / 2, 1000, &bytes));
    CHECK(is_drawn(block, 1000));
    tg_pool_give(pool, block, bytes);
    tg_pool_destroy(pool);
}

static void test_resize(void) {
    check_allocator heap = {.countdown = -1};
    tg_allocator allocator = check_allocator_of(&heap);
    grow_all_the_way(allocator, 0);
    grow_all_the_way(allocator, 256 * mib);
    allocator.resize = NULL;
    grow_all_the_way(allocator, 0);
    grow_all_the_way(allocator, 256 * mib);
    CHECK(heap.live == 0 && heap.outstanding == 0);
}

/* Where blocks can be resized they are, and a large cached block is grown into. */
static void test_resize_counters(void) {
    check_allocator heap = {.countdown = -1};
    tg_allocator allocator = check_allocator_of(&heap);
    if (!allocator.resize) return;
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(allocator, 64 * mib, &pool));
    size_t bytes, own = heap.live;
    char *block = tg_pool_take(pool, 2 * mib, &bytes);
    block[2 * mib - 1] = 5;
    block = tg_pool_resize(pool, block, bytes, 16 * mib, 2 * mib, &bytes);
    tg_pool_stats stats = tg_pool_statistics(pool);
    CHECK(bytes == 16 * mib && block[2 * mib - 1] == 5 && heap.live == own + bytes);
    CHECK(stats.live == bytes && stats.peak == bytes && stats.cached == 0 && stats.taken == 2 && stats.fresh == 2);

    char *small = tg_pool_take(pool, 4 * mib, &bytes);
    small[0] = 3;
    tg_pool_give(pool, block, 16 * mib);
    small = tg_pool_resize(pool, small, bytes, 8 * mib, 1, &bytes);
    stats = tg_pool_statistics(pool);
    CHECK(small == block && bytes == 16 * mib && small[0] == 3);
    CHECK(stats.live == bytes && stats.cached == 4 * mib && stats.taken == 4 && stats.fresh == 3);
    /* But not one that is larger by far. */
    block = tg_pool_take(pool, mib, &bytes);
    tg_pool_give(pool, small, 16 * mib);
    block = tg_pool_resize(pool, block, bytes, 2 * mib, 0, &bytes);
    CHECK(bytes == 4 * mib && tg_pool_statistics(pool).cached == 17 * mib);
    block = tg_pool_resize(pool, block, bytes, 3 * mib, 0, &bytes);
    CHECK(bytes == 3 * mib && tg_pool_statistics(pool).cached == 17 * mib);
    tg_pool_give(pool, block, bytes);
    tg_pool_destroy(pool);
    CHECK(heap.live == 0 && heap.outstanding == 0);
}

/* A block that cannot grow is as it was. */
static void test_resize_fails(void) {
    check_allocator heap = {.countdown = -1};
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(check_allocator_of(&heap), 0, &pool));
    for (size_t size = 1000; size < 10 * mib; size *= 3) {
        size_t bytes, unused;
        unsigned char *block = tg_pool_take(pool, size, &bytes);
        draw(block, 0, size);
        tg_pool_stats before = tg_pool_statistics(pool), after;
        heap.countdown = 0;
        CHECK(!tg_pool_resize(pool, block, bytes, 2 * size, size, &unused) && heap.failed);
        after = tg_pool_statistics(pool);
        CHECK(is_drawn(block, size) && memcmp(&before, &after, sizeof before) == 0);
        tg_pool_give(pool, block, bytes);
    }
    tg_pool_destroy(pool);
    CHECK(heap.live == 0 && heap.outstanding == 0);
}

static tg_status take_two(tg_allocator allocator, void *context) {
    (void)context;
    tg_pool *pool;
    tg_status status = tg_pool_create(allocator, 0, &pool);
    if (status != TG_OK) return status;
    size_t bytes;
    status = TG_NO_MEMORY;
    void *a = tg_pool_take(pool, 100, &bytes);
    if (a) {
        size_t more;
        void *b = tg_pool_take(pool, 3000, &more);
        CHECK(tg_pool_statistics(pool).live == (b ? bytes + more : bytes));
        CHECK(tg_pool_statistics(pool).fresh == (b ? 2 : 1));
        if (b) {
            status = TG_OK;
            tg_pool_give(pool, b, more);
        }
        tg_pool_give(pool, a, bytes);
    }
    tg_pool_destroy(pool);
    return status;
}

/* Where the allocator is out of memory the cache is given up for another attempt; likewise to resize a block. */
static void test_cache_is_a_reserve(void) {
    check_allocator heap = {.countdown = -1};
    tg_pool *pool = NULL;
    CHECK_OK(tg_pool_create(check_allocator_of(&heap), mib, &pool));
    size_t bytes;
    tg_pool_give(pool, tg_pool_take(pool, 4096, &bytes), 4096);
    CHECK(tg_pool_statistics(pool).cached == 4096);
    heap.countdown = 0;
    void *block = tg_pool_take(pool, 100, &bytes);
    CHECK(block && heap.failed && tg_pool_statistics(pool).cached == 0);
    tg_pool_give(pool, block, bytes);
    CHECK(tg_pool_statistics(pool).cached == 128);
    block = tg_pool_take(pool, 2 * mib, &bytes);
    heap.countdown = 0;
    block = tg_pool_resize(pool, block, bytes, 4 * mib, 0, &bytes);
    CHECK(block && bytes == 4 * mib);
    CHECK(tg_pool_statistics(pool).cached == 0); /* the old block is larger than the limit */
    tg_pool_give(pool, block, bytes);
    tg_pool_destroy(pool);
    CHECK(heap.live == 0);
}

/* Threads take blocks, mark them, and exchange them: each gives back what others have taken. */

enum { THREADS = 4, SLOTS = 16, ROUNDS = 50000 };

typedef struct parcel {
    size_t wanted, bytes;
    unsigned char mark; /* also the last byte of the block */
} parcel;

typedef struct exchange {
    tg_pool *pool;
    _Atomic(parcel *) slots[SLOTS];
    _Atomic uint32_t seed;
    _Atomic long damaged;
} exchange;

static void unpack_parcel(exchange *shared, parcel *got) {
    if (((unsigned char *)got)[got->wanted - 1] != got->mark) atomic_fetch_add(&shared->damaged, 1);
    tg_pool_give(shared->pool, got, got->bytes);
}

static void *trade(void *context) {
    exchange *shared = context;
    uint32_t random = atomic_fetch_add(&shared->seed, 1) * 2654435761u + 1;
    for (int round = 0; round < ROUNDS; round++) {
        random = random * 1664525u + 1013904223u;
        size_t bytes;
        size_t wanted = 64 + (random >> 8) % 4000;
        parcel *mine = tg_pool_take(shared->pool, wanted, &bytes);
        if (!mine) continue;
        if (random >> 28 == 0) {
            wanted = 64 + (random >> 4) % (2 * mib);
            mine = tg_pool_resize(shared->pool, mine, bytes, wanted, 0, &bytes);
            if (!mine) return NULL;
        }
        *mine = (parcel){.wanted = wanted, .bytes = bytes, .mark = (unsigned char)random};
        ((unsigned char *)mine)[wanted - 1] = mine->mark;
        parcel *got = atomic_exchange(&shared->slots[(random >> 16) % SLOTS], mine);
        if (got) unpack_parcel(shared, got);
    }
    return NULL;
}

static void test_threads(void) {
    exchange shared = {.pool = new_pool(32 * 1024)};
    pthread_t threads[THREADS];
    tg_pool_share(shared.pool);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, trade, &shared) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    tg_pool_unshare(shared.pool);
    for (int i = 0; i < SLOTS; i++) {
        if (shared.slots[i]) unpack_parcel(&shared, shared.slots[i]);
    }
    tg_pool_stats stats = tg_pool_statistics(shared.pool);
    CHECK(shared.damaged == 0);
    CHECK(stats.live == 0 && stats.cached <= stats.limit && stats.taken > (uint64_t)THREADS * ROUNDS);
    tg_pool_destroy(shared.pool);
}

int main(void) {
    test_size_classes();
    test_last_in_first_out();
    test_statistics();
    test_limit();
    test_too_large();
    test_large_blocks();
    test_resize();
    test_resize_counters();
    test_resize_fails();
    check_every_failure(take_two, NULL);
    test_cache_is_a_reserve();
    test_threads();
    return check_report();
}
