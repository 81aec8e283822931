# What the binding uses of batch.h.
from tapecore.core cimport tg_index
from tapecore.structural cimport tg_call

cdef extern from "batch.h" nogil:
    void tg_batch_call(tg_call *call, tg_index batch, tg_index *storage)
