/* structural_examples.h: random uses of every structural operation, with shapes and layouts of all kinds. */
#ifndef STRUCTURAL_EXAMPLES_H
#define STRUCTURAL_EXAMPLES_H

#include "lab.h"
#include "structural.h"

#define MOST_OPERANDS 3

/* One random use of an operation. */
typedef struct example {
    tg_call call;
    tg_index params[3 * TG_MAX_DIMS];
    int count;
    tensor operands[MOST_OPERANDS];
    int linear[MOST_OPERANDS]; /* the operands that have a cotangent; ended by -1 */
} example; /* `call.params` must be set to `params` where the example stays */

static inline void random_shape(lab *l, int least, int most, int *ndim, tg_index *shape) {
    *ndim = least + lab_below(l, most - least + 1);
    for (int d = 0; d < *ndim; d++) shape[d] = lab_below(l, 12) == 0 ? 0 : 1 + lab_below(l, 5);
}

static inline tensor random_operand(lab *l, int dtype, int ndim, const tg_index *shape) {
    return lab_random_as(l, dtype, ndim, shape, lab_below(l, LAB_LAYOUTS));
}

static inline void random_mask_shape(lab *l, int ndim, const tg_index *shape, uint64_t *mask, int *small_ndim,
                                     tg_index *small) {
    const int form = lab_below(l, 3); /* masked axes dropped, kept, or the leading ones dropped */
    *mask = 0;
    for (int d = 0; d < ndim; d++) *mask |= (uint64_t)lab_below(l, 2) << d;
    *small_ndim = 0;
    bool leading = true;
    for (int d = 0; d < ndim; d++) {
        const bool masked = *mask >> d & 1;
        leading = leading && masked;
        if (form == 0 ? masked : form == 2 && leading) continue;
        small[(*small_ndim)++] = masked ? 1 : shape[d];
    }
}

static inline tensor random_indices(lab *l, tg_index length) {
    int ndim;
    tg_index shape[2];
    random_shape(l, length == 0, 2, &ndim, shape);
    for (int d = 0; d < ndim && length == 0; d++) shape[d] = 0; /* nothing to choose from */
    tensor indices = lab_empty(l, TG_I64, ndim, shape, LAB_PLAIN);
    if (!indices.value.array) lab_put(TG_I64, &indices.value.scalar, lab_below(l, (int)length));
    for (tg_index i = 0; indices.value.array && i < indices.value.array->size; i++) {
        lab_put(TG_I64, lab_element(indices.value.array, i), lab_below(l, (int)length));
    }
    return indices;
}

/* The region of a slice of this shape. The sliced shape drops some axes of one element and adds others. */
static inline void random_region(lab *l, example *e, int ndim, const tg_index *shape, int *sliced_ndim,
                                 tg_index *sliced) {
    *sliced_ndim = 0;
    for (int d = 0; d < ndim; d++) {
        tg_index pace = 1 + lab_below(l, 3), count = shape[d] ? lab_below(l, (int)shape[d] + 1) : 0;
        if (shape[d] && lab_below(l, 3) == 0) count = 1;
        while (count && (count - 1) * pace >= shape[d]) pace--;
        tg_index span = count ? (count - 1) * pace : 0, start = count ? lab_below(l, (int)(shape[d] - span)) : 0;
        const bool backwards = lab_below(l, 2);
        e->params[3 * d] = backwards ? start + span : start;
        e->params[3 * d + 1] = backwards ? -pace : pace;
        e->params[3 * d + 2] = count;
        if (count != 1 || lab_below(l, 2)) sliced[(*sliced_ndim)++] = count;
        if (lab_below(l, 5) == 0) sliced[(*sliced_ndim)++] = 1;
    }
    e->call.params_count = 3 * ndim;
}

static inline void set_shape(tg_call *call, int ndim, const tg_index *shape) {
    call->ndim = ndim;
    if (ndim) memcpy(call->shape, shape, (size_t)ndim * sizeof *shape);
}

static inline void make_reshape(lab *l, example *e, int ndim, const tg_index *shape) {
    /* Every size is split in two, or left; then ones are added. */
    int to = 0;
    for (int d = 0; d < ndim; d++) {
        tg_index part = shape[d] % 2 == 0 && shape[d] && lab_below(l, 2) ? 2 : 1;
        if (part > 1 || lab_below(l, 3) == 0) e->call.shape[to++] = part;
        e->call.shape[to++] = shape[d] / part;
    }
    e->call.ndim = to;
}

static inline void make_matmul(lab *l, example *e, int dtype) {
    int stacked;
    tg_index stack[2], shapes[2][4], sizes[3];
    random_shape(l, 0, 2, &stacked, stack);
    for (int i = 0; i < 3; i++) sizes[i] = lab_below(l, 12) == 0 ? 0 : 1 + lab_below(l, 5);
    e->params[0] = lab_below(l, 4);
    e->call.params_count = 1;
    for (int i = 0; i < 2; i++) {
        const int skipped = i == 0 ? 0 : lab_below(l, stacked + 1), ndim = stacked - skipped + 2;
        for (int d = skipped; d < stacked; d++) shapes[i][d - skipped] = i == 1 && lab_below(l, 3) == 0 ? 1 : stack[d];
        const bool swapped = e->params[0] >> i & 1;
        shapes[i][ndim - 2 + swapped] = sizes[i];
        shapes[i][ndim - 1 - swapped] = sizes[i + 1];
        e->operands[i] = random_operand(l, dtype, ndim, shapes[i]);
    }
    set_shape(&e->call, stacked, stack);
    e->call.shape[e->call.ndim++] = sizes[0];
    e->call.shape[e->call.ndim++] = sizes[2];
    e->count = 2;
    e->linear[1] = 1;
}

static inline void make_indexed(lab *l, example *e, int dtype, int op) {
    int ndim;
    tg_index shape[TG_MAX_DIMS], chosen[TG_MAX_DIMS];
    random_shape(l, 1, 3, &ndim, shape);
    const int axis = lab_below(l, ndim);
    tensor indices = random_indices(l, shape[axis]);
    const int more = tg_value_ndim(&indices.value);
    int to = 0;
    for (int d = 0; d < ndim; d++) {
        if (d != axis) chosen[to++] = shape[d];
        for (int i = 0; d == axis && i < more; i++) chosen[to++] = tg_value_shape(&indices.value)[i];
    }
    const bool take = op == TG_TAKE;
    e->operands[0] = take ? random_operand(l, dtype, ndim, shape) : random_operand(l, dtype, to, chosen);
    e->operands[1] = indices;
    set_shape(&e->call, take ? to : ndim, take ? chosen : shape);
    e->params[0] = axis;
    e->call.params_count = 1;
    e->count = 2;
}

static inline void make_joined(lab *l, example *e, int dtype, int ndim, tg_index *shape) {
    const int axis = lab_below(l, ndim);
    e->count = 1 + lab_below(l, MOST_OPERANDS);
    e->params[0] = axis;
    for (int k = 0; k < e->count; k++) {
        shape[axis] = lab_below(l, 4);
        e->operands[k] = random_operand(l, dtype, ndim, shape);
        e->params[2 + k] = e->params[1 + k] + shape[axis];
        e->linear[k] = k;
    }
    e->call.params_count = 2 + e->count;
    shape[axis] = e->params[1 + e->count];
    set_shape(&e->call, ndim, shape);
}

static inline tensor random_condition(lab *l, int ndim, const tg_index *shape) {
    tg_index own[TG_MAX_DIMS];
    const int skipped = lab_below(l, ndim + 1);
    for (int d = skipped; d < ndim; d++) own[d - skipped] = lab_below(l, 3) == 0 ? 1 : shape[d];
    tensor condition = random_operand(l, TG_BOOL, ndim - skipped, own);
    if (!condition.value.array) condition.value.scalar.b = lab_below(l, 2);
    for (tg_index i = 0; condition.value.array && i < condition.value.array->size; i++) {
        lab_put(TG_BOOL, lab_element(condition.value.array, i), lab_below(l, 2));
    }
    return condition;
}

static inline example make_example(lab *l, int op, int dtype) {
    example e = {.call = {.op = op, .dtype = dtype}, .count = 1, .linear = {0, -1, -1}};
    int ndim, small_ndim;
    tg_index shape[TG_MAX_DIMS], small[TG_MAX_DIMS];
    uint64_t mask;
    random_shape(l, op == TG_CONCATENATE, 4, &ndim, shape);
    set_shape(&e.call, ndim, shape);
    switch (op) {
    case TG_RESHAPE: make_reshape(l, &e, ndim, shape); break;
    case TG_PERMUTE:
        for (int d = 0; d < ndim; d++) e.params[d] = d;
        for (int d = ndim - 1; d > 0; d--) {
            const int other = lab_below(l, d + 1);
            const tg_index kept = e.params[d];
            e.params[d] = e.params[other];
            e.params[other] = kept;
        }
        for (int d = 0; d < ndim; d++) e.call.shape[d] = shape[e.params[d]];
        e.call.params_count = ndim;
        break;
    case TG_SLICE:
        random_region(l, &e, ndim, shape, &small_ndim, small);
        set_shape(&e.call, small_ndim, small);
        break;
    case TG_UNSLICE:
        random_region(l, &e, ndim, shape, &small_ndim, small);
        e.operands[0] = random_operand(l, dtype, small_ndim, small);
        return e;
    case TG_SUM:
    case TG_EXPAND:
        random_mask_shape(l, ndim, shape, &mask, &small_ndim, small);
        e.params[0] = (tg_index)mask;
        e.call.params_count = 1;
        if (op == TG_SUM) {
            set_shape(&e.call, small_ndim, small);
            break;
        }
        e.operands[0] = random_operand(l, dtype, small_ndim, small);
        return e;
    case TG_CAST: e.call.dtype = lab_below(l, 2) ? TG_F32 : TG_F64; break;
    case TG_CONCATENATE: make_joined(l, &e, dtype, ndim, shape); return e;
    case TG_SELECT:
        e.operands[0] = random_condition(l, ndim, shape);
        e.operands[1] = random_operand(l, dtype, ndim, shape);
        e.operands[2] = lab_below(l, 2) ? random_operand(l, dtype, ndim, shape) : random_operand(l, dtype, 0, NULL);
        e.count = 3;
        e.linear[0] = 1;
        e.linear[1] = 2;
        return e;
    case TG_MASK:
        e.operands[1] = random_condition(l, ndim, shape);
        e.params[0] = lab_below(l, 2);
        e.call.params_count = 1;
        e.count = 2;
        break;
    case TG_TAKE:
    case TG_SCATTER_ADD: make_indexed(l, &e, dtype, op); return e;
    default: make_matmul(l, &e, dtype); return e;
    }
    e.operands[0] = random_operand(l, dtype, ndim, shape);
    return e;
}

#endif
