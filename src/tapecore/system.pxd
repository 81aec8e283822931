# What the binding uses of system.h.
from tapecore.core cimport tg_status
from tapecore.pool cimport tg_allocator

cdef extern from "system.h" nogil:
    tg_allocator tg_system_allocator()
    void tg_system_sleep(unsigned int microseconds)
    tg_status tg_system_at_fork(void (*before)() noexcept nogil, void (*in_parent)() noexcept nogil,
                                void (*in_child)() noexcept nogil)
