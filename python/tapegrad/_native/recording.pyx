"""Which tapes of this thread record, and their pause."""
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records


cdef class pause:
    """`with pause():` nothing inside is recorded by the tapes that record on this thread now.

    Tapes entered inside record as usual.
    """

    def __enter__(self):
        cdef tg_thread *thread = tg_thread_current()
        self.base = thread.base
        thread.base = thread.count
        return self

    def __exit__(self, *details):
        cdef tg_thread *thread = tg_thread_current()
        thread.base = min(self.base, thread.count)  # tapes may have been left inside


def check_for_anomalies(int change):
    """Counts the blocks of this thread that look for NaNs and infinities; returns how many there are now."""
    cdef tg_thread *thread = tg_thread_current()
    thread.checking += change
    return thread.checking


def is_recording():
    """Whether any tape records on this thread."""
    return bool(tg_thread_records(tg_thread_current()))
