# What the binding uses of select.h.
from tapecore.core cimport tg_status
from tapecore.pool cimport tg_pool
from tapecore.value cimport tg_value

cdef extern from "select.h" nogil:
    tg_status tg_select(tg_pool *pool, const tg_value *condition, const tg_value *x, const tg_value *y, tg_value *out)
