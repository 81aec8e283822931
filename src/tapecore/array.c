/* array.c: the header of an array, its reference count, and conversions of its elements. */
#include "array.h"

#include <assert.h>
#include <string.h>

#include "copy.h"

_Static_assert(sizeof(tg_array) + 2 * sizeof(tg_index) <= TG_ALIGNMENT, "a vector's header is one line");

/* Bytes of the header, shape and strides. */
static size_t header_bytes(int ndim) { return sizeof(tg_array) + 2 * (size_t)ndim * sizeof(tg_index); }

/* Where the elements of an owned array begin. */
static size_t elements_at(int ndim) {
    return (header_bytes(ndim) + TG_ALIGNMENT - 1) & ~(size_t)(TG_ALIGNMENT - 1);
}

typedef void (*release_function)(void *);

/* Where a borrowed array keeps its function. */
static release_function *release_of(tg_array *array) {
    return (release_function *)(void *)(array->dims + 2 * array->ndim);
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

/* A header with `bytes` bytes in all; the caller sets strides, contiguous, data, and whose they are. */
static tg_status new_header(tg_pool *pool, int dtype, int ndim, const tg_index *shape, tg_index size, size_t bytes,
                            tg_array **out) {
    if (bytes > TG_POOL_LARGEST) return TG_NO_MEMORY;
    const uint8_t size_class = tg_pool_class(bytes);
    tg_array *array = tg_pool_take_class(pool, size_class, bytes);
    if (!array) return TG_NO_MEMORY;
    atomic_init(&array->refs, 1);
    array->dtype = (uint8_t)dtype;
    array->ndim = (uint8_t)ndim;
    array->contiguous = array->owned = array->borrowed = false;
    array->size_class = size_class;
    array->size = size;
    array->owner = NULL;
    array->pool = pool;
    for (int i = 0; i < ndim; i++) array->dims[i] = shape[i];
    *out = array;
    return TG_OK;
}

/* new_header for elements that are elsewhere. */
static tg_status new_window(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                            char *data, bool borrowed, tg_array **out) {
    tg_index size;
    if (ndim > TG_MAX_DIMS || tg_checked_size(ndim, shape, tg_itemsize(dtype), &size) != TG_OK) return TG_TOO_LARGE;
    const size_t bytes = header_bytes(ndim) + (borrowed ? sizeof(release_function) : 0);
    tg_status status = new_header(pool, dtype, ndim, shape, size, bytes, out);
    if (status != TG_OK) return status;
    tg_array *array = *out;
    for (int i = 0; i < ndim; i++) array->dims[ndim + i] = strides[i];
    array->contiguous = is_contiguous(ndim, shape, strides, tg_itemsize(dtype));
    array->borrowed = borrowed;
    array->data = data;
    return TG_OK;
}

/* Not inlined into tg_array_like, whose short way needs no frame. */
__attribute__((noinline)) tg_status tg_array_new(tg_pool *pool, int dtype, int ndim, const tg_index *shape,
                                                 tg_array **out) {
    tg_index size;
    size_t bytes;
    if (ndim > TG_MAX_DIMS || tg_checked_size(ndim, shape, tg_itemsize(dtype), &size) != TG_OK ||
        __builtin_add_overflow((size_t)size * tg_itemsize(dtype), elements_at(ndim), &bytes)) {
        return TG_TOO_LARGE;
    }
    tg_status status = new_header(pool, dtype, ndim, shape, size, bytes, out);
    if (status != TG_OK) return status;
    tg_array *array = *out;
    tg_contiguous_strides(ndim, shape, tg_itemsize(dtype), array->dims + ndim);
    array->contiguous = array->owned = true;
    array->data = (char *)array + elements_at(ndim);
    return TG_OK;
}

tg_status tg_array_like(tg_pool *pool, const tg_array *model, tg_array **out) {
    const size_t before = elements_at(model->ndim);
    if (!model->owned || before > 2 * TG_ALIGNMENT) {
        return tg_array_new(pool, model->dtype, model->ndim, tg_array_shape(model), out);
    }
    const size_t bytes = before + (size_t)model->size * tg_itemsize(model->dtype);
    tg_array *array = tg_pool_take_class(pool, model->size_class, bytes);
    if (!array) return TG_NO_MEMORY;
    /* An owned array is all that its header says, but for the reference count (which others may be changing) and the
     * addresses. */
    const size_t counted = offsetof(tg_array, dtype);
    memcpy((char *)array + counted, (const char *)model + counted, TG_ALIGNMENT - counted);
    if (before > TG_ALIGNMENT) memcpy((char *)array + TG_ALIGNMENT, (const char *)model + TG_ALIGNMENT, TG_ALIGNMENT);
    atomic_init(&array->refs, 1);
    array->data = (char *)array + before;
    array->pool = pool;
    *out = array;
    return TG_OK;
}

static bool is_view(const tg_array *array) { return !array->owned && !array->borrowed; }

tg_status tg_array_view(tg_array *base, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                        char *data, tg_array **out) {
    tg_status status = new_window(base->pool, dtype, ndim, shape, strides, data, false, out);
    if (status != TG_OK) return status;
    tg_array *owner = is_view(base) ? base->owner : base;
    tg_array_retain(owner);
    (*out)->owner = owner;
    return TG_OK;
}

tg_status tg_array_borrow(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                          char *data, void (*release)(void *), void *owner, tg_array **out) {
    assert(release);
    tg_status status = new_window(pool, dtype, ndim, shape, strides, data, true, out);
    if (status != TG_OK) return status;
    (*out)->owner = owner;
    *release_of(*out) = release;
    return TG_OK;
}

void tg_array_on_release(tg_array *array, void (*release)(void *)) {
    assert(array->borrowed);
    *release_of(array) = release;
}

/* A view or borrowed array has nobody left: its header goes, and what it held. */
static __attribute__((noinline)) void release_window(tg_array *array) {
    void *owner = array->owner;
    const release_function release = array->borrowed ? *release_of(array) : NULL;
    tg_pool_give_class(array->pool, array, array->size_class);
    if (release) {
        release(owner);
    } else {
        tg_array_release(owner);
    }
}

void tg_array_release(tg_array *array) {
    if (!array) return;
    const int32_t refs = atomic_load_explicit(&array->refs, memory_order_acquire);
    if (refs != 1) { /* whoever holds the only reference is alone: nobody can add one meanwhile */
        if (!tg_pool_is_shared(array->pool)) {
            atomic_store_explicit(&array->refs, refs - 1, memory_order_relaxed);
            return;
        }
        if (atomic_fetch_sub_explicit(&array->refs, 1, memory_order_acq_rel) != 1) return;
    }
    if (array->owned) {
        tg_pool_give_class(array->pool, array, array->size_class);
    } else {
        release_window(array);
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
