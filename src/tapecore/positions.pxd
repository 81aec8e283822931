# What the binding uses of positions.h.
from libc.stdint cimport int64_t
from tapecore.core cimport tg_index

cdef extern from "positions.h" nogil:
    bint tg_positions_from_start(int64_t *positions, tg_index count, tg_index length)
