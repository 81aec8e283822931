/* api_value.c: making values, looking at them, giving them back. */
#include <string.h>

#include "api.h"

tapegrad_value *tg_value_wrap(tapegrad_context *context, tg_value value) {
    size_t block_bytes;
    tapegrad_value *wrapped = tg_pool_take(context->pool, sizeof *wrapped, &block_bytes);
    if (!wrapped) {
        tg_array_release(value.array);
        tg_fail_core(TG_NO_MEMORY, "a value");
        return NULL;
    }
    atomic_init(&wrapped->refs, 1);
    wrapped->context = context;
    wrapped->value = value;
    wrapped->handles = (tg_handles){{0, 0}, {0, 0}, NULL};
    wrapped->block_bytes = block_bytes;
    return wrapped;
}

tapegrad_value *tg_value_of(tapegrad_context *context, const tg_value *value) {
    return tg_value_wrap(context, tg_lent(value));
}

bool tg_values_usable(int count, tapegrad_value *const *values) {
    for (int i = 0; i < count; i++) {
        if (!values[i]) return false;
        if (values[i]->context != values[0]->context) {
            tg_fail(TAPEGRAD_BAD_VALUE, "operands of different contexts: values can only meet within one");
            return false;
        }
    }
    return true;
}

bool tg_value_is_like(const tapegrad_value *value, int dtype, int ndim, const tg_index *shape) {
    return value->value.dtype == dtype &&
           tg_same_shape(tg_value_ndim(&value->value), tg_value_shape(&value->value), ndim, shape);
}

/* ---- making ---- */

bool tg_check_ndim(const char *what, int ndim) {
    if (ndim >= 0 && ndim <= TG_MAX_DIMS) return true;
    tg_fail(TAPEGRAD_BAD_SHAPE, "%s: a value has 0 to %d dimensions, not %d", what, TG_MAX_DIMS, ndim);
    return false;
}

/* Whether a dtype and a shape are some; with the name of the function for the error. */
static bool check_kind(const char *what, int dtype, int ndim, const tg_index *shape) {
    if (dtype < 0 || dtype >= TG_NDTYPES) {
        tg_fail(TAPEGRAD_BAD_DTYPE, "%s: %d is no dtype", what, dtype);
        return false;
    }
    if (!tg_check_ndim(what, ndim)) return false;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0) {
            tg_fail(TAPEGRAD_BAD_SHAPE, "%s: the size of axis %d is negative: %td", what, d, shape[d]);
            return false;
        }
    }
    return true;
}

static void set_element(int dtype, void *target, double number) {
    switch ((tg_dtype)dtype) {
    case TG_BOOL: *(bool *)target = number != 0; break;
    case TG_I8: *(int8_t *)target = (int8_t)number; break;
    case TG_I16: *(int16_t *)target = (int16_t)number; break;
    case TG_I32: *(int32_t *)target = (int32_t)number; break;
    case TG_I64: *(int64_t *)target = (int64_t)number; break;
    case TG_U8: *(uint8_t *)target = (uint8_t)number; break;
    case TG_U16: *(uint16_t *)target = (uint16_t)number; break;
    case TG_U32: *(uint32_t *)target = (uint32_t)number; break;
    case TG_U64: *(uint64_t *)target = (uint64_t)number; break;
    case TG_F32:
    case TG_C64: *(float *)target = (float)number; break;
    default: *(double *)target = number; break;
    }
}

tapegrad_value *tapegrad_scalar(tapegrad_context *context, int dtype, double number) {
    if (!check_kind("tapegrad_scalar", dtype, 0, NULL)) return NULL;
    if (dtype == TG_F16) {
        tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_scalar: C has no float16; give its two bytes to tapegrad_copy");
        return NULL;
    }
    tg_value value = {.dtype = dtype};
    set_element(dtype, &value.scalar, number);
    return tg_value_wrap(context, value);
}

static void release_nothing(void *owner) { (void)owner; }

/* The array at `data`, borrowed; strides may be NULL. */
static tg_status borrow_array(tapegrad_context *context, int dtype, int ndim, const tg_index *shape,
                              const tg_index *strides, const void *data, void *owner, tg_array **out) {
    tg_index own[TG_MAX_DIMS], size;
    tg_status status = tg_checked_size(ndim, shape, tg_itemsize(dtype), &size);
    if (status != TG_OK) return status;
    if (!strides) {
        tg_contiguous_strides(ndim, shape, tg_itemsize(dtype), own);
        strides = own;
    }
    return tg_array_borrow(context->pool, dtype, ndim, shape, strides, (char *)(uintptr_t)data, release_nothing, owner,
                           out);
}

tapegrad_value *tapegrad_copy(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                              const intptr_t *strides, const void *data) {
    if (!check_kind("tapegrad_copy", dtype, ndim, shape)) return NULL;
    tg_value value = {.dtype = dtype};
    if (ndim == 0) {
        memcpy(&value.scalar, data, tg_itemsize(dtype));
        return tg_value_wrap(context, value);
    }
    tg_array *source = NULL;
    tg_status status = borrow_array(context, dtype, ndim, shape, strides, data, NULL, &source);
    if (status == TG_OK) status = tg_array_new(context->pool, dtype, ndim, shape, &value.array);
    if (status == TG_OK) tg_array_pack(source, value.array->data);
    tg_array_release(source);
    if (status == TG_OK) return tg_value_wrap(context, value);
    tg_fail_core(status, "tapegrad_copy");
    return NULL;
}

/* What a number of this type must be aligned to. */
static uintptr_t alignment_of(int dtype) {
    const uintptr_t itemsize = tg_itemsize(dtype);
    return dtype == TG_C64 || dtype == TG_C128 ? itemsize / 2 : itemsize;
}

tapegrad_value *tapegrad_borrow(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape,
                                const intptr_t *strides, const void *data, void (*release)(void *owner), void *owner) {
    if (!check_kind("tapegrad_borrow", dtype, ndim, shape)) return NULL;
    uintptr_t bits = (uintptr_t)data;
    for (int d = 0; strides && d < ndim; d++) bits |= (uintptr_t)strides[d];
    if (bits % alignment_of(dtype)) {
        tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_borrow: address and strides are not aligned for %s: use tapegrad_copy",
                tg_dtype_name(dtype));
        return NULL;
    }
    if (ndim == 0) { /* a number, which lies in the value itself */
        tapegrad_value *number = tapegrad_copy(context, dtype, 0, NULL, NULL, data);
        if (number && release) release(owner);
        return number;
    }
    tg_value value = {.dtype = dtype};
    tg_status status = borrow_array(context, dtype, ndim, shape, strides, data, owner, &value.array);
    if (status != TG_OK) {
        tg_fail_core(status, "tapegrad_borrow");
        return NULL;
    }
    tg_array *array = value.array;
    tapegrad_value *borrowed = tg_value_wrap(context, value);
    if (borrowed && release) tg_array_on_release(array, release); /* only now can nothing fail any more */
    return borrowed;
}

tapegrad_value *tapegrad_empty(tapegrad_context *context, int dtype, int ndim, const intptr_t *shape, void **data) {
    if (!check_kind("tapegrad_empty", dtype, ndim, shape)) return NULL;
    tg_value value = {.dtype = dtype};
    if (ndim) {
        tg_status status = tg_array_new(context->pool, dtype, ndim, shape, &value.array);
        if (status != TG_OK) {
            tg_fail_core(status, "tapegrad_empty");
            return NULL;
        }
    }
    tapegrad_value *empty = tg_value_wrap(context, value);
    if (empty) *data = tg_elements(empty);
    return empty;
}

tg_status tg_zeros(tg_pool *pool, tg_output output, tg_value *out) {
    *out = (tg_value){.array = NULL, .dtype = output.dtype};
    if (!output.ndim) return TG_OK;
    tg_status status = tg_array_new(pool, output.dtype, output.ndim, output.shape, &out->array);
    if (status == TG_OK) memset(out->array->data, 0, (size_t)out->array->size * tg_itemsize(output.dtype));
    return status;
}

tapegrad_value *tapegrad_constant(tapegrad_value *value) {
    return value ? tg_value_of(value->context, &value->value) : NULL;
}

/* ---- references: atomic only while threads share the pool, like those of arrays ---- */

tapegrad_value *tapegrad_retain(tapegrad_value *value) {
    if (!value) return NULL;
    if (tg_pool_is_shared(value->context->pool)) {
        atomic_fetch_add_explicit(&value->refs, 1, memory_order_relaxed);
    } else {
        const int32_t refs = atomic_load_explicit(&value->refs, memory_order_relaxed);
        atomic_store_explicit(&value->refs, refs + 1, memory_order_relaxed);
    }
    return value;
}

void tapegrad_release(tapegrad_value *value) {
    if (!value) return;
    tg_pool *pool = value->context->pool;
    if (tg_pool_is_shared(pool)) {
        if (atomic_fetch_sub_explicit(&value->refs, 1, memory_order_acq_rel) > 1) return;
    } else {
        const int32_t refs = atomic_load_explicit(&value->refs, memory_order_relaxed);
        atomic_store_explicit(&value->refs, refs - 1, memory_order_relaxed);
        if (refs > 1) return;
    }
    tg_array_release(value->value.array);
    if (value->handles.more) tg_handles_clear(&value->handles, pool);
    tg_pool_give(pool, value, value->block_bytes);
}

void tg_release_all(int count, tapegrad_value **values) {
    for (int i = 0; i < count; i++) {
        tapegrad_release(values[i]);
        values[i] = NULL;
    }
}

/* ---- looking ---- */

int tapegrad_dtype_of(const tapegrad_value *value) { return value->value.dtype; }

int tapegrad_ndim(const tapegrad_value *value) { return tg_value_ndim(&value->value); }

intptr_t tapegrad_size(const tapegrad_value *value) { return tg_value_size(&value->value); }

const intptr_t *tapegrad_shape(const tapegrad_value *value) { return tg_value_shape(&value->value); }

const intptr_t *tapegrad_strides(const tapegrad_value *value) {
    return value->value.array ? tg_array_strides(value->value.array) : NULL;
}

const void *tapegrad_data(const tapegrad_value *value) {
    if (!value) return NULL;
    if (tg_is_followed(value, NULL)) {
        tg_fail(TAPEGRAD_FOLLOWED, "tapegrad_data: a tape that records knows this value, and what is computed from its "
                                   "elements would be lost on it: use operations, register an op, or read a copy");
        return NULL;
    }
    return tg_elements(value);
}

tapegrad_value *tapegrad_contiguous(tapegrad_value *value) {
    if (!value || !value->value.array || value->value.array->contiguous) return tapegrad_retain(value);
    tg_value packed = value->value;
    tg_status status = tg_array_contiguous(value->value.array, &packed.array);
    if (status != TG_OK) {
        tg_fail_core(status, "tapegrad_contiguous");
        return NULL;
    }
    tapegrad_value *copy = tg_value_wrap(value->context, packed);
    if (copy && tg_handles_copy(&value->handles, value->context->pool, &copy->handles) != TG_OK) {
        tapegrad_release(copy);
        tg_fail_core(TG_NO_MEMORY, "tapegrad_contiguous");
        copy = NULL;
    }
    return copy;
}

tapegrad_status tapegrad_read(const tapegrad_value *value, void *target, size_t bytes) {
    if (!value) return tapegrad_error_status();
    const size_t needed = (size_t)tg_value_size(&value->value) * tg_itemsize(value->value.dtype);
    if (bytes < needed) {
        return tg_fail(TAPEGRAD_BAD_VALUE, "tapegrad_read: there is room for %zu bytes, but the value has %zu", bytes,
                       needed);
    }
    if (value->value.array) {
        tg_array_pack(value->value.array, target);
    } else {
        memcpy(target, &value->value.scalar, needed);
    }
    return TAPEGRAD_OK;
}

static double element(int dtype, const void *at) {
    switch ((tg_dtype)dtype) {
    case TG_BOOL: return *(const bool *)at;
    case TG_I8: return *(const int8_t *)at;
    case TG_I16: return *(const int16_t *)at;
    case TG_I32: return *(const int32_t *)at;
    case TG_I64: return (double)*(const int64_t *)at;
    case TG_U8: return *(const uint8_t *)at;
    case TG_U16: return *(const uint16_t *)at;
    case TG_U32: return *(const uint32_t *)at;
    case TG_U64: return (double)*(const uint64_t *)at;
    case TG_F32: return (double)*(const float *)at;
    default: return *(const double *)at;
    }
}

tapegrad_status tapegrad_read_number(const tapegrad_value *value, double *number) {
    if (!value) return tapegrad_error_status();
    const int dtype = value->value.dtype;
    char shape[TG_SHAPE_TEXT];
    if (tg_value_size(&value->value) != 1) {
        return tg_fail(TAPEGRAD_BAD_SHAPE, "tapegrad_read_number: a value of shape %s is not one number",
                       tg_shape_text_of(value, shape));
    }
    if (dtype == TG_F16 || dtype == TG_C64 || dtype == TG_C128) {
        return tg_fail(TAPEGRAD_BAD_DTYPE, "tapegrad_read_number: a %s is no double: use tapegrad_read",
                       tg_dtype_name(dtype));
    }
    *number = element(dtype, tg_elements(value));
    return TAPEGRAD_OK;
}
