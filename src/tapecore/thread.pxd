# What the binding uses of thread.h.
from tapecore.core cimport tg_status
from tapecore.tape cimport tg_tape

cdef extern from "thread.h" nogil:
    ctypedef struct tg_thread:
        tg_tape **tapes
        int base, count, checking
    tg_thread *tg_thread_current()
    bint tg_thread_records(const tg_thread *thread)
    tg_status tg_thread_push(tg_tape *tape)
    bint tg_thread_remove(tg_tape *tape)
