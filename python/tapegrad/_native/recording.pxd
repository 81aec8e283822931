from tapecore.thread cimport tg_thread

cdef struct Owners:
    int (*remember)(void *owner, object variable) except -1  # a variable that the tape watches
    int (*keep)(void *owner, object payload) except -1       # what a node with a Python rule refers to
    object (*observer)(void *owner)                          # hears of every node (tapegrad._observing), or None
    object (*within)(void *owner)                            # the rules on whose behalf the tape records

# What operations ask of the tape that a `tg_tape` belongs to, filled in by `tapes` while it is imported.
cdef Owners owners


cdef class pause:
    cdef int base


cdef inline bint is_observed(tg_thread *thread) noexcept:
    """Whether a tape that records on this thread has an observer."""
    cdef int i
    for i in range(thread.base, thread.count):
        if thread.tapes[i].observed:
            return True
    return False
