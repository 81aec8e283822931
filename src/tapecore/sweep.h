/* sweep.h: the reverse sweep over a window of a tape.
 *
 *   begin   slots [low, high) from the first source to the last target; one state byte and one adjoint cell each.
 *           Forwards: which slots does a source influence (skipped where every leaf is a source)?
 *   seed    cotangents of the targets
 *   run     backwards over the nodes on a path between target and source; each node's cotangent is complete when the
 *           sweep arrives, is passed on to the operands, and freed
 *   take    the sources' adjoints
 *
 * Two algebras use one schedule: tg_sweep_run works on buffers with native kernels, needs no interpreter lock and
 * asks `hooks` for nodes whose rule is not native; a sweep that is itself recorded walks with tg_sweep_next and keeps
 * its own objects in the cells.
 *
 * The cell of a native number holds the number (zero until something arrives, which is also the right value then);
 * every other cell holds an array, NULL meaning zero. With a batch every adjoint has one more axis in front, one sweep
 * carries that many cotangents (batch.h), and every cell holds an array.
 */
#ifndef TG_SWEEP_H
#define TG_SWEEP_H

#include "batch.h"
#include "tape.h"

/* How much work may pass between two looks at the poll function: about ten milliseconds. */
#define TG_ELEMENTS_PER_POLL (1 << 22)
#define TG_ELEMENTS_PER_NODE 64 /* what a node costs beyond its elements */

typedef union tg_cell {
    double f64;
    float f32;
    tg_array *array; /* owned */
    void *object;    /* recorded sweeps: whatever the binding keeps there */
    uint32_t leg;    /* of a pending tangent: its number in the relay (relay.h) */
} tg_cell;

enum {
    TG_STATE_ACTIVE = 1,  /* a source influences this slot */
    TG_STATE_SOURCE = 2,  /* its adjoint is wanted at the end */
    TG_STATE_REACHED = 4, /* a target depends on this slot */
};

struct tg_sweep;

/* What the core cannot do alone. Each function takes the interpreter lock itself. */
typedef struct tg_sweep_hooks {
    void *context;
    /* Passes the cotangents of a generic or external node on to its operands with tg_sweep_add; also those of a TAKE
     * whose rows are to be listed (structural.h). */
    tg_status (*rule)(void *context, struct tg_sweep *sweep, tg_node *node);
    /* *out: a + b for an element type without native kernels; owned by the caller. */
    tg_status (*add)(void *context, const tg_value *a, const tg_value *b, tg_value *out);
    /* Called now and then: TG_OK to go on. */
    tg_status (*poll)(void *context);
} tg_sweep_hooks;

typedef struct tg_sweep {
    tg_tape *tape; /* borrowed */
    const tg_loops *loops;
    tg_sweep_hooks hooks;
    tg_workspace workspace;
    tg_index batch; /* cotangents at once; 0: one, and no axis for it */
    uint32_t low, high;
    tg_cell *cells;  /* of slot low + i; owned */
    uint8_t *states; /* likewise, in the same block */
    size_t block_bytes;
    size_t cursor; /* where in the arena the node last visited begins: a recorded sweep may make the arena move */
    tg_index worked; /* since the last look at the poll function: see tg_sweep_worked */
    bool started, done;
    bool consume; /* saved values are released as soon as the sweep has passed them */
} tg_sweep;

/* Prepares a sweep. `sources` and `targets` are slots of the tape; sources may repeat. */
tg_status tg_sweep_begin(tg_sweep *sweep, tg_tape *tape, const tg_loops *loops, const tg_sweep_hooks *hooks,
                         size_t sources_count, const uint32_t *sources, size_t targets_count,
                         const uint32_t *targets, tg_index batch, bool consume);

/* True if the adjoint of such an output is kept as a number. */
static inline bool tg_sweep_holds_number(const tg_sweep *sweep, tg_output output) {
    return !sweep->batch && tg_holds_number(output.dtype, output.ndim);
}

/* Frees everything the sweep holds (not the objects of a recorded one). */
void tg_sweep_end(tg_sweep *sweep);

/* True if a source influences the slot. */
bool tg_sweep_is_active(const tg_sweep *sweep, uint32_t slot);

/* True if a target depends on the slot; after the run, for sources: whether there is a gradient at all. */
bool tg_sweep_is_reached(const tg_sweep *sweep, uint32_t slot);

static inline tg_cell *tg_sweep_cell(const tg_sweep *sweep, uint32_t slot) {
    return &sweep->cells[slot - sweep->low];
}
/* True if a cotangent can go to this slot, which is TG_NO_SLOT or below sweep->high. */
static inline bool tg_sweep_wants(const tg_sweep *sweep, uint32_t slot) {
    return slot != TG_NO_SLOT && slot >= sweep->low && (sweep->states[slot - sweep->low] & TG_STATE_ACTIVE);
}
static inline void tg_sweep_reach(const tg_sweep *sweep, uint32_t slot) {
    sweep->states[slot - sweep->low] |= TG_STATE_REACHED;
}

/* Adds a cotangent to an active slot's adjoint: un-broadcast to its shape, converted to its type. The contribution's
 * reference moves to the sweep, also on failure. */
tg_status tg_sweep_add(tg_sweep *sweep, uint32_t slot, tg_value *contribution);

/* A cotangent of ones for an active slot; not with a batch. */
tg_status tg_sweep_add_ones(tg_sweep *sweep, uint32_t slot);

/* The adjoint of a slot as it stands: *out borrowed. False: nothing has arrived (only for cells that hold arrays). */
bool tg_sweep_peek(const tg_sweep *sweep, uint32_t slot, tg_value *out);

/* The same for a source after the run, with the reference moved to the caller. A slot that was reached only by
 * symbolic zeros gives false. */
bool tg_sweep_take(tg_sweep *sweep, uint32_t slot, tg_value *out);

/* The next node, backwards, that lies between target and source; NULL at the end. Valid until the tape records. */
tg_node *tg_sweep_next(tg_sweep *sweep);

/* The whole native sweep. */
tg_status tg_sweep_run(tg_sweep *sweep);

/* Called by whoever works for the sweep, with the number of elements computed: asks the poll function now and then. */
tg_status tg_sweep_worked(tg_sweep *sweep, tg_index elements);

#endif
