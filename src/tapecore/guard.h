/* guard.h: who may touch a value or a tape where no interpreter lock decides that.
 *
 * In Python the interpreter lock guards both. For CPython without it (TG_FREE_THREADED) each has a lock of its own;
 * elsewhere all that stands here is empty, and costs nothing.
 *
 *   A value   never changes once others can see it, unless it says that it does (`changes`: variables, and tensors that
 *             were written to). Those are read under their lock, everything else without. Its handles are added to
 *             under the lock; the two inline ones are found without it: a tape that is in use keeps its place, and
 *             slots are written before ids.
 *   A tape    grows under its lock. Who reads it (a sweep) is counted instead: while somebody reads, memory that the
 *             tape grows out of is kept, so that recording need not wait. What was recorded goes when nobody reads, and
 *             a sweep that lets it go on its way has the tape for itself.
 */
#ifndef TG_GUARD_H
#define TG_GUARD_H

#include <stdint.h>

#include "lock.h"

#ifdef TG_FREE_THREADED

enum { TG_WITHOUT_INTERPRETER_LOCK = 1 };

#define TG_READ(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define TG_WRITE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

typedef struct tg_guard {
    tg_lock lock;
    bool changes;
    void *object; /* the binding's */
} tg_guard;

static inline void tg_guard_take(tg_guard *guard) { tg_lock_take(&guard->lock); }
static inline void tg_guard_give(tg_guard *guard) { tg_lock_give(&guard->lock); }
static inline bool tg_guard_changes(const tg_guard *guard) { return TG_READ(guard->changes); }
static inline void tg_guard_set_changes(tg_guard *guard) { TG_WRITE(guard->changes, true); }
static inline void *tg_guard_object(const tg_guard *guard) { return guard->object; }
static inline void tg_guard_set_object(tg_guard *guard, void *object) { guard->object = object; }
static inline uint64_t tg_guard_count(uint64_t *counter) { return __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED); }

#else

enum { TG_WITHOUT_INTERPRETER_LOCK = 0 };

#define TG_READ(place) (place)
#define TG_WRITE(place, value) ((void)((place) = (value)))

typedef struct tg_guard {
} tg_guard;

static inline void tg_guard_take(tg_guard *guard) { (void)guard; }
static inline void tg_guard_give(tg_guard *guard) { (void)guard; }
static inline bool tg_guard_changes(const tg_guard *guard) {
    (void)guard;
    return false;
}
static inline void tg_guard_set_changes(tg_guard *guard) { (void)guard; }
static inline void *tg_guard_object(const tg_guard *guard) {
    (void)guard;
    return (void *)0;
}
static inline void tg_guard_set_object(tg_guard *guard, void *object) { (void)guard, (void)object; }
static inline uint64_t tg_guard_count(uint64_t *counter) { return ++*counter; }

#endif

#endif
