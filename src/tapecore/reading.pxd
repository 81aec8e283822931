# What the binding uses of reading.h.
from libc.stdint cimport uint32_t, uint64_t
from tapecore.registry cimport tg_registry
from tapecore.tape cimport tg_tape

cdef extern from "reading.h" nogil:
    ctypedef enum tg_reading:
        TG_READING_NOT, TG_READING_SHARED, TG_READING_ALONE, TG_READING_WITHIN
    tg_reading tg_reading_begin(tg_tape *tape)
    tg_reading tg_reading_begin_alone(tg_tape *tape)
    void tg_reading_end(tg_tape *tape, tg_reading reading)
    bint tg_reading_forget(tg_tape *tape, tg_registry *registry, bint renew)
    bint tg_reading_is_leaf(tg_registry *registry, uint64_t id, uint32_t slot)
