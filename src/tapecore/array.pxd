# What the binding uses of array.h.
from libc.stdint cimport uint8_t
from tapecore.core cimport tg_index, tg_status
from tapecore.pool cimport tg_pool

cdef extern from "array.h" nogil:
    ctypedef struct tg_array:
        uint8_t dtype, ndim
        bint contiguous, owned
        tg_index size
        char *data
    const tg_array *tg_array_base(const tg_array *array)
    const tg_index *tg_array_shape(const tg_array *array)
    const tg_index *tg_array_strides(const tg_array *array)
    tg_status tg_array_new(tg_pool *pool, int dtype, int ndim, const tg_index *shape, tg_array **out)
    tg_status tg_array_view(tg_array *base, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                            char *data, tg_array **out)
    tg_status tg_array_borrow(tg_pool *pool, int dtype, int ndim, const tg_index *shape, const tg_index *strides,
                              char *data, void (*release)(void *) noexcept, void *owner, tg_array **out)
    void tg_array_retain(tg_array *array)
    void tg_array_release(tg_array *array)
    tg_status tg_array_unshare(tg_array **array)
    bint tg_array_is_unique(tg_array *array)
    void tg_array_pack(const tg_array *source, void *target)
    bint tg_same_shape(int ndim_a, const tg_index *a, int ndim_b, const tg_index *b)
