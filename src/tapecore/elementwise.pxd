# What the binding uses of elementwise.h.
from tapecore.core cimport tg_status
from tapecore.ops cimport tg_loop, tg_loops
from tapecore.pool cimport tg_pool
from tapecore.value cimport tg_value

cdef extern from "elementwise.h" nogil:
    ctypedef struct tg_workspace:
        pass
    void tg_workspace_init(tg_workspace *workspace, tg_pool *pool)
    void tg_workspace_clear(tg_workspace *workspace)
    tg_status tg_elementwise_loop(tg_loop loop, int count, tg_pool *pool, int dtype, const tg_value *operands,
                                  tg_value *out)
    tg_status tg_elementwise(const tg_loops *loops, tg_pool *pool, int op, int dtype, const tg_value *operands,
                             tg_value *out)
