# What the binding uses of pool.h.
from libc.stdint cimport uint64_t
from tapecore.core cimport tg_status

cdef extern from "pool.h" nogil:
    ctypedef struct tg_allocator:
        pass
    ctypedef struct tg_pool_stats:
        size_t live, cached, peak, limit
        uint64_t taken, fresh
    ctypedef struct tg_pool:
        pass
    tg_status tg_pool_create(tg_allocator allocator, size_t limit, tg_pool **out)
    tg_pool_stats tg_pool_statistics(tg_pool *pool)
    void tg_pool_reset_peak(tg_pool *pool)
    void tg_pool_set_limit(tg_pool *pool, size_t limit)
    void tg_pool_trim(tg_pool *pool)
    void tg_pool_share(tg_pool *pool)
    void tg_pool_unshare(tg_pool *pool)
    void tg_pool_before_fork(tg_pool *pool)
    void tg_pool_after_fork(tg_pool *pool, bint in_child)
