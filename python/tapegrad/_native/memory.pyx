"""What the native part consists of, and the memory of its pool."""
cimport cython
from tapecore.core cimport TG_ALIGNMENT, TG_BLOCK, TG_MAX_DIMS
from tapecore.ops cimport TG_ELEMENTWISE_OPS, TG_NATIVE_F32, TG_NATIVE_F64
from tapecore.pool cimport tg_pool_reset_peak, tg_pool_set_limit, tg_pool_statistics, tg_pool_stats, tg_pool_trim
from tapegrad._native._core cimport loops, pool

from tapegrad._native._core import OPS, UFUNCS

cdef extern from *:
    """
    #ifdef __clang__
    #define TG_COMPILER __VERSION__  /* begins with Clang's name */
    #else
    #define TG_COMPILER "GCC " __VERSION__
    #endif
    #ifdef NDEBUG
    #define TG_ASSERTIONS 0
    #else
    #define TG_ASSERTIONS 1
    #endif
    """
    const char *TG_COMPILER
    bint TG_ASSERTIONS


def build_info():
    """How this module was compiled, and which of NumPy's inner loops the core runs: names of operations by dtype."""
    cdef int op, t
    found = {}
    for t, name in ((TG_NATIVE_F32, "float32"), (TG_NATIVE_F64, "float64")):
        found[name] = [OPS[op] for op in range(TG_ELEMENTWISE_OPS)
                       if UFUNCS[op] is not None and loops.elementwise[op][t].function != NULL]
        if loops.matmul[t].function != NULL:
            found[name].append("matmul")
    return {"module": __file__, "compiler": TG_COMPILER.decode(), "cython": cython.__version__,
            "assertions": bool(TG_ASSERTIONS), "block": TG_BLOCK, "alignment": TG_ALIGNMENT,
            "dimensions": TG_MAX_DIMS, "loops": found,
            "own": [OPS[op] for op in range(TG_ELEMENTWISE_OPS) if UFUNCS[op] is None]}


def memory_stats():
    """(live, cached, peak, limit, taken, fresh) of the pool that buffers and tapes come from."""
    cdef tg_pool_stats stats = tg_pool_statistics(pool)
    return stats.live, stats.cached, stats.peak, stats.limit, stats.taken, stats.fresh


def memory_reset_peak():
    """Starts the peak anew from what is live now."""
    tg_pool_reset_peak(pool)


def memory_set_limit(limit):
    """The most bytes of freed buffers that are kept for reuse; a smaller limit frees at once."""
    if limit < 0:
        raise ValueError(f"the limit is a number of bytes, got {limit}")
    tg_pool_set_limit(pool, limit)


def memory_trim():
    """Gives every cached buffer back to the system."""
    tg_pool_trim(pool)
