# What the binding uses of lock.h.

cdef extern from "lock.h" nogil:
    ctypedef struct tg_lock:
        pass
    void tg_lock_take(tg_lock *lock)
    void tg_lock_give(tg_lock *lock)
