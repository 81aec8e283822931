/* lock.h: the lock of the core: one byte, held for a few instructions, in which nobody waits for anything else than for
 * a further one of these.
 *
 * Whoever waits lets other threads run, and sleeps if that does not help: the holder may be copying what a tape has
 * recorded. Where several are held, they were taken in this order: tape, value, registry, pool.
 */
#ifndef TG_LOCK_H
#define TG_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct tg_lock {
    atomic_flag held; /* all zero: free */
} tg_lock;

/* Takes a lock that somebody holds. */
void tg_lock_wait(tg_lock *lock);

static inline bool tg_lock_try(tg_lock *lock) {
    return !atomic_flag_test_and_set_explicit(&lock->held, memory_order_acquire);
}

static inline void tg_lock_take(tg_lock *lock) {
    if (!tg_lock_try(lock)) tg_lock_wait(lock);
}

static inline void tg_lock_give(tg_lock *lock) { atomic_flag_clear_explicit(&lock->held, memory_order_release); }

#endif
