/* record.c: the short way onto the tape for arrays. */
#include "record.h"

#include <string.h>

/* With `operands` known to the compiler its loops are straight-line code. */
static inline __attribute__((always_inline)) tg_quick record(tg_tape *tape, int op, const int operands,
                                                             const tg_handles *const *handles,
                                                             const tg_value *values, const tg_value *out,
                                                             tg_handles *out_handles) {
    const tg_op_info *info = &tg_op_table[op];
    const tg_array *result = out->array;
    const int ndim = result->ndim;
    const size_t in_words = tg_node_in_words((uint32_t)operands);
    if (!tg_quick_room(tape, sizeof(tg_node) / 8 + in_words + (size_t)ndim + TG_MAX_OPERANDS + 1)) {
        return TG_QUICK_GENERAL;
    }
    tg_node *node = (tg_node *)(tape->arena + tape->used); /* filled before it counts */
    /* An operand of the result's rank and size was not broadcast: the shapes agree, unless there are no elements. */
    unsigned needs = 0, flags = result->size ? TG_FLAG_PLAIN : 0;
    bool tracked = false;
    for (int k = 0; k < operands; k++) {
        uint32_t slot;
        if (!tg_quick_slot(handles[k], tape->id, &slot)) return TG_QUICK_GENERAL;
        if (!info->partial[k]) slot = TG_NO_SLOT;
        node->in[k] = slot;
        if (slot != TG_NO_SLOT) {
            tracked = true;
            needs |= info->needs[k];
        }
        const tg_array *array = values[k].array;
        if (!array) {
            flags |= (unsigned)TG_FLAG_NUMBER << k;
        } else if (array->size != result->size || array->ndim != ndim || !array->contiguous) {
            flags &= ~(unsigned)TG_FLAG_PLAIN;
        }
    }
    if (!tracked) return TG_QUICK_NOTHING;
    if (operands & 1) node->in[operands] = TG_NO_SLOT;
    tg_index *shape = (tg_index *)((uint64_t *)(node + 1) + in_words);
    for (int d = 0; d < ndim; d++) shape[d] = result->dims[d];
    uint64_t *saved = (uint64_t *)(shape + ndim);
    unsigned arrays = 0;
    for (unsigned mask = needs; mask; mask &= mask - 1) {
        int bit = __builtin_ctz(mask);
        const tg_value *value = bit == TG_MAX_OPERANDS ? out : &values[bit];
        if (value->array) {
            tg_array_retain(value->array);
            *saved++ = (uint64_t)(uintptr_t)value->array;
            arrays |= 1u << bit;
        } else {
            *saved++ = value->scalar.u64;
        }
    }
    tg_node_describe(node, op, TG_NODE_ELEMENTWISE, out->dtype, ndim, flags & TG_FLAG_PLAIN ? flags : 0, needs, arrays,
                     (uint32_t)operands);
    out_handles->id[0] = tape->id;
    out_handles->slot[0] = tape->slots;
    tg_tape_commit(tape, node, (uint32_t)(saved - (uint64_t *)node), 1);
    tape->wide++;
    tape->owning += arrays != 0;
    tape->work += result->size;
    return TG_QUICK_RECORDED;
}

tg_quick tg_record_array(tg_tape *tape, int op, int operands, const tg_handles *const *handles,
                         const tg_value *values, const tg_value *out, tg_handles *out_handles) {
    tg_quick done;
    tg_tape_take(tape);
    switch (operands) {
    case 1: done = record(tape, op, 1, handles, values, out, out_handles); break;
    case 2: done = record(tape, op, 2, handles, values, out, out_handles); break;
    default: done = record(tape, op, operands, handles, values, out, out_handles);
    }
    tg_tape_give(tape);
    return done;
}

static inline tg_quick record_move(tg_tape *tape, const tg_call *call, uint32_t operands,
                                   const tg_handles *const *handles, tg_handles *out_handles) {
    const size_t in_words = tg_node_in_words(operands), ndim = (size_t)call->ndim, params = (size_t)call->params_count;
    const size_t words = sizeof(tg_node) / 8 + in_words + ndim + 1 + params;
    if (!tg_quick_room(tape, words)) return TG_QUICK_GENERAL;
    tg_node *node = (tg_node *)(tape->arena + tape->used); /* filled before it counts */
    bool tracked = false;
    for (uint32_t k = 0; k < operands; k++) {
        if (!tg_quick_slot(handles[k], tape->id, &node->in[k])) return TG_QUICK_GENERAL;
        tracked |= node->in[k] != TG_NO_SLOT;
    }
    if (!tracked) return TG_QUICK_NOTHING;
    if (operands & 1) node->in[operands] = TG_NO_SLOT;
    tg_index *at = (tg_index *)((uint64_t *)(node + 1) + in_words), size = 1;
    for (size_t d = 0; d < ndim; d++) {
        *at++ = call->shape[d];
        size *= call->shape[d];
    }
    *at++ = call->params_count;
    for (size_t i = 0; i < params; i++) *at++ = call->params[i];
    tg_node_describe(node, call->op, TG_NODE_STRUCTURAL, call->dtype, call->ndim, 0, 0, 0, operands);
    out_handles->id[0] = tape->id;
    out_handles->slot[0] = tape->slots;
    tg_tape_commit(tape, node, (uint32_t)words, 1);
    tape->wide += !tg_holds_number(call->dtype, call->ndim);
    tape->work += size;
    return TG_QUICK_RECORDED;
}

tg_quick tg_record_move(tg_tape *tape, const tg_call *call, uint32_t operands, const tg_handles *const *handles,
                        tg_handles *out_handles) {
    tg_tape_take(tape);
    const tg_quick done = record_move(tape, call, operands, handles, out_handles);
    tg_tape_give(tape);
    return done;
}
