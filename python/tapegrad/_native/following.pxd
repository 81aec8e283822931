from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from tapecore.core cimport tg_dtype_is_inexact, tg_status
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.tape cimport tg_tape, tg_tape_give, tg_tape_take
from tapecore.thread cimport tg_thread
from tapecore.value cimport TG_NO_SLOT, tg_handles
from tapegrad._native.values cimport Tensor, Value, find_slot

cdef int add_handle(Value value, tg_tape *tape, uint32_t slot) except -1
cdef uint32_t watch_value(tg_tape *tape, Value value) except? 0
cdef bint watched_by(tg_thread *thread, Value x) except -1
cdef bint known_to_tapes(tg_thread *thread, int count, PyObject **values, const char *const *partial) except -1
cdef tg_status announce(tg_thread *thread, int count, const tg_handles *const *handles, const char *const *partial,
                        Tensor out) noexcept
cdef list held_while_waiting(tg_thread *thread, int count, PyObject **values)
cdef list lasting_handles(int count, PyObject **values, const tg_handles **handles)


cdef inline uint32_t slot_on(tg_tape *tape, Value value) except? 0:
    """The slot under which the tape knows the value, or TG_NO_SLOT. Reading a variable may watch it."""
    cdef uint32_t slot = find_slot(value, tape.id)
    if slot == TG_NO_SLOT and value.watchable and tape.watches and tg_dtype_is_inexact(value.value.dtype):
        return watch_value(tape, value)
    return slot


cdef inline const tg_handles *handles_on(tg_tape *tape, Value value) except NULL:
    """The value's handles; a variable is watched first."""
    if value.watchable and value.handles.id[0] != tape.id:
        slot_on(tape, value)
    return &value.handles


cdef inline void hold_tapes(tg_thread *thread) noexcept:
    """Around the moment at which tapes record, in which nothing of Python runs: see guard.h."""
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        for i in range(thread.base, thread.count):
            tg_tape_take(thread.tapes[i])


cdef inline void let_tapes_go(tg_thread *thread) noexcept:
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        for i in range(thread.base, thread.count):
            tg_tape_give(thread.tapes[i])
