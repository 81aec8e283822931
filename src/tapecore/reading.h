/* reading.h: reading a tape while other threads record on it, where no interpreter lock keeps them apart (guard.h).
 *
 * Nothing here waits: whoever may not begin asks again, after what its program needs while it waits (Ctrl-C).
 * With an interpreter lock, which the binding then uses instead, there is nothing to do.
 */
#ifndef TG_READING_H
#define TG_READING_H

#include "registry.h"

typedef enum tg_reading {
    TG_READING_NOT,    /* it has not begun */
    TG_READING_SHARED, /* the tape may grow meanwhile, and others may read it */
    TG_READING_ALONE,  /* nobody else reads the tape, so that what it has recorded may be let go */
    TG_READING_WITHIN, /* this thread has the tape for itself already */
} tg_reading;

#ifdef TG_FREE_THREADED

/* NOT: another thread has the tape for itself. */
tg_reading tg_reading_begin(tg_tape *tape);

/* NOT: somebody is reading the tape. */
tg_reading tg_reading_begin_alone(tg_tape *tape);

/* What the beginning has returned is given back; NOT and WITHIN: nothing happens. */
void tg_reading_end(tg_tape *tape, tg_reading reading);

/* Forgets everything recorded; the tape goes on in the registry under a new id, or (not `renew`) outside under none.
 * False, and nothing happens: somebody is reading it. */
bool tg_reading_forget(tg_tape *tape, tg_registry *registry, bool renew);

/* Whether the slot of tape `id` is that of a watched value; false if the id is not in use. */
bool tg_reading_is_leaf(tg_registry *registry, uint64_t id, uint32_t slot);

#else

static inline tg_reading tg_reading_begin(tg_tape *tape) {
    (void)tape;
    return TG_READING_WITHIN;
}
static inline tg_reading tg_reading_begin_alone(tg_tape *tape) {
    (void)tape;
    return TG_READING_WITHIN;
}
static inline void tg_reading_end(tg_tape *tape, tg_reading reading) { (void)tape, (void)reading; }
static inline bool tg_reading_forget(tg_tape *tape, tg_registry *registry, bool renew) {
    (void)tape, (void)registry, (void)renew;
    return true;
}
static inline bool tg_reading_is_leaf(tg_registry *registry, uint64_t id, uint32_t slot) {
    const tg_tape *tape = tg_registry_find(registry, id);
    return tape && tape->owner && tg_tape_node(tape, slot)->kind == TG_NODE_LEAF;
}

#endif

#endif
