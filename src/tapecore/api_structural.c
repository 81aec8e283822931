/* api_structural.c: operations that move, sum or contract elements: checks, and the calls of structural.h to make. */
#include <string.h>

#include "api.h"

bool tg_check_axis(const char *what, int ndim, int *axis) {
    if (*axis < -ndim || *axis >= ndim) {
        tg_fail(TAPEGRAD_BAD_VALUE, "%s: axis %d is out of bounds for a value with %d dimensions", what, *axis, ndim);
        return false;
    }
    if (*axis < 0) *axis += ndim;
    return true;
}

/* The same for one of several axes, which come into *seen: none is to be there twice. */
static bool check_new_axis(const char *what, int ndim, uint64_t *seen, int *axis) {
    if (!tg_check_axis(what, ndim, axis)) return false;
    if (*seen >> *axis & 1) {
        tg_fail(TAPEGRAD_BAD_VALUE, "%s: axis %d is named twice", what, *axis);
        return false;
    }
    *seen |= (uint64_t)1 << *axis;
    return true;
}

/* Whether SUM, SCATTER_ADD and MATMUL, which calculate, can do so on this dtype. */
static bool check_native(const char *what, const tapegrad_value *x) {
    if (tg_dtype_is_native(x->value.dtype)) return true;
    tg_fail(TAPEGRAD_BAD_DTYPE, "%s: takes float32 and float64, not %s", what, tg_dtype_name(x->value.dtype));
    return false;
}

tapegrad_value *tg_structural_record(const char *what, const tg_call *call, int count,
                                     tapegrad_value *const *operands, tg_value *result) {
    tapegrad_value *out = tg_value_wrap(operands[0]->context, *result);
    if (!out || !tg_thread_records(tg_thread_current()) || !tg_dtype_is_native(call->dtype)) return out;
    size_t bytes;
    tg_pool *pool = out->context->pool;
    unsigned *needs = tg_pool_take(pool, (size_t)count * (sizeof *needs + sizeof(bool)), &bytes);
    tapegrad_status status = needs ? TAPEGRAD_OK : tg_fail_core(TG_NO_MEMORY, what);
    if (status == TAPEGRAD_OK) {
        bool *differentiable = (bool *)(needs + count);
        for (int k = 0; k < count; k++) {
            needs[k] = k < TG_MAX_OPERANDS ? tg_structural_needs(call->op, k) : 0;
            differentiable[k] = tg_dtype_is_native(operands[k]->value.dtype);
        }
        tg_record record = {
            .op = call->op, .kind = TG_NODE_STRUCTURAL, .params_count = call->params_count, .params = call->params};
        status = tg_record_everywhere(&record, count, operands, differentiable, needs, out);
        tg_pool_give(pool, needs, bytes);
    }
    if (status == TAPEGRAD_OK) return out;
    tapegrad_release(out);
    return NULL;
}

tapegrad_value *tg_structural_by_host(const tg_call *call, int count, tapegrad_value *const *operands) {
    tapegrad_context *context = operands[0]->context;
    tapegrad_value *out = tg_value_wrap(context, (tg_value){.dtype = call->dtype});
    if (out && context->host->structural(call, count, operands, out) != TAPEGRAD_OK) {
        tapegrad_release(out);
        out = NULL;
    }
    return out;
}

/* Runs and records a call on one or two values. */
static tapegrad_value *run(const char *what, const tg_call *call, int count, tapegrad_value *const *operands) {
    tapegrad_context *context = operands[0]->context;
    if (tg_host_follows(context, count, operands)) return tg_structural_by_host(call, count, operands);
    tg_workspace workspace;
    tg_workspace_init(&workspace, context->pool);
    const tg_value values[2] = {operands[0]->value, operands[count - 1]->value};
    tg_value result;
    tg_status status = tg_structural_apply(context->loops, &workspace, call, values, &result);
    tg_workspace_clear(&workspace);
    if (status == TG_OK) return tg_structural_record(what, call, count, operands, &result);
    tg_fail_core(status, what);
    return NULL;
}

static tg_call call_like(int op, const tapegrad_value *x) {
    tg_call call = {.op = op, .dtype = x->value.dtype, .ndim = tg_value_ndim(&x->value)};
    if (call.ndim) memcpy(call.shape, tg_value_shape(&x->value), (size_t)call.ndim * sizeof *call.shape);
    return call;
}

tapegrad_value *tapegrad_reshape(tapegrad_value *x, int ndim, const intptr_t *shape) {
    char own[TG_SHAPE_TEXT], wanted[TG_SHAPE_TEXT];
    if (!x || !tg_check_ndim("tapegrad_reshape", ndim)) return NULL;
    tg_call call = {.op = TG_RESHAPE, .dtype = x->value.dtype, .ndim = ndim};
    const tg_index size = tg_value_size(&x->value);
    tg_index known = 1;
    int open = -1;
    bool right = true;
    for (int d = 0; d < ndim; d++) {
        call.shape[d] = shape[d];
        if (shape[d] >= 0) {
            right = right && !__builtin_mul_overflow(known, shape[d], &known);
        } else {
            right = right && shape[d] == -1 && open < 0;
            open = d;
        }
    }
    if (right && open >= 0) {
        right = known && size % known == 0;
        if (right) call.shape[open] = size / known;
    } else {
        right = right && known == size;
    }
    if (right) return run("tapegrad_reshape", &call, 1, &x);
    tg_fail(TAPEGRAD_BAD_SHAPE, "tapegrad_reshape: cannot reshape shape %s to %s", tg_shape_text_of(x, own),
            tg_shape_text(ndim, shape, wanted));
    return NULL;
}

tapegrad_value *tapegrad_transpose(tapegrad_value *x, const int *axes) {
    if (!x) return NULL;
    tg_call call = call_like(TG_PERMUTE, x);
    tg_index order[TG_MAX_DIMS];
    uint64_t seen = 0;
    for (int d = 0; d < call.ndim; d++) {
        int axis = axes ? axes[d] : call.ndim - 1 - d;
        if (!check_new_axis("tapegrad_transpose", call.ndim, &seen, &axis)) return NULL;
        order[d] = axis;
        call.shape[d] = tg_value_shape(&x->value)[axis];
    }
    call.params = order;
    call.params_count = call.ndim;
    return run("tapegrad_transpose", &call, 1, &x);
}

tapegrad_value *tapegrad_broadcast_to(tapegrad_value *x, int ndim, const intptr_t *shape) {
    char own[TG_SHAPE_TEXT], wanted[TG_SHAPE_TEXT];
    if (!x || !tg_check_ndim("tapegrad_broadcast_to", ndim)) return NULL;
    tg_call call = {.op = TG_EXPAND, .dtype = x->value.dtype, .ndim = ndim, .params_count = 1};
    const int missing = ndim - tg_value_ndim(&x->value);
    const tg_index *sizes = tg_value_shape(&x->value);
    tg_index mask = 0;
    bool right = missing >= 0;
    for (int d = 0; d < ndim && right; d++) {
        call.shape[d] = shape[d];
        if (shape[d] >= 0 && (d < missing || (sizes[d - missing] == 1 && shape[d] != 1))) {
            mask |= (tg_index)((uint64_t)1 << d);
        } else {
            right = sizes[d - missing] == shape[d];
        }
    }
    call.params = &mask;
    if (right) return run("tapegrad_broadcast_to", &call, 1, &x);
    tg_fail(TAPEGRAD_BAD_SHAPE, "tapegrad_broadcast_to: shape %s does not broadcast to %s", tg_shape_text_of(x, own),
            tg_shape_text(ndim, shape, wanted));
    return NULL;
}

/* A SLICE call in which `dropped` (-1: none) is left out of the result. */
static tapegrad_value *slice(const char *what, tapegrad_value *x, const tapegrad_range *ranges, int dropped) {
    const int ndim = tg_value_ndim(&x->value);
    tg_index params[3 * TG_MAX_DIMS];
    tg_call call = {.op = TG_SLICE, .dtype = x->value.dtype, .params = params, .params_count = 3 * ndim};
    for (int d = 0; d < ndim; d++) {
        const tg_index size = tg_value_shape(&x->value)[d];
        const tapegrad_range range = ranges[d];
        tg_index last = 0;
        bool right = range.count >= 0;
        if (right && range.count > 0) {
            right = range.start >= 0 && range.start < size &&
                    !__builtin_mul_overflow(range.count - 1, range.step, &last) &&
                    !__builtin_add_overflow(last, range.start, &last) && last >= 0 && last < size;
        }
        if (!right) {
            tg_fail(TAPEGRAD_BAD_VALUE, "%s: %td positions from %td by %td leave axis %d, which has size %td", what,
                    range.count, range.start, range.step, d, size);
            return NULL;
        }
        params[3 * d] = range.count ? range.start : 0;
        params[3 * d + 1] = range.count ? range.step : 1;
        params[3 * d + 2] = range.count;
        if (d != dropped) call.shape[call.ndim++] = range.count;
    }
    return run(what, &call, 1, &x);
}

tapegrad_value *tapegrad_slice(tapegrad_value *x, const tapegrad_range *ranges) {
    return x ? slice("tapegrad_slice", x, ranges, -1) : NULL;
}

tapegrad_value *tapegrad_index(tapegrad_value *x, int axis, intptr_t position) {
    tapegrad_range ranges[TG_MAX_DIMS];
    if (!x || !tg_check_axis("tapegrad_index", tg_value_ndim(&x->value), &axis)) return NULL;
    const tg_index *shape = tg_value_shape(&x->value);
    for (int d = 0; d < tg_value_ndim(&x->value); d++) ranges[d] = (tapegrad_range){0, 1, shape[d]};
    if (position < -shape[axis] || position >= shape[axis]) {
        tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_index: position %td is out of bounds for axis %d of size %td", position,
                axis, shape[axis]);
        return NULL;
    }
    ranges[axis] = (tapegrad_range){position < 0 ? position + shape[axis] : position, 1, 1};
    return slice("tapegrad_index", x, ranges, axis);
}

/* *terms, out: how many elements come into each sum. */
static tapegrad_value *sum(const char *what, tapegrad_value *x, int count, const int *axes, int keepdims,
                           tg_index *terms) {
    if (!x || !check_native(what, x)) return NULL;
    const int ndim = tg_value_ndim(&x->value);
    uint64_t mask = axes ? 0 : ndim == TG_MAX_DIMS ? ~(uint64_t)0 : ((uint64_t)1 << ndim) - 1;
    for (int i = 0; axes && i < count; i++) {
        int axis = axes[i];
        if (!check_new_axis(what, ndim, &mask, &axis)) return NULL;
    }
    const tg_index params[1] = {(tg_index)mask};
    tg_call call = {.op = TG_SUM, .dtype = x->value.dtype, .params = params, .params_count = 1};
    *terms = 1;
    for (int d = 0; d < ndim; d++) {
        const tg_index size = tg_value_shape(&x->value)[d];
        if (mask >> d & 1) {
            *terms *= size;
            if (keepdims) call.shape[call.ndim++] = 1;
        } else {
            call.shape[call.ndim++] = size;
        }
    }
    return run(what, &call, 1, &x);
}

tapegrad_value *tapegrad_sum(tapegrad_value *x, int count, const int *axes, int keepdims) {
    tg_index terms;
    return sum("tapegrad_sum", x, count, axes, keepdims, &terms);
}

tapegrad_value *tapegrad_mean(tapegrad_value *x, int count, const int *axes, int keepdims) {
    tg_index terms;
    tapegrad_value *total = sum("tapegrad_mean", x, count, axes, keepdims, &terms);
    if (!total) return NULL;
    tapegrad_value *number = tapegrad_scalar(x->context, x->value.dtype, (double)terms);
    tapegrad_value *mean = tapegrad_binary(x->context->builtin[TG_OP_DIVIDE], total, number);
    tapegrad_release(number);
    tapegrad_release(total);
    return mean;
}

tapegrad_value *tapegrad_cast(tapegrad_value *x, int dtype) {
    if (!x) return NULL;
    if (x->value.dtype == dtype) return tapegrad_retain(x);
    if (!check_native("tapegrad_cast", x)) return NULL;
    if (!tg_dtype_is_native(dtype)) {
        tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_cast: to float32 and float64, not to %s", tg_dtype_name(dtype));
        return NULL;
    }
    tg_call call = call_like(TG_CAST, x);
    call.dtype = dtype;
    return run("tapegrad_cast", &call, 1, &x);
}

tapegrad_value *tg_matmul_stacks(tapegrad_value *a, tapegrad_value *b) {
    const tg_index none[1] = {0};
    tapegrad_value *const operands[2] = {a, b};
    const int a_ndim = tg_value_ndim(&a->value), b_ndim = tg_value_ndim(&b->value);
    const tg_index *a_shape = tg_value_shape(&a->value), *b_shape = tg_value_shape(&b->value);
    tg_call call = {.op = TG_MATMUL, .dtype = a->value.dtype, .params = none, .params_count = 1};
    call.ndim = a_ndim > b_ndim ? a_ndim : b_ndim;
    for (int d = 0; d < call.ndim - 2; d++) {
        const int of_a = d - (call.ndim - a_ndim), of_b = d - (call.ndim - b_ndim);
        const tg_index n = of_a >= 0 ? a_shape[of_a] : 1, m = of_b >= 0 ? b_shape[of_b] : 1;
        if (n != m && n != 1 && m != 1) {
            char first[TG_SHAPE_TEXT], second[TG_SHAPE_TEXT];
            tg_fail(TAPEGRAD_BAD_SHAPE, "tapegrad_matmul: the stacks of shapes %s and %s cannot be broadcast together",
                    tg_shape_text_of(a, first), tg_shape_text_of(b, second));
            return NULL;
        }
        call.shape[d] = n == 1 ? m : n;
    }
    call.shape[call.ndim - 2] = a_shape[a_ndim - 2];
    call.shape[call.ndim - 1] = b_shape[b_ndim - 1];
    return run("tapegrad_matmul", &call, 2, operands);
}

tapegrad_value *tg_take_checked(tapegrad_value *x, tapegrad_value *positions, int axis) {
    tapegrad_value *const operands[2] = {x, positions};
    const int ndim = tg_value_ndim(&x->value), more = tg_value_ndim(&positions->value);
    const tg_index params[1] = {axis}, *shape = tg_value_shape(&x->value);
    tg_call call = {.op = TG_TAKE, .dtype = x->value.dtype, .params = params, .params_count = 1};
    if (!tg_check_ndim("tapegrad_take", ndim - 1 + more)) return NULL;
    for (int d = 0; d < axis; d++) call.shape[call.ndim++] = shape[d];
    for (int d = 0; d < more; d++) call.shape[call.ndim++] = tg_value_shape(&positions->value)[d];
    for (int d = axis + 1; d < ndim; d++) call.shape[call.ndim++] = shape[d];
    return run("tapegrad_take", &call, 2, operands);
}
