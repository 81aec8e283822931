/* array.h: reference-counted n-dimensional arrays: owned, views of another array, or borrowed from outside.
 *
 *   owned     [ tg_array, 40 bytes | shape, strides | elements, 64-byte aligned ]     one block of the pool
 *   view      [ tg_array | shape, strides ] -> owner (one reference held)
 *   borrowed  [ tg_array | shape, strides | release ] -> memory of someone else, handed back through `release(owner)`
 *
 * Header, shape and strides of a vector fit into one cache line, with 14 numbers into three: what passes through the
 * cache is most of what recording such vectors costs.
 *
 * Invariants: shape and strides never change after construction; strides are in bytes, may be zero (broadcast) or
 * negative; `contiguous` says that the elements lie in C order without gaps; contents are written only by the
 * creator before anyone else sees the array, or by a holder that knows it has the only reference
 * (tg_array_is_unique).
 */
#ifndef TG_ARRAY_H
#define TG_ARRAY_H

#include <stdatomic.h>

#include "core.h"
#include "pool.h"

typedef struct tg_array {
    _Atomic int32_t refs;
    uint8_t dtype;
    uint8_t ndim;
    bool contiguous : 1;
    bool owned : 1;     /* the elements follow the header */
    bool borrowed : 1;
    uint8_t size_class; /* of the block, for the pool */
    tg_index size;      /* number of elements */
    char *data;         /* first element */
    void *owner;        /* view: the tg_array it looks into; borrowed: the argument of `release`; else NULL */
    tg_pool *pool;      /* borrowed for the array's life */
    tg_index dims[];    /* shape[ndim], strides[ndim]; behind them, if borrowed, `release`: called once with `owner`
                         * when the array dies */
} tg_array;

static inline const tg_index *tg_array_shape(const tg_array *array) { return array->dims; }
static inline const tg_index *tg_array_strides(const tg_array *array) { return array->dims + array->ndim; }

/* The array in whose memory a view looks; any other array itself. Borrowed. */
static inline const tg_array *tg_array_base(const tg_array *array) {
    return array->owned || array->borrowed ? array : array->owner;
}

/* A new array in C order, contents undefined. *out: owned by the caller (one reference). */
tg_status tg_array_new(tg_pool *pool, int dtype, int ndim, const tg_index *shape, tg_array **out);

/* A new array of the shape and type of `model`, in C order, contents undefined: the quick way for results that look
 * like an operand. */
tg_status tg_array_like(tg_pool *pool, const tg_array *model, tg_array **out);

/* A view with its own type, shape, strides (bytes) and first element inside `base` (which it keeps alive). A view of
 * a view refers to the array at the end of the chain. */
tg_status tg_array_view(tg_array *base, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                        char *data, tg_array **out);

/* An array over memory of someone else, aligned for its type and in native byte order, which must stay valid and
 * unchanged until `release(owner)` is called. On failure `release` is not called. */
tg_status tg_array_borrow(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                          char *data, void (*release)(void *), void *owner, tg_array **out);

/* Gives a borrowed array another function to call. */
void tg_array_on_release(tg_array *array, void (*release)(void *));

static inline void tg_array_retain(tg_array *array) {
    if (tg_pool_is_shared(array->pool)) {
        atomic_fetch_add_explicit(&array->refs, 1, memory_order_relaxed);
    } else {
        int32_t refs = atomic_load_explicit(&array->refs, memory_order_relaxed);
        atomic_store_explicit(&array->refs, refs + 1, memory_order_relaxed);
    }
}
/* NULL is allowed and ignored. */
void tg_array_release(tg_array *array);

/* True if the caller's reference is the only one and the elements belong to the array itself: it may write. */
static inline bool tg_array_is_unique(tg_array *array) {
    return array->owned && atomic_load_explicit(&array->refs, memory_order_acquire) == 1;
}

/* Copies the elements of `source` (any layout) in C order to `target`, which has room for them and does not overlap. */
void tg_array_pack(const tg_array *source, void *target);

/* Scatters `source` (C order, elements of itemsize bytes) into the strided region (data, shape, strides). */
void tg_unpack(const void *source, size_t itemsize, int ndim, const tg_index *shape, const tg_index *strides,
               char *data);

/* `array` itself (retained) if it is contiguous, else a contiguous copy. *out: owned by the caller. */
tg_status tg_array_contiguous(tg_array *array, tg_array **out);

/* Makes *array one that its holder may write to: itself if that is so already, else a contiguous copy in its place. On
 * failure it is as it was. */
tg_status tg_array_unshare(tg_array **array);

/* Converts `count` contiguous elements between TG_F32 and TG_F64 (or copies where the types agree). */
void tg_convert(const void *source, int from, void *target, int to, tg_index count);

/* Strides in bytes of a C-order array of this shape. */
void tg_contiguous_strides(int ndim, const tg_index *shape, size_t itemsize, tg_index *strides);

bool tg_same_shape(int ndim_a, const tg_index *a, int ndim_b, const tg_index *b);

#endif
