# What the binding uses of guard.h.
from libc.stdint cimport uint64_t

cdef extern from "guard.h" nogil:
    enum: TG_WITHOUT_INTERPRETER_LOCK
    ctypedef struct tg_guard:
        pass
    void tg_guard_take(tg_guard *guard)
    void tg_guard_give(tg_guard *guard)
    bint tg_guard_changes(const tg_guard *guard)
    void tg_guard_set_changes(tg_guard *guard)
    void *tg_guard_object(const tg_guard *guard)
    void tg_guard_set_object(tg_guard *guard, void *object)
    uint64_t tg_guard_count(uint64_t *counter)  # one more: the new count
