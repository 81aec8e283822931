from libc.stdint cimport uint32_t
from tapecore.core cimport tg_index
from tapecore.tape cimport tg_tape
from tapegrad._native.values cimport Value


cdef class GradientTape:
    cdef tg_tape tape
    cdef int state
    cdef bint persistent
    cdef bint paused                # inside stop_recording
    cdef list variables             # watched variables, None before the first; they live as long as the tape
    cdef list payloads              # what nodes with Python rules saved, likewise
    cdef tuple remembered           # the variables of a consumed tape
    cdef readonly object observer   # hears of every node (tapegrad._observing), or None
    cdef bint accumulates           # belongs to a forward accumulator
    cdef readonly frozenset within  # a tape of tapegrad's own, for batches: the rules on whose behalf it records
    cdef object __weakref__

    cdef int forget(self, bint renew) except -1
    cdef int remember_variable(self, object variable) except -1
    cdef int keep(self, object payload) except -1
    cdef tuple lists(self)
    cdef tuple give_up_lists(self)
    cdef bint claims(self, int before, int after, tuple variables=*) except -1
    cdef tuple recalled(self)
    cdef list nodes_from(self, uint32_t slot, size_t limit)
    cdef bint keeps(self)
    cdef int start(self) except -1
    cdef int stop(self) except -1
    cdef int watch_one(self, Value value) except -1
    cdef bint in_one_pass(self, Value target, Value source)
    cdef object jacobian_in_one_pass(self, Value target, Value source, bint zero)
    cdef int check_usable(self) except -1
    cdef int end_recording(self) except -1
    cdef int use_up(self) except -1
    cdef tg_index typical_size(self)
    cdef list differentiate(self, list targets, list sources, list seeds)
