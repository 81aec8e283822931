/* registry.h: which tape ids are in use.
 *
 * An id is never used twice, so a handle whose id is not in the registry belongs to nobody. Tapes are added and removed
 * by threads that hold no other lock; the registry has its own, held for a few instructions.
 */
#ifndef TG_REGISTRY_H
#define TG_REGISTRY_H

#include "lock.h"
#include "tape.h"

typedef struct tg_registry {
    tg_lock lock;
    uint64_t last_id;
    tg_tape *first; /* linked by next_live, previous_live; borrowed */
} tg_registry;

/* All zero is an empty registry, too. */
void tg_registry_init(tg_registry *registry);

/* A new id for a tape that is not in the registry yet. */
uint64_t tg_registry_new_id(tg_registry *registry);

void tg_registry_add(tg_registry *registry, tg_tape *tape);

/* Does nothing if the tape is not there. */
void tg_registry_remove(tg_registry *registry, tg_tape *tape);

/* The tape with this id, or NULL: borrowed as long as it stays in the registry. */
tg_tape *tg_registry_find(tg_registry *registry, uint64_t id);

/* The same for who holds the registry's lock. */
static inline tg_tape *tg_registry_find_held(const tg_registry *registry, uint64_t id) {
    tg_tape *tape = registry->first;
    while (tape && tape->id != id) tape = tape->next_live;
    return tape;
}

/* Whether the id is in use; in the form that tg_handles_add wants. */
bool tg_registry_has(void *registry, uint64_t id);

/* Around fork(), in handlers of pthread_atfork: between the two no other thread is inside the registry. In the child no
 * tape is being read: the threads that swept over it are the parent's. */
void tg_registry_before_fork(tg_registry *registry);
void tg_registry_after_fork(tg_registry *registry, bool in_child);

#endif
