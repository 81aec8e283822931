# What the core was built with, and what its buffers take.

def build_info():
    """How this module was compiled, and which of NumPy's inner loops the core runs: names of operations by dtype."""
    cdef int op, t
    found = {}
    for t, name in ((TG_NATIVE_F32, "float32"), (TG_NATIVE_F64, "float64")):
        found[name] = [OPS[op] for op in range(TG_ELEMENTWISE_OPS)
                       if UFUNCS[op] is not None and loops.elementwise[op][t].function != NULL]
        if loops.matmul[t].function != NULL:
            found[name].append("matmul")
    return {"compiler": TG_COMPILER.decode(), "cython": cython.__version__, "assertions": bool(TG_ASSERTIONS),
            "block": TG_BLOCK, "alignment": TG_ALIGNMENT, "dimensions": TG_MAX_DIMS, "loops": found,
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
