/* array.c: the header of an array, its reference count, and conversions of its elements. */
#include "array.h"

#include <assert.h>
#include <string.h>

#include "copy.h"

_Static_assert(sizeof(tg_array) == 2 * TG_ALIGNMENT, "the elements of an array follow its header, aligned");

/* Bytes of the header, and of the shape and strides that do not fit into it. */
static size_t header_bytes(int ndim) {
    if (ndim <= TG_INLINE_DIMS) return sizeof(tg_array);
    size_t dims = 2 * (size_t)ndim * sizeof(tg_index);
    return sizeof(tg_array) + (dims + TG_ALIGNMENT - 1) / TG_ALIGNMENT * TG_ALIGNMENT;
}

/* ---- layouts ---- */

void tg_contiguous_strides(int ndim, const tg_index *shape, size_t itemsize, tg_index *strides) {
    tg_index stride = (tg_index)itemsize;
    for (int i = ndim - 1; i >= 0; i--) {
        strides[i] = stride;
        /* Only a shape with a zero in it can overflow, and strides of no elements may be anything. */
        if (shape[i] > 1 && __builtin_mul_overflow(stride, shape[i], &stride)) stride = 0;
    }
}

bool tg_same_shape(int ndim_a, const tg_index *a, int ndim_b, const tg_index *b) {
    if (ndim_a != ndim_b) return false;
    for (int i = 0; i < ndim_a; i++) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

static bool is_contiguous(int ndim, const tg_index *shape, const tg_index *strides, size_t itemsize) {
    tg_index expected = (tg_index)itemsize;
    bool contiguous = true;
    for (int i = ndim - 1; i >= 0; i--) {
        if (shape[i] == 0) return true;
        if (shape[i] > 1) {
            contiguous = contiguous && strides[i] == expected;
            expected = contiguous ? expected * shape[i] : 0;
        }
    }
    return contiguous;
}

/* ---- life and death ---- */

/* A header with room for `room` bytes of elements behind it; the caller sets strides, data, owner and release. */
static tg_status new_header(tg_pool *pool, int dtype, int ndim, const tg_index *shape, bool owned, tg_array **out) {
    tg_index size;
    size_t bytes;
    if (ndim > TG_MAX_DIMS || tg_checked_size(ndim, shape, tg_itemsize(dtype), &size) != TG_OK) {
        return TG_TOO_LARGE;
    }
    size_t room = owned ? (size_t)size * tg_itemsize(dtype) : 0;
    if (__builtin_add_overflow(room, header_bytes(ndim), &bytes)) return TG_TOO_LARGE;
    size_t block_bytes;
    tg_array *array = tg_pool_take(pool, bytes, &block_bytes);
    if (!array) return TG_NO_MEMORY;
    atomic_init(&array->refs, 1);
    array->dtype = (uint8_t)dtype;
    array->ndim = (uint8_t)ndim;
    array->owned = owned;
    array->size = size;
    array->pool = pool;
    array->block_bytes = block_bytes;
    array->dims = ndim <= TG_INLINE_DIMS ? array->inline_dims : (tg_index *)(array + 1);
    for (int i = 0; i < ndim; i++) array->dims[i] = shape[i];
    *out = array;
    return TG_OK;
}

/* new_header for elements that are elsewhere. */
static tg_status new_window(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                            char *data, tg_array **out) {
    tg_status status = new_header(pool, dtype, ndim, shape, false, out);
    if (status != TG_OK) return status;
    tg_array *array = *out;
    for (int i = 0; i < ndim; i++) array->dims[ndim + i] = strides[i];
    array->contiguous = is_contiguous(ndim, shape, strides, tg_itemsize(dtype));
    array->data = data;
    return TG_OK;
}

tg_status tg_array_new(tg_pool *pool, int dtype, int ndim, const tg_index *shape, tg_array **out) {
    tg_status status = new_header(pool, dtype, ndim, shape, true, out);
    if (status != TG_OK) return status;
    tg_array *array = *out;
    tg_contiguous_strides(ndim, shape, tg_itemsize(dtype), array->dims + ndim);
    array->contiguous = true;
    array->data = (char *)array + header_bytes(ndim);
    array->owner = NULL;
    array->release = NULL;
    return TG_OK;
}

tg_status tg_array_like(tg_pool *pool, const tg_array *model, tg_array **out) {
    if (!model->owned || model->ndim > TG_INLINE_DIMS) {
        return tg_array_new(pool, model->dtype, model->ndim, tg_array_shape(model), out);
    }
    size_t block_bytes;
    tg_array *array = tg_pool_take(pool, model->block_bytes, &block_bytes);
    if (!array) return TG_NO_MEMORY;
    /* An owned array is all that its header says, but for the reference count and the addresses. */
    const size_t counted = offsetof(tg_array, dtype);
    memcpy((char *)array + counted, (const char *)model + counted, sizeof *array - counted);
    atomic_init(&array->refs, 1);
    array->data = (char *)(array + 1);
    array->dims = array->inline_dims;
    array->pool = pool;
    array->block_bytes = block_bytes;
    *out = array;
    return TG_OK;
}

static bool is_view(const tg_array *array) { return array->owner && !array->release; }

tg_status tg_array_view(tg_array *base, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                        char *data, tg_array **out) {
    tg_status status = new_window(base->pool, dtype, ndim, shape, strides, data, out);
    if (status != TG_OK) return status;
    tg_array *owner = is_view(base) ? base->owner : base;
    tg_array_retain(owner);
    (*out)->owner = owner;
    (*out)->release = NULL;
    return TG_OK;
}

tg_status tg_array_borrow(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                          char *data, void (*release)(void *), void *owner, tg_array **out) {
    assert(release);
    tg_status status = new_window(pool, dtype, ndim, shape, strides, data, out);
    if (status != TG_OK) return status;
    (*out)->owner = owner;
    (*out)->release = release;
    return TG_OK;
}

void tg_array_release(tg_array *array) {
    while (array) {
        const int32_t refs = atomic_load_explicit(&array->refs, memory_order_acquire);
        if (refs != 1) { /* whoever holds the only reference is alone: nobody can add one meanwhile */
            if (!tg_pool_is_shared(array->pool)) {
                atomic_store_explicit(&array->refs, refs - 1, memory_order_relaxed);
                return;
            }
            if (atomic_fetch_sub_explicit(&array->refs, 1, memory_order_acq_rel) != 1) return;
        }
        tg_array *base = is_view(array) ? array->owner : NULL;
        if (array->release) array->release(array->owner);
        tg_pool_give(array->pool, array, array->block_bytes);
        array = base;
    }
}

/* ---- copies ---- */

void tg_array_pack(const tg_array *source, void *target) {
    tg_index strides[TG_MAX_DIMS];
    size_t itemsize = tg_itemsize(source->dtype);
    tg_contiguous_strides(source->ndim, tg_array_shape(source), itemsize, strides);
    tg_copy_strided(itemsize, source->ndim, tg_array_shape(source), source->data, tg_array_strides(source), target,
                    strides);
}

void tg_unpack(const void *source, size_t itemsize, int ndim, const tg_index *shape, const tg_index *strides,
               char *data) {
    tg_index from[TG_MAX_DIMS];
    tg_contiguous_strides(ndim, shape, itemsize, from);
    tg_copy_strided(itemsize, ndim, shape, source, from, data, strides);
}

tg_status tg_array_contiguous(tg_array *array, tg_array **out) {
    if (array->contiguous) {
        tg_array_retain(array);
        *out = array;
        return TG_OK;
    }
    tg_status status = tg_array_new(array->pool, array->dtype, array->ndim, tg_array_shape(array), out);
    if (status == TG_OK) tg_array_pack(array, (*out)->data);
    return status;
}

tg_status tg_array_unshare(tg_array **array) {
    tg_array *old = *array, *own;
    if (tg_array_is_unique(old)) return TG_OK;
    tg_status status = tg_array_like(old->pool, old, &own);
    if (status != TG_OK) return status;
    tg_array_pack(old, own->data);
    tg_array_release(old);
    *array = own;
    return TG_OK;
}

void tg_convert(const void *source, int from, void *target, int to, tg_index count) {
    if (from == to) {
        if (count) memcpy(target, source, (size_t)count * tg_itemsize(to));
    } else if (to == TG_F64) {
        assert(from == TG_F32);
        const float *narrow = source;
        double *wide = target;
        for (tg_index i = 0; i < count; i++) wide[i] = (double)narrow[i];
    } else {
        assert(from == TG_F64 && to == TG_F32);
        const double *wide = source;
        float *narrow = target;
        for (tg_index i = 0; i < count; i++) narrow[i] = (float)wide[i];
    }
}
