/* Reading a tape while another thread records on it, watches on it, and makes it forget; handles that are found while
 * others are added; the lock. With the thread sanitizer, and TG_FREE_THREADED, this is a proof that nothing is torn. */
#include "reading.h"

#include <pthread.h>
#include <string.h>

#include "check.h"
#include "record.h"
#include "thread.h"

enum { THREADS = 4, ROUNDS = 3000 };

/* What several threads change under a lock comes out right, however long some of them must wait. */
static tg_lock lock;
static int counter;

static void *count(void *context) {
    for (int i = 0; i < ROUNDS; i++) {
        tg_lock_take(&lock);
        counter++;
        if (i % 1000 == 0) tg_system_sleep(2000);
        tg_lock_give(&lock);
    }
    return context;
}

static void at_once(int threads, void *(*function)(void *), void *context) {
    pthread_t others[THREADS];
    for (int i = 0; i < threads; i++) CHECK(pthread_create(&others[i], NULL, function, context) == 0);
    for (int i = 0; i < threads; i++) CHECK(pthread_join(others[i], NULL) == 0);
}

static void test_lock(void) {
    at_once(THREADS, count, NULL);
    CHECK(counter == THREADS * ROUNDS);
    CHECK(tg_lock_try(&lock) && !tg_lock_try(&lock));
    tg_lock_give(&lock);
}

#ifdef TG_FREE_THREADED

typedef struct world {
    tg_pool *pool;
    tg_registry registry;
    tg_tape tape;
    _Atomic uint32_t ready; /* slots that may be read */
    _Atomic bool over;
} world;

static void never(void *payload) { (void)payload; }

/* x, and x * x over and over: each node refers to the one before it. */
static void *record(void *context) {
    world *w = context;
    tg_handles last;
    memset(&last, 0, sizeof last);
    uint32_t slot;
    tg_tape_take(&w->tape);
    if (CHECK_OK(tg_tape_watch(&w->tape, TG_F64, 0, NULL, &slot))) {
        last.id[0] = w->tape.id;
        last.slot[0] = slot;
    }
    tg_tape_give(&w->tape);
    for (int i = 0; i < 20 * ROUNDS; i++) {
        tg_handles next;
        memset(&next, 0, sizeof next);
        tg_quick done = tg_record_number(&w->tape, TG_OP_MULTIPLY, TG_F64, true, &last, 1, &last, 1, 1, &next);
        if (done == TG_QUICK_GENERAL) { /* no room: as the binding does it */
            tg_tape_take(&w->tape);
            CHECK_OK(tg_tape_reserve(&w->tape, 64, 8));
            tg_tape_give(&w->tape);
            continue;
        }
        CHECK(done == TG_QUICK_RECORDED);
        last = next;
        atomic_store(&w->ready, next.slot[0] + 1);
    }
    atomic_store(&w->over, true);
    return NULL;
}

/* From the last node to the first, as a sweep goes, while the arena moves. */
static void *sweep(void *context) {
    world *w = context;
    int sweeps = 0;
    while (!atomic_load(&w->over) || !sweeps) {
        tg_reading reading = tg_reading_begin(&w->tape);
        CHECK(reading == TG_READING_SHARED);
        CHECK(tg_reading_begin_alone(&w->tape) == TG_READING_NOT);
        uint32_t slot = atomic_load(&w->ready);
        bool whole = true;
        while (slot-- > 1) {
            const tg_node *node = tg_tape_node(&w->tape, slot);
            whole = whole && node->slot == slot && node->kind == TG_NODE_ELEMENTWISE && node->in[0] == node->in[1] &&
                    node->in[0] < slot;
        }
        CHECK(whole);
        tg_reading_end(&w->tape, reading);
        sweeps++;
    }
    return NULL;
}

static void *watch(void *context) {
    world *w = context;
    while (!atomic_load(&w->over)) {
        uint32_t slot;
        const tg_index shape[] = {3};
        tg_tape_take(&w->tape);
        const uint32_t next = w->tape.slots;
        CHECK(tg_tape_watch(&w->tape, TG_F64, 1, shape, &slot) == TG_OK && slot == next);
        tg_tape_give(&w->tape);
        CHECK(tg_reading_is_leaf(&w->registry, w->tape.id, slot));
        tg_system_sleep(50);
    }
    return NULL;
}

static void new_world(world *w) {
    memset(w, 0, sizeof *w);
    CHECK_OK(tg_pool_create(tg_system_allocator(), (size_t)1 << 24, &w->pool));
    tg_pool_share(w->pool);
    tg_registry_init(&w->registry);
    tg_tape_init(&w->tape, w->pool, tg_registry_new_id(&w->registry), never);
    w->tape.owner = w;
    tg_registry_add(&w->registry, &w->tape);
}

static void end_world(world *w) {
    CHECK(tg_reading_forget(&w->tape, &w->registry, false));
    tg_tape_clear(&w->tape, 0);
    CHECK(w->tape.readers == 0 && !w->tape.outgrown && tg_pool_statistics(w->pool).live == 0);
    tg_pool_destroy(w->pool);
}

static void test_sweeps_while_recording(void) {
    world w;
    new_world(&w);
    pthread_t recorder, first, second;
    CHECK(pthread_create(&recorder, NULL, record, &w) == 0);
    CHECK(pthread_create(&first, NULL, sweep, &w) == 0 && pthread_create(&second, NULL, sweep, &w) == 0);
    CHECK(pthread_join(recorder, NULL) == 0 && pthread_join(first, NULL) == 0 && pthread_join(second, NULL) == 0);
    CHECK(w.ready > ROUNDS);
    end_world(&w);
}

static void test_watching_while_recording(void) {
    world w;
    new_world(&w);
    pthread_t recorder, other;
    CHECK(pthread_create(&recorder, NULL, record, &w) == 0 && pthread_create(&other, NULL, watch, &w) == 0);
    CHECK(pthread_join(recorder, NULL) == 0 && pthread_join(other, NULL) == 0);
    CHECK(w.tape.leaves > 1);
    end_world(&w);
}

static void *ask_alone(void *context) {
    world *w = context;
    CHECK(tg_reading_begin(&w->tape) == TG_READING_NOT && tg_reading_begin_alone(&w->tape) == TG_READING_NOT);
    CHECK(!tg_reading_forget(&w->tape, &w->registry, true));
    return NULL;
}

/* Who has the tape for itself keeps others off, but not itself; and what it forgets is gone. */
static void test_alone(void) {
    world w;
    new_world(&w);
    uint32_t slot;
    CHECK_OK(tg_tape_watch(&w.tape, TG_F64, 0, NULL, &slot));
    const uint64_t id = w.tape.id;
    tg_reading alone = tg_reading_begin_alone(&w.tape);
    CHECK(alone == TG_READING_ALONE && tg_reading_begin(&w.tape) == TG_READING_WITHIN);
    at_once(1, ask_alone, &w);
    CHECK(tg_reading_forget(&w.tape, &w.registry, true) && w.tape.id != id && w.tape.slots == 0);
    CHECK(w.tape.owner == &w && tg_registry_has(&w.registry, w.tape.id) && !tg_registry_has(&w.registry, id));
    tg_reading_end(&w.tape, alone);
    CHECK(w.tape.readers == 0 && !tg_reading_is_leaf(&w.registry, id, slot));
    CHECK(tg_reading_begin(&w.tape) == TG_READING_SHARED && !tg_reading_forget(&w.tape, &w.registry, false));
    tg_reading_end(&w.tape, TG_READING_SHARED);
    end_world(&w);
}

/* Each thread adds its own places to one value, and finds them while the others do. */
typedef struct shared_value {
    tg_pool *pool;
    tg_handles handles;
    tg_guard guard;
    _Atomic uint64_t next_id;
} shared_value;

static void *add_handles(void *context) {
    shared_value *value = context;
    uint64_t mine[40];
    for (int i = 0; i < 40; i++) {
        mine[i] = atomic_fetch_add(&value->next_id, 1) + 1;
        tg_guard_take(&value->guard);
        CHECK_OK(tg_handles_add(&value->handles, value->pool, mine[i], (uint32_t)(3 * mine[i]), NULL, NULL));
        tg_guard_give(&value->guard);
        for (int k = 0; k <= i; k++) {
            CHECK(tg_handles_find_shared(&value->handles, &value->guard, mine[k]) == 3 * mine[k]);
        }
        uint32_t slot;
        CHECK(!tg_quick_slot(&value->handles, mine[i], &slot) || slot == 3 * mine[i]);
    }
    return NULL;
}

static void test_handles(void) {
    shared_value value;
    memset(&value, 0, sizeof value);
    CHECK_OK(tg_pool_create(tg_system_allocator(), (size_t)1 << 20, &value.pool));
    tg_pool_share(value.pool);
    at_once(THREADS, add_handles, &value);
    CHECK(tg_handles_find_shared(&value.handles, &value.guard, 9999) == TG_NO_SLOT);
    tg_handles_clear(&value.handles, value.pool);
    tg_pool_destroy(value.pool);
}

#endif

int main(void) {
    test_lock();
#ifdef TG_FREE_THREADED
    test_sweeps_while_recording();
    test_watching_while_recording();
    test_alone();
    test_handles();
#endif
    return check_report();
}
