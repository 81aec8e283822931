/* lab.h: recording and sweeping without Python: values that a tape may know, operations on them, gradients.
 *
 *     lab l;
 *     lab_begin(&l, tg_system_allocator(), 0);
 *     tensor x = lab_watch(&l, lab_random(&l, TG_F64, 1, (tg_index[]){5}));
 *     tensor y = lab_apply(&l, TG_OP_MULTIPLY, 2, (tensor[]){x, x});
 *     gradient g = lab_gradient(&l, y, x);
 *     CHECK_OK(lab_end(&l));
 *
 * The lab owns every array it makes until lab_forget or lab_end. The first failure stays in `status`, and operations
 * after it do nothing, so that a program can be written without asking after each step.
 */
#ifndef LAB_H
#define LAB_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "portable.h"
#include "record.h"
#include "sweep.h"

typedef struct tensor {
    tg_value value; /* borrowed from the lab */
    tg_handles handles;
} tensor;

typedef struct gradient {
    bool reached; /* the target depends on the source */
    bool given;   /* there is a value: not a symbolic zero */
    tg_value value;
} gradient;

typedef struct lab {
    tg_pool *pool;
    tg_loops loops;
    tg_tape tape;
    tg_sweep_hooks hooks;
    tg_status status;
    bool general;    /* record by tg_tape_record only, not the quick way */
    uint64_t random; /* the state of lab_uniform */
    tg_array **kept;
    size_t kept_count;
} lab;

static inline tg_status lab_never_interrupted(void *context) {
    (void)context;
    return TG_OK;
}

static inline void lab_begin(lab *l, tg_allocator allocator, size_t cache) {
    *l = (lab){.random = 1, .hooks = {.poll = lab_never_interrupted}};
    tg_portable_loops(&l->loops);
    l->status = tg_pool_create(allocator, cache, &l->pool);
    tg_tape_init(&l->tape, l->pool, 1, NULL);
}

/* Gives up the lab's references; a tape may still hold its own. */
static inline void lab_forget(lab *l) {
    for (size_t i = 0; i < l->kept_count; i++) tg_array_release(l->kept[i]);
    free(l->kept);
    l->kept = NULL;
    l->kept_count = 0;
}

/* Returns the first failure. That nothing is left behind is asserted by the pool. */
static inline tg_status lab_end(lab *l) {
    lab_forget(l);
    if (!l->pool) return l->status;
    tg_tape_clear(&l->tape, 0);
    tg_pool_destroy(l->pool);
    return l->status;
}

static inline void lab_keep(lab *l, tg_array *array) {
    if (!array) return;
    if ((l->kept_count & (l->kept_count - 1)) == 0) { /* full at each power of two */
        l->kept = realloc(l->kept, (l->kept_count ? 2 * l->kept_count : 1) * sizeof *l->kept);
        if (!l->kept) abort();
    }
    l->kept[l->kept_count++] = array;
}

static inline uint32_t lab_slot(const lab *l, tensor x) { return tg_handles_find(&x.handles, l->tape.id); }

/* ---- numbers and elements ---- */

static inline double lab_uniform(lab *l, double low, double high) {
    l->random = l->random * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(l->random >> 11) / 9007199254740992.0;
}

static inline int lab_below(lab *l, int bound) { return (int)lab_uniform(l, 0, bound); }

static inline double lab_get(int dtype, const void *element) {
    switch (dtype) {
    case TG_BOOL: return *(const bool *)element;
    case TG_I64: return (double)*(const int64_t *)element;
    case TG_F32: return (double)*(const float *)element;
    default: return *(const double *)element;
    }
}

static inline void lab_put(int dtype, void *element, double number) {
    switch (dtype) {
    case TG_BOOL: *(bool *)element = number != 0; break;
    case TG_I64: *(int64_t *)element = (int64_t)number; break;
    case TG_F32: *(float *)element = (float)number; break;
    default: *(double *)element = number;
    }
}

/* The coordinates of element `index` in C order, and back. Where the shape of the second has size one, any coordinate
 * counts as 0: that is broadcasting. */
static inline void lab_coordinates(tg_index index, int ndim, const tg_index *shape, tg_index *out) {
    for (int d = ndim - 1; d >= 0; d--) {
        out[d] = index % shape[d];
        index /= shape[d];
    }
}

static inline tg_index lab_index(int ndim, const tg_index *shape, const tg_index *coordinates) {
    tg_index index = 0;
    for (int d = 0; d < ndim; d++) index = index * shape[d] + (shape[d] == 1 ? 0 : coordinates[d]);
    return index;
}

/* Element `index` in C order, whatever the layout. */
static inline char *lab_element(const tg_array *array, tg_index index) {
    tg_index coordinates[TG_MAX_DIMS];
    char *data = array->data;
    lab_coordinates(index, array->ndim, tg_array_shape(array), coordinates);
    for (int d = 0; d < array->ndim; d++) data += coordinates[d] * tg_array_strides(array)[d];
    return data;
}

static inline double lab_at(const tg_value *value, tg_index index) {
    return lab_get(value->dtype, value->array ? (void *)lab_element(value->array, index) : (void *)&value->scalar);
}

static inline double lab_dot(const tg_value *a, const tg_value *b) {
    double sum = 0;
    for (tg_index i = 0; i < tg_value_size(a); i++) sum += lab_at(a, i) * lab_at(b, i);
    return sum;
}

/* The value that broadcasting puts at these coordinates of a larger shape. */
static inline double lab_broadcast_at(const tg_value *value, int ndim, const tg_index *coordinates) {
    const int own = tg_value_ndim(value);
    return lab_at(value, lab_index(own, tg_value_shape(value), coordinates + ndim - own));
}

static inline bool lab_close(double a, double b, double tolerance) {
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(a) + fabs(b));
}

/* ---- values ---- */

enum { LAB_PLAIN, LAB_BACKWARDS, LAB_GAPS, LAB_TRANSPOSED, LAB_REPEATED, LAB_LAYOUTS };

static inline tensor lab_number(int dtype, double number) {
    tensor x = {.value = {.dtype = dtype}};
    lab_put(dtype, &x.value.scalar, number);
    return x;
}

/* An array with undefined elements and strides as the layout says, or the number 0. */
static inline tensor lab_empty(lab *l, int dtype, int ndim, const tg_index *shape, int layout) {
    tensor x = {.value = {.dtype = dtype}};
    if (l->status != TG_OK || ndim == 0) return x;
    const tg_index itemsize = (tg_index)tg_itemsize(dtype), factor = layout == LAB_GAPS ? 2 : 1;
    tg_index strides[TG_MAX_DIMS], elements = 1, offset = 0;
    for (int i = 0; i < ndim; i++) {
        int d = layout == LAB_TRANSPOSED ? i : ndim - 1 - i;
        strides[d] = elements * factor * itemsize;
        elements *= shape[d] * factor;
        if (layout == LAB_BACKWARDS && shape[d]) {
            offset += (shape[d] - 1) * strides[d];
            strides[d] = -strides[d];
        }
        if (layout == LAB_REPEATED && lab_below(l, 2)) strides[d] = 0;
    }
    tg_array *base = NULL;
    if (layout == LAB_PLAIN) {
        l->status = tg_array_new(l->pool, dtype, ndim, shape, &base);
        lab_keep(l, x.value.array = base);
        return x;
    }
    l->status = tg_array_new(l->pool, dtype, 1, &elements, &base);
    if (l->status != TG_OK) return x;
    lab_keep(l, base);
    l->status = tg_array_view(base, dtype, ndim, shape, strides, base->data + (elements ? offset : 0), &x.value.array);
    lab_keep(l, x.value.array);
    return x;
}

/* Elements between 0.5 and 1.5, where most operations are defined. */
static inline tensor lab_random_as(lab *l, int dtype, int ndim, const tg_index *shape, int layout) {
    tensor x = lab_empty(l, dtype, ndim, shape, layout);
    if (!x.value.array) lab_put(dtype, &x.value.scalar, lab_uniform(l, 0.5, 1.5));
    for (tg_index i = 0; x.value.array && i < x.value.array->size; i++) {
        lab_put(dtype, lab_element(x.value.array, i), lab_uniform(l, 0.5, 1.5));
    }
    return x;
}

static inline tensor lab_random(lab *l, int dtype, int ndim, const tg_index *shape) {
    return lab_random_as(l, dtype, ndim, shape, LAB_PLAIN);
}

static inline tensor lab_watch(lab *l, tensor x) {
    uint32_t slot = 0;
    if (l->status == TG_OK) {
        l->status = tg_tape_watch(&l->tape, x.value.dtype, tg_value_ndim(&x.value), tg_value_shape(&x.value), &slot);
    }
    x.handles = (tg_handles){.id = {l->tape.id}, .slot = {slot}};
    return x;
}

/* ---- operations ---- */

/* Records what made `out` from the operands, if the tape knows one of them. needs: of operand k, as in saved_mask. */
static inline void lab_record(lab *l, tg_record *record, int count, const tensor *operands, tensor *out,
                              const unsigned *needs) {
    uint32_t slots[16], slot;
    bool known = false;
    record->dtype = out->value.dtype;
    record->ndim = tg_value_ndim(&out->value);
    record->shape = tg_value_shape(&out->value);
    record->operands = (uint32_t)count;
    record->in = slots;
    for (int k = 0; k < count; k++) {
        slots[k] = lab_slot(l, operands[k]);
        if (slots[k] == TG_NO_SLOT) continue;
        known = true;
        record->saved_mask |= needs[k];
    }
    for (int k = 0; k < count && k < TG_MAX_OPERANDS; k++) {
        record->saved[k] = &operands[k].value;
        record->handles[k] = &operands[k].handles;
    }
    record->saved[TG_MAX_OPERANDS] = &out->value;
    if (!known || l->status != TG_OK) return;
    l->status = tg_tape_record(&l->tape, record, &slot);
    out->handles = (tg_handles){.id = {l->tape.id}, .slot = {slot}};
}

static inline tg_quick lab_record_quickly(lab *l, int op, int count, const tensor *operands, tensor *out) {
    const tensor *x = &operands[0], *y = &operands[count - 1], *z = y;
    if (!out->value.array) {
        if (count > 2) return TG_QUICK_GENERAL;
        return tg_record_number(&l->tape, op, out->value.dtype, count == 2, &x->handles, x->value.scalar.u64,
                                &y->handles, y->value.scalar.u64, out->value.scalar.u64, &out->handles);
    }
    if (count == 3) y = &operands[1];
    const tg_handles *handles[] = {&x->handles, &y->handles, &z->handles};
    const tg_value values[] = {x->value, y->value, z->value};
    return tg_record_array(&l->tape, op, count, handles, values, &out->value, &out->handles);
}

/* An operation of ops.def. */
static inline tensor lab_apply(lab *l, int op, int count, const tensor *operands) {
    tensor out = {.value = {.dtype = operands[0].value.dtype}};
    tg_value values[TG_MAX_OPERANDS];
    unsigned needs[TG_MAX_OPERANDS];
    tensor smooth[TG_MAX_OPERANDS]; /* the operands, unknown to the tape where no gradient flows */
    for (int k = 0; k < count; k++) {
        values[k] = operands[k].value;
        needs[k] = tg_op_table[op].needs[k];
        smooth[k] = tg_op_table[op].partial[k] ? operands[k] : (tensor){.value = values[k]};
    }
    if (l->status != TG_OK) return out;
    l->status = tg_elementwise(&l->loops, l->pool, op, out.value.dtype, values, &out.value);
    if (l->status != TG_OK) return (tensor){.value = {.dtype = out.value.dtype}};
    lab_keep(l, out.value.array);
    if (l->general || lab_record_quickly(l, op, count, operands, &out) == TG_QUICK_GENERAL) {
        lab_record(l, &(tg_record){.op = op, .kind = TG_NODE_ELEMENTWISE}, count, smooth, &out, needs);
    }
    return out;
}

static inline tensor lab_one(lab *l, int op, tensor x) { return lab_apply(l, op, 1, &x); }
static inline tensor lab_two(lab *l, int op, tensor x, tensor y) { return lab_apply(l, op, 2, (tensor[]){x, y}); }
static inline tensor lab_add(lab *l, tensor x, tensor y) { return lab_two(l, TG_OP_ADD, x, y); }
static inline tensor lab_multiply(lab *l, tensor x, tensor y) { return lab_two(l, TG_OP_MULTIPLY, x, y); }

/* An operation of structural.h with a native forward. */
static inline tensor lab_structural(lab *l, const tg_call *call, int count, const tensor *operands) {
    tensor out = {.value = {.dtype = call->dtype}};
    tg_value values[2] = {operands[0].value, operands[count - 1].value};
    unsigned needs[2] = {tg_structural_needs(call->op, 0), tg_structural_needs(call->op, 1)};
    if (l->status != TG_OK) return out;
    tg_workspace workspace;
    tg_workspace_init(&workspace, l->pool);
    l->status = tg_structural_apply(&l->loops, &workspace, call, values, &out.value);
    tg_workspace_clear(&workspace);
    if (l->status != TG_OK) return (tensor){.value = {.dtype = call->dtype}};
    lab_keep(l, out.value.array);
    tg_record record = {.op = call->op,
                        .kind = TG_NODE_STRUCTURAL,
                        .params_count = call->params_count,
                        .params = call->params};
    lab_record(l, &record, count, operands, &out, needs);
    return out;
}

/* ---- gradients ---- */

/* out[i]: of the sources, for the targets' cotangents in `seeds` (NULL: ones); at most LAB_MOST of each. */
#define LAB_MOST 128

static inline void lab_gradients(lab *l, size_t targets_count, const tensor *targets, const tensor *seeds,
                                 size_t sources_count, const tensor *sources, gradient *out, bool consume) {
    uint32_t from[LAB_MOST], to[LAB_MOST];
    for (size_t i = 0; i < sources_count; i++) {
        from[i] = lab_slot(l, sources[i]);
        out[i] = (gradient){.value = {.dtype = sources[i].value.dtype}};
    }
    for (size_t i = 0; i < targets_count; i++) to[i] = lab_slot(l, targets[i]);
    if (l->status != TG_OK) return;
    tg_sweep sweep;
    tg_status status = tg_sweep_begin(&sweep, &l->tape, &l->loops, &l->hooks, sources_count, from, targets_count, to,
                                      0, consume);
    for (size_t i = 0; i < targets_count && status == TG_OK; i++) {
        if (!tg_sweep_is_active(&sweep, to[i])) continue;
        if (seeds) {
            tg_value seed = seeds[i].value;
            if (seed.array) tg_array_retain(seed.array);
            status = tg_sweep_add(&sweep, to[i], &seed);
        } else {
            status = tg_sweep_add_ones(&sweep, to[i]);
        }
    }
    if (status == TG_OK) status = tg_sweep_run(&sweep);
    for (size_t i = 0; i < sources_count && status == TG_OK; i++) {
        out[i].reached = tg_sweep_is_reached(&sweep, from[i]);
        out[i].given = out[i].reached && tg_sweep_take(&sweep, from[i], &out[i].value);
        if (out[i].given) lab_keep(l, out[i].value.array);
    }
    tg_sweep_end(&sweep);
    l->status = status;
}

static inline gradient lab_gradient(lab *l, tensor target, tensor source) {
    gradient out;
    lab_gradients(l, 1, &target, NULL, 1, &source, &out, false);
    return out;
}

/* A test with a laboratory of its own, which must end without an error and with nothing left over. */
static inline void lab_run(void (*test)(lab *l)) {
    lab l;
    lab_begin(&l, tg_system_allocator(), 0);
    test(&l);
    CHECK_OK(lab_end(&l));
}

#endif
