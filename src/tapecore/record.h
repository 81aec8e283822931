/* record.h: the shortest ways onto a tape, for what nearly every operation is: one native type, one tape recording on
 * the thread, and no operand that another tape knows. Everything else takes tg_tape_record.
 */
#ifndef TG_RECORD_H
#define TG_RECORD_H

#include "structural.h"
#include "tape.h"

typedef enum tg_quick {
    TG_QUICK_NOTHING,  /* the tape knows no differentiable operand: nothing to record */
    TG_QUICK_RECORDED,
    TG_QUICK_GENERAL,  /* several tapes, or no room: take the general way, which also reports errors */
} tg_quick;

/* The slot of a value that at most this tape knows; false if another tape may know it. handles NULL: a constant. */
static inline bool tg_quick_slot(const tg_handles *handles, uint64_t id, uint32_t *slot) {
    *slot = TG_NO_SLOT;
    if (!handles) return true;
    if (TG_READ(handles->id[1]) || TG_READ(handles->more)) return false;
    const uint64_t first = TG_READ(handles->id[0]);
    if (first == id) {
        *slot = TG_READ(handles->slot[0]);
        return true;
    }
    return first == 0;
}

static inline bool tg_quick_room(const tg_tape *tape, size_t words) {
    return tape->used + words <= tape->capacity && tape->slots < tape->slot_capacity &&
           (TG_WITHOUT_INTERPRETER_LOCK || !tape->readers);
}

/* op on numbers by their slots on the tape (TG_NO_SLOT: a constant); x and y are their words (y is not read for one
 * operand). *out_slot, out. Straight-line code: this is what a recorded scalar operation costs beyond its
 * arithmetic. */
static inline tg_quick tg_record_slots(tg_tape *tape, int op, int dtype, bool binary, uint32_t x_slot, uint64_t x,
                                       uint32_t y_slot, uint64_t y, uint64_t out, uint32_t *out_slot) {
    const tg_op_info *info = &tg_op_table[op];
    if (!info->partial[0]) x_slot = TG_NO_SLOT;
    if (!info->partial[1]) y_slot = TG_NO_SLOT;
    if ((x_slot & y_slot) == TG_NO_SLOT) return TG_QUICK_NOTHING;
    const unsigned needs =
        (x_slot == TG_NO_SLOT ? 0u : info->needs[0]) | (y_slot == TG_NO_SLOT ? 0u : info->needs[1]);
    if (!tg_quick_room(tape, sizeof(tg_node) / 8 + 4)) return TG_QUICK_GENERAL;

    tg_node *node = (tg_node *)(tape->arena + tape->used);
    node->in[0] = x_slot;
    node->in[1] = y_slot;
    uint64_t *saved = (uint64_t *)(node + 1) + 1;
    if (needs & 1) *saved++ = x;
    if (needs & 2) *saved++ = y;
    if (needs & TG_NEEDS_OUT) *saved++ = out;
    tg_node_describe(node, op, TG_NODE_ELEMENTWISE, dtype, 0, 0, needs, 0, binary ? 2 : 1);
    *out_slot = tape->slots;
    tg_tape_commit(tape, node, (uint32_t)(saved - (uint64_t *)node), 1);
    return TG_QUICK_RECORDED;
}

/* The same for values with handles; the tape is held. */
static inline tg_quick tg_record_number_held(tg_tape *tape, int op, int dtype, bool binary,
                                             const tg_handles *x_handles, uint64_t x, const tg_handles *y_handles,
                                             uint64_t y, uint64_t out, tg_handles *out_handles) {
    uint32_t x_slot, y_slot = TG_NO_SLOT;
    if (!tg_quick_slot(x_handles, tape->id, &x_slot)) return TG_QUICK_GENERAL;
    if (binary && !tg_quick_slot(y_handles, tape->id, &y_slot)) return TG_QUICK_GENERAL;
    const tg_quick done =
        tg_record_slots(tape, op, dtype, binary, x_slot, x, y_slot, y, out, &out_handles->slot[0]);
    if (done == TG_QUICK_RECORDED) out_handles->id[0] = tape->id;
    return done;
}

/* The functions below take the tape themselves (guard.h). */

static inline tg_quick tg_record_number(tg_tape *tape, int op, int dtype, bool binary, const tg_handles *x_handles,
                                        uint64_t x, const tg_handles *y_handles, uint64_t y, uint64_t out,
                                        tg_handles *out_handles) {
    tg_tape_take(tape);
    const tg_quick done =
        tg_record_number_held(tape, op, dtype, binary, x_handles, x, y_handles, y, out, out_handles);
    tg_tape_give(tape);
    return done;
}

/* op on arrays, perhaps with numbers among them. */
tg_quick tg_record_array(tg_tape *tape, int op, int operands, const tg_handles *const *handles, const tg_value *values,
                         const tg_value *out, tg_handles *out_handles);

/* A structural operation that saves nothing (tg_structural_needs); handles[k] belong to operand k. */
tg_quick tg_record_move(tg_tape *tape, const tg_call *call, uint32_t operands, const tg_handles *const *handles,
                        tg_handles *out_handles);

#endif
