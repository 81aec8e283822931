/* core.h: the words every other file of the core uses: status codes, sizes, element types, scalars.
 *
 * Nothing here (or anywhere else in the core) knows Python. The binding maps each status to an exception.
 */
#ifndef TG_CORE_H
#define TG_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes, shapes and strides. It is NumPy's `npy_intp`, so that shapes go to NumPy's inner loops as they are. */
typedef intptr_t tg_index;

/* The same limit as NumPy's NPY_MAXDIMS. */
#define TG_MAX_DIMS 64

/* Alignment of every buffer: one cache line, and one AVX-512 register. */
#define TG_ALIGNMENT 64

/* Elements handled at a time where an expression needs temporaries: four of them in float64 fill an L1 cache. */
#define TG_BLOCK 1024

typedef enum tg_status {
    TG_OK = 0,
    TG_NO_MEMORY,    /* an allocation failed; the object is as it was */
    TG_TOO_LARGE,    /* a size computation would overflow, or a tape would outgrow its 32-bit indices */
    TG_INTERRUPTED,  /* the caller's poll function asked to stop (Ctrl-C) */
    TG_CALLBACK,     /* a rule outside the core failed; the binding holds the exception */
    TG_BAD_SHAPE,    /* operand shapes do not fit the operation */
} tg_status;

/* The element types a value can have. The order is the promotion-free order of `tg_dtype_info`; the binding maps
 * NumPy's type numbers onto it. Only TG_F32 and TG_F64 have native derivative kernels (tg_dtype_is_native). */
typedef enum tg_dtype {
    TG_BOOL,
    TG_I8,
    TG_I16,
    TG_I32,
    TG_I64,
    TG_U8,
    TG_U16,
    TG_U32,
    TG_U64,
    TG_F16,
    TG_F32,
    TG_F64,
    TG_C64,
    TG_C128,
    TG_NDTYPES
} tg_dtype;

/* One element of any type, in its memory representation; a 0-d value is stored so, without an array. */
typedef union tg_scalar {
    double f64;
    float f32;
    int64_t i64;
    uint64_t u64;
    bool b;
    double c128[2];
    float c64[2];
    unsigned char bytes[16];
} tg_scalar;

/* Bytes of one element. */
static inline size_t tg_itemsize(int dtype) {
    static const unsigned char sizes[TG_NDTYPES] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 8, 16};
    return sizes[dtype];
}

/* float32 and float64: the types whose derivative kernels are compiled. */
static inline bool tg_dtype_is_native(int dtype) { return dtype == TG_F32 || dtype == TG_F64; }

/* Types that carry a gradient at all: real and complex floating point. */
static inline bool tg_dtype_is_inexact(int dtype) { return dtype >= TG_F16; }

/* The product of `count` sizes, or TG_TOO_LARGE where it (or `itemsize` times it) overflows. A zero wins over an
 * overflow, as in NumPy. */
tg_status tg_checked_size(int count, const tg_index *sizes, size_t itemsize, tg_index *out);

#endif
