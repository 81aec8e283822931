# What the binding uses of record.h.
from libc.stdint cimport uint32_t, uint64_t
from tapecore.structural cimport tg_call
from tapecore.tape cimport tg_tape
from tapecore.value cimport tg_handles, tg_value

cdef extern from "record.h" nogil:
    ctypedef enum tg_quick:
        TG_QUICK_NOTHING, TG_QUICK_RECORDED, TG_QUICK_GENERAL
    tg_quick tg_record_number(tg_tape *tape, int op, int dtype, bint binary, const tg_handles *x_handles, uint64_t x,
                              const tg_handles *y_handles, uint64_t y, uint64_t out, tg_handles *out_handles)
    tg_quick tg_record_array(tg_tape *tape, int op, int operands, const tg_handles **handles, const tg_value *values,
                             const tg_value *out, tg_handles *out_handles)
    tg_quick tg_record_move(tg_tape *tape, const tg_call *call, uint32_t operands, const tg_handles **handles,
                            tg_handles *out_handles)
