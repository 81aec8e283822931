/* push.h: the forward push over a window of a tape: tangents of sources become tangents of what was computed from them.
 *
 *   begin   one state byte and one tangent cell for each slot from the first source on
 *   seed    tangents of the sources
 *   prune   optional: which slots do the targets need? Others are skipped, and tangents are let go after their last use
 *   run     forwards over the nodes up to a slot; it can go on from there as the tape grows
 *   mark    instead of running over all: just those nodes that one target needs and that have not been visited yet
 *   peek    the targets' tangents
 *
 * Every rule is the transpose of what the reverse sweep does with the same node: an elementwise node multiplies by the
 * same partials, a structural one is applied to the tangent as it is. With a batch, tangents have one more axis in
 * front, and one push carries many directions (batch.h). Nodes whose rule is not native are the hooks' business.
 *
 * Elementwise nodes with long tangents go to a relay (relay.h), which is done with its work whenever a function below
 * returns.
 *
 * The cell of a native number holds the number (not with a batch); every other cell holds an array.
 */
#ifndef TG_PUSH_H
#define TG_PUSH_H

#include "batch.h"
#include "sweep.h"

enum {
    TG_STATE_TANGENT = 1, /* the slot has a tangent; without one it is zero */
    TG_STATE_NEEDED = 2,  /* a target depends on the slot, or is it */
    TG_STATE_VISITED = 4, /* on a node's first slot: its outputs have their tangents */
    TG_STATE_PENDING = 8, /* the tangent is still to be computed, by the relay */
};

struct tg_push;
struct tg_relay;

/* What the core cannot do alone. Each function takes the interpreter lock itself. */
typedef struct tg_push_hooks {
    void *context;
    /* Gives the outputs of a generic or external node their tangents with tg_push_set. */
    tg_status (*rule)(void *context, struct tg_push *push, tg_node *node);
    /* Called now and then: TG_OK to go on. */
    tg_status (*poll)(void *context);
} tg_push_hooks;

typedef struct tg_push {
    tg_tape *tape; /* borrowed */
    const tg_loops *loops;
    tg_push_hooks hooks;
    tg_workspace workspace;
    tg_index batch;  /* directions at once; 0: one, and no axis for it */
    uint32_t low;    /* the first slot with a cell */
    uint32_t next;   /* the first slot whose node tg_push_run has not come to */
    uint32_t room;   /* cells */
    tg_cell *cells;  /* of slot low + i; owned */
    uint8_t *states; /* likewise, in the same block */
    size_t block_bytes;
    uint32_t *last_use; /* after prune: the slot of the last node that reads the tangent of slot low + i; owned */
    size_t last_use_bytes;
    tg_index worked; /* since the last look at the poll function */
    struct tg_relay *relay; /* long elementwise tangents on their way (relay.h); owned, NULL before there are any */
} tg_push;

/* Prepares a push over slots from `low` on; nothing can fail yet. */
void tg_push_begin(tg_push *push, tg_tape *tape, const tg_loops *loops, const tg_push_hooks *hooks, tg_index batch,
                   uint32_t low);

/* Frees everything the push holds. */
void tg_push_end(tg_push *push);

/* Makes room for cells of the slots below `end`; new ones are empty. */
tg_status tg_push_reserve(tg_push *push, uint32_t end);

/* Makes `tangent` that of the slot; it has the slot's shape (with a batch: behind the batch axis) and type. Its
 * reference moves to the push, also on failure. */
tg_status tg_push_set(tg_push *push, uint32_t slot, tg_value *tangent);

/* Restricts the push to what the targets depend on. They are slots from `low` on; their tangents are kept. */
tg_status tg_push_prune(tg_push *push, size_t targets_count, const uint32_t *targets);

/* Visits every node with a slot below `end` that has not been visited. */
tg_status tg_push_run(tg_push *push, uint32_t end);

/* Marks as needed what `target`, a slot from `low` on, depends on and has not been visited. *first, out: where the
 * first of these nodes begins, or a slot behind the target if there is none. Not together with tg_push_prune. */
tg_status tg_push_mark(tg_push *push, uint32_t target, uint32_t *first);

/* Visits the nodes marked as needed from slot `first` to `target`. After a failure none of the rest is marked. */
tg_status tg_push_run_marked(tg_push *push, uint32_t first, uint32_t target);

/* For those who visit nodes themselves: the state of the node with this first slot. */
static inline bool tg_push_is_due(const tg_push *push, uint32_t slot, bool marked_only) {
    const uint8_t state = push->states[slot - push->low];
    return !(state & TG_STATE_VISITED) && (!marked_only || state & TG_STATE_NEEDED);
}
static inline void tg_push_done(tg_push *push, uint32_t slot) { push->states[slot - push->low] |= TG_STATE_VISITED; }

/* The tangent of a slot: *out borrowed. False: it is zero, or the slot has not been reached. */
bool tg_push_peek(const tg_push *push, uint32_t slot, tg_value *out);

#endif
