/* push.h: the forward push over a window of a tape: tangents of sources become tangents of what was computed from them.
 *
 *   begin   one state byte and one tangent cell for each slot from the first source on
 *   seed    tangents of the sources
 *   prune   optional: which slots do the targets need? Others are skipped, and tangents are let go after their last use
 *   run     forwards over the nodes up to a slot; it can go on from there as the tape grows
 *   take    the targets' tangents
 *
 * Every rule is the transpose of what the reverse sweep does with the same node: an elementwise node multiplies by the
 * same partials, a structural one is applied to the tangent as it is. With a batch, tangents have one more axis in
 * front, and one push carries many directions (batch.h). Nodes whose rule is not native are the hooks' business.
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
};

struct tg_push;

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
    uint32_t next;   /* the first slot whose node has not been visited */
    uint32_t room;   /* cells */
    tg_cell *cells;  /* of slot low + i; owned */
    uint8_t *states; /* likewise, in the same block */
    size_t block_bytes;
    uint32_t *last_use; /* after prune: the slot of the last node that reads the tangent of slot low + i; owned */
    size_t last_use_bytes;
    tg_index worked; /* since the last look at the poll function */
} tg_push;

/* Prepares a push over slots from `low` on; nothing can fail yet. */
void tg_push_begin(tg_push *push, tg_tape *tape, const tg_loops *loops, const tg_push_hooks *hooks, tg_index batch,
                   uint32_t low);

/* Frees everything the push holds. */
void tg_push_end(tg_push *push);

/* Makes `tangent` that of the slot; it has the slot's shape (with a batch: behind the batch axis) and type. Its reference
 * moves to the push, also on failure. */
tg_status tg_push_set(tg_push *push, uint32_t slot, tg_value *tangent);

/* Restricts the push to what the targets depend on. They are slots from `low` on; their tangents are kept. */
tg_status tg_push_prune(tg_push *push, size_t targets_count, const uint32_t *targets);

/* Visits every node with a slot below `end`. */
tg_status tg_push_run(tg_push *push, uint32_t end);

/* The tangent of a slot: *out borrowed. False: it is zero, or the slot has not been reached. */
bool tg_push_peek(const tg_push *push, uint32_t slot, tg_value *out);

#endif
