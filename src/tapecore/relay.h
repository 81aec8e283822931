/* relay.h: a run of elementwise nodes through which tangents are pushed block by block instead of node by node.
 *
 * Walking forwards, the push hands nodes with long tangents to its relay, which only notes them: the tangents of their
 * outputs are pending. They are elementwise, or take elements along the last axis. When something else needs one of these, or the relay is full, it runs: for each
 * block of TG_BLOCK elements, and there for each direction of a batch, all its nodes are passed. So the tangents between
 * them stay in the processor's caches, and only those that are needed later are written to memory.
 *
 *   leg    a node of the relay: its output's tangent is the sum of its terms
 *   term   one operand's tangent, an array or the result of an earlier leg, times a partial
 *
 * The outputs of a relay have one shape. Operands and saved values may be broadcast to it as long as its rows (the last
 * axis) are long; with short rows they must be contiguous, and are then taken as one row.
 */
#ifndef TG_RELAY_H
#define TG_RELAY_H

#include "push.h"

#define TG_RELAY_LEGS 16
#define TG_RELAY_DIMS 8

typedef struct tg_term {
    uint8_t k;        /* of the operand */
    int8_t leg;       /* whose result the tangent is, or -1 */
    tg_value tangent; /* if it is none's; owned */
} tg_term;

typedef struct tg_leg {
    uint32_t slot;
    bool takes; /* a TAKE, whose one term's tangent has another shape; its partial is the choice of elements */
    int terms;
    tg_term term[TG_MAX_OPERANDS];
} tg_leg;

typedef struct tg_relay {
    size_t block_bytes; /* of this struct's memory */
    int legs;
    int dtype, ndim;
    tg_index size; /* elements of each output, without the batch */
    tg_index shape[TG_RELAY_DIMS];
    bool flat; /* everything is contiguous or a number: one row */
    tg_leg leg[TG_RELAY_LEGS];
} tg_relay;

/* How an array, which has a batch axis in front or not, steps through the relay's shape: bytes along each axis, 0 where
 * it is broadcast. strides, out: one for each of the relay's axes. */
void tg_relay_align(const tg_relay *relay, const tg_array *array, bool batched, tg_index *strides);

/* Notes an elementwise node or a TAKE, of a native type, if that pays; runs what was noted before if that is in the way. *added,
 * out: false if the node is to be visited by itself. */
tg_status tg_relay_add(tg_push *push, const tg_node *node, bool *added);

/* Runs the relay if a tangent that the node reads is pending. */
tg_status tg_relay_settle(tg_push *push, const tg_node *node);

/* Computes the pending tangents, if there are any. If that fails they are undone. */
tg_status tg_relay_run(tg_push *push);

/* The nodes noted count as not visited, and what they read is there again: the push can begin anew with them. */
void tg_relay_undo(tg_push *push);

/* Forgets what was noted and frees the relay. */
void tg_relay_end(tg_push *push);

#endif
