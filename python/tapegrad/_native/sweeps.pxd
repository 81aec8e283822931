from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from tapecore.core cimport tg_index, tg_status
from tapecore.tape cimport tg_tape

cdef enum:
    FEW = 32  # sources and targets that need no memory of their own

cdef struct SweepContext:
    PyObject *error   # an exception on its way from a hook to the caller, owned; or NULL
    PyObject *slices  # a dict: for source slots the lists of IndexedSlices they got, borrowed

cdef void keep_error(void *context, object error) noexcept
cdef tg_status hook_poll(void *context) noexcept with gil
cdef int raise_hooked(tg_status status, SweepContext *context) except -1
cdef list sweep(tg_tape *tape, object observer, size_t sources_count, uint32_t *sources, size_t targets_count,
                uint32_t *targets, list seeds, tg_index batch, bint consume)
