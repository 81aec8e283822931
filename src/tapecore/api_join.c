/* api_join.c: operations that join values, choose between them, or look elements up. */
#include <string.h>

#include "api.h"
#include "select.h"

/* The values along an axis that they have, or along a new one. */
static bool check_parts(const char *what, int count, tapegrad_value *const *values, int axis, bool new_axis) {
    char first[TG_SHAPE_TEXT], other[TG_SHAPE_TEXT];
    const int ndim = tg_value_ndim(&values[0]->value);
    for (int k = 1; k < count; k++) {
        const tg_value *part = &values[k]->value;
        if (part->dtype != values[0]->value.dtype) {
            tg_fail(TAPEGRAD_BAD_DTYPE, "%s: values of dtypes %s and %s: cast them to one", what,
                    tg_dtype_name(values[0]->value.dtype), tg_dtype_name(part->dtype));
            return false;
        }
        bool fits = tg_value_ndim(part) == ndim;
        for (int d = 0; d < ndim && fits; d++) {
            fits = (d == axis && !new_axis) || tg_value_shape(part)[d] == tg_value_shape(&values[0]->value)[d];
        }
        if (!fits) {
            tg_fail(TAPEGRAD_BAD_SHAPE, "%s: shapes %s and %s do not fit along axis %d", what,
                    tg_shape_text_of(values[0], first), tg_shape_text_of(values[k], other), axis);
            return false;
        }
    }
    return true;
}

/* Runs and records a CONCATENATE call whose offsets are in its params. */
static tapegrad_value *run_join(const char *what, const tg_call *call, int count, tapegrad_value *const *values) {
    tapegrad_context *context = values[0]->context;
    if (tg_host_follows(context, count, values)) return tg_structural_by_host(call, count, values);
    tg_value result = {.dtype = call->dtype};
    tg_status status = tg_array_new(context->pool, call->dtype, call->ndim, call->shape, &result.array);
    for (int k = 0; k < count && status == TG_OK; k++) {
        status = tg_join(result.array, (int)call->params[0], call->params[1 + k], &values[k]->value);
    }
    if (status == TG_OK) return tg_structural_record(what, call, count, values, &result);
    tg_array_release(result.array);
    tg_fail_core(status, what);
    return NULL;
}

static tapegrad_value *join(const char *what, int count, tapegrad_value *const *values, int axis, bool new_axis) {
    if (count < 1) {
        tg_fail(TAPEGRAD_BAD_VALUE, "%s: needs at least one value", what);
        return NULL;
    }
    if (!tg_values_usable(count, values)) return NULL;
    const int ndim = tg_value_ndim(&values[0]->value);
    if (!tg_check_axis(what, ndim + new_axis, &axis) || !check_parts(what, count, values, axis, new_axis)) return NULL;
    if (ndim + new_axis > TG_MAX_DIMS) {
        tg_fail_core(TG_TOO_LARGE, what);
        return NULL;
    }
    size_t bytes;
    tg_pool *pool = values[0]->context->pool;
    tg_index *params = tg_pool_take(pool, ((size_t)count + 2) * sizeof *params, &bytes);
    if (!params) {
        tg_fail_core(TG_NO_MEMORY, what);
        return NULL;
    }
    params[0] = axis;
    params[1] = 0;
    for (int k = 0; k < count; k++) {
        params[2 + k] = params[1 + k] + (new_axis ? 1 : tg_value_shape(&values[k]->value)[axis]);
    }
    tg_call call = {.op = TG_CONCATENATE,
                    .dtype = values[0]->value.dtype,
                    .ndim = ndim + new_axis,
                    .params = params,
                    .params_count = count + 2};
    for (int d = 0; d < call.ndim; d++) {
        call.shape[d] = d == axis ? params[1 + count] : tg_value_shape(&values[0]->value)[d - (new_axis && d > axis)];
    }
    tapegrad_value *joined = run_join(what, &call, count, values);
    tg_pool_give(pool, params, bytes);
    return joined;
}

tapegrad_value *tapegrad_concatenate(int count, tapegrad_value *const *values, int axis) {
    return join("tapegrad_concatenate", count, values, axis, false);
}

tapegrad_value *tapegrad_stack(int count, tapegrad_value *const *values, int axis) {
    return join("tapegrad_stack", count, values, axis, true);
}

tapegrad_value *tapegrad_where(tapegrad_value *condition, tapegrad_value *x, tapegrad_value *y) {
    tapegrad_value *const operands[3] = {condition, x, y};
    if (!tg_values_usable(3, operands)) return NULL;
    if (condition->value.dtype != TG_BOOL || x->value.dtype != y->value.dtype) {
        tg_fail(TAPEGRAD_BAD_DTYPE,
                "tapegrad_where: wants a bool condition and two values of one dtype, not %s, %s, %s",
                tg_dtype_name(condition->value.dtype), tg_dtype_name(x->value.dtype), tg_dtype_name(y->value.dtype));
        return NULL;
    }
    tapegrad_context *context = x->context;
    tg_value result;
    tg_status status = tg_select(context->pool, &condition->value, &x->value, &y->value, &result);
    if (status != TG_OK) {
        char texts[3][TG_SHAPE_TEXT];
        for (int k = 0; k < 3; k++) tg_shape_text_of(operands[k], texts[k]);
        tg_fail_core(status, "tapegrad_where");
        if (status == TG_BAD_SHAPE) {
            tg_fail(TAPEGRAD_BAD_SHAPE, "tapegrad_where: shapes %s, %s and %s cannot be broadcast together", texts[0],
                    texts[1], texts[2]);
        }
        return NULL;
    }
    tg_call call = {.op = TG_SELECT, .dtype = result.dtype, .ndim = tg_value_ndim(&result)};
    if (call.ndim) memcpy(call.shape, tg_value_shape(&result), (size_t)call.ndim * sizeof *call.shape);
    if (!tg_host_follows(context, 3, operands)) {
        return tg_structural_record("tapegrad_where", &call, 3, operands, &result);
    }
    tg_array_release(result.array);
    return tg_structural_by_host(&call, 3, operands);
}

/* Positions in C order, counted from the front: themselves (retained) where they are so already, else a copy. NULL with
 * an error if one is out of bounds. */
static tapegrad_value *plain_positions(tapegrad_value *positions, tg_index length) {
    const tg_array *array = positions->value.array;
    const tg_index count = tg_value_size(&positions->value);
    void *data;
    tapegrad_value *copy = tapegrad_empty(positions->context, TG_I64, tg_value_ndim(&positions->value),
                                          tg_value_shape(&positions->value), &data);
    if (!copy) return NULL;
    tapegrad_read(positions, data, (size_t)count * sizeof(int64_t));
    int64_t *numbers = data;
    bool as_it_is = !array || array->contiguous;
    for (tg_index i = 0; i < count; i++) {
        if (numbers[i] < -length || numbers[i] >= length) {
            tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_take: position %lld is out of bounds for an axis of size %td",
                    (long long)numbers[i], length);
            tapegrad_release(copy);
            return NULL;
        }
        if (numbers[i] < 0) {
            numbers[i] += length;
            as_it_is = false;
        }
    }
    if (!as_it_is) return copy;
    tapegrad_release(copy);
    return tapegrad_retain(positions);
}

tapegrad_value *tapegrad_take(tapegrad_value *x, tapegrad_value *positions, int axis) {
    tapegrad_value *const operands[2] = {x, positions};
    if (!tg_values_usable(2, operands)) return NULL;
    if (positions->value.dtype != TG_I64) {
        tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_take: positions must be int64, not %s",
                tg_dtype_name(positions->value.dtype));
        return NULL;
    }
    if (!tg_check_axis("tapegrad_take", tg_value_ndim(&x->value), &axis)) return NULL;
    tapegrad_value *plain = plain_positions(positions, tg_value_shape(&x->value)[axis]);
    if (!plain) return NULL;
    tapegrad_value *taken = tg_take_checked(x, plain, axis);
    tapegrad_release(plain);
    return taken;
}

/* A vector as a matrix of one row or column, or anything else as it is (retained). */
static tapegrad_value *as_matrix(tapegrad_value *x, bool row) {
    if (tg_value_ndim(&x->value) != 1) return tapegrad_retain(x);
    const tg_index size = tg_value_size(&x->value), shape[2] = {row ? 1 : size, row ? size : 1};
    return tapegrad_reshape(x, 2, shape);
}

tapegrad_value *tapegrad_matmul(tapegrad_value *a, tapegrad_value *b) {
    char first[TG_SHAPE_TEXT], second[TG_SHAPE_TEXT];
    tapegrad_value *const operands[2] = {a, b};
    if (!tg_values_usable(2, operands)) return NULL;
    if (!tg_dtype_is_native(a->value.dtype) || a->value.dtype != b->value.dtype) {
        tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_matmul: operands must be both float32 or both float64, not %s and %s",
                tg_dtype_name(a->value.dtype), tg_dtype_name(b->value.dtype));
        return NULL;
    }
    const int a_ndim = tg_value_ndim(&a->value), b_ndim = tg_value_ndim(&b->value);
    const tg_index *a_shape = tg_value_shape(&a->value), *b_shape = tg_value_shape(&b->value);
    if (!a_ndim || !b_ndim || a_shape[a_ndim - 1] != b_shape[b_ndim > 1 ? b_ndim - 2 : 0]) {
        tg_fail(TAPEGRAD_BAD_SHAPE,
                "tapegrad_matmul: shapes %s and %s do not fit: the last size of the first must be the second-last (of "
                "a vector: the only) size of the second",
                tg_shape_text_of(a, first), tg_shape_text_of(b, second));
        return NULL;
    }
    if (a_ndim > 1 && b_ndim > 1) return tg_matmul_stacks(a, b);
    tapegrad_value *x = as_matrix(a, true), *y = as_matrix(b, false), *result = NULL;
    tapegrad_value *product = x && y ? tg_matmul_stacks(x, y) : NULL;
    if (product) { /* without the axes of size one that the vectors got */
        tg_index shape[TG_MAX_DIMS];
        int ndim = 0, last = tg_value_ndim(&product->value) - 1;
        for (int d = 0; d <= last; d++) {
            if ((d == last - 1 && a_ndim == 1) || (d == last && b_ndim == 1)) continue;
            shape[ndim++] = tg_value_shape(&product->value)[d];
        }
        result = tapegrad_reshape(product, ndim, shape);
    }
    tapegrad_release(product);
    tapegrad_release(x);
    tapegrad_release(y);
    return result;
}
