# What the binding uses of value.h.
from libc.stdint cimport uint32_t, uint64_t
from tapecore.array cimport tg_array
from tapecore.core cimport c_bool, tg_index, tg_scalar, tg_status
from tapecore.guard cimport tg_guard
from tapecore.pool cimport tg_pool

cdef extern from "value.h" nogil:
    enum: TG_NO_SLOT
    ctypedef struct tg_handle:
        uint64_t id
        uint32_t slot
    ctypedef struct tg_handles:
        uint64_t id[2]
        uint32_t slot[2]
        void *more
    ctypedef struct tg_value:
        tg_array *array
        tg_scalar scalar
        int dtype
    uint32_t tg_handles_find(const tg_handles *handles, uint64_t id)
    uint32_t tg_handles_find_shared(const tg_handles *handles, tg_guard *guard, uint64_t id)
    tg_status tg_handles_add(tg_handles *handles, tg_pool *pool, uint64_t id, uint32_t slot,
                             c_bool (*is_live)(void *context, uint64_t id) noexcept, void *context)
    bint tg_handles_get(const tg_handles *handles, uint32_t index, tg_handle *out)
    tg_status tg_handles_copy(const tg_handles *source, tg_pool *pool, tg_handles *target)
    void tg_handles_clear(tg_handles *handles, tg_pool *pool)
    int tg_value_ndim(const tg_value *value)
    tg_index tg_value_size(const tg_value *value)
    const tg_index *tg_value_shape(const tg_value *value)
    void tg_value_from_array(tg_array *array, tg_value *out)
