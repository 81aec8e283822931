# Which tapes record, what they hold in memory, and pauses.

def recording_tapes():
    """The tapes that record on this thread, outermost first."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    return [<object>(<PyObject *>thread.tapes[i].owner) for i in range(thread.base, thread.count)
            if thread.tapes[i].owner != NULL]  # others are the C interface's


def check_for_anomalies(int change):
    """Counts the blocks of this thread that look for NaNs and infinities; returns how many there are now."""
    cdef tg_thread *thread = tg_thread_current()
    thread.checking += change
    return thread.checking


def tape_within(within):
    """A tape for a rule's own operations; `within`: the rules on whose behalf it records."""
    cdef GradientTape tape = GradientTape(True, False)
    tape.within = within
    return tape


def accumulator_tape():
    """The tape on which a forward accumulator follows its primals."""
    cdef GradientTape tape = GradientTape(True, False)
    tape.accumulates = True
    return tape


def is_recording():
    """Whether any tape records on this thread."""
    return bool(tg_thread_records(tg_thread_current()))


cdef class _StopRecording:
    cdef GradientTape owner

    def __init__(self, GradientTape owner):
        self.owner = owner

    def __enter__(self):
        if self.owner.state == NEW or self.owner.state == CONSUMED:
            raise RuntimeError("Trying to stop recording a tape which is not recording.")
        if self.owner.state != RECORDING:
            raise ValueError("Tape is not recording.")
        self.owner.stop()
        self.owner.paused = True
        if self.owner.observer is not None:
            self.owner.observer.paused()

    def __exit__(self, *details):
        if self.owner.paused and self.owner.observer is not None:
            self.owner.observer.resumed()
        self.owner.paused = False
        if self.owner.state == STOPPED:
            self.owner.start()


cdef tuple buffer_of(tg_array *array):
    """(address, bytes) of the elements that an array keeps in memory: a view those of the array that it looks into."""
    cdef const tg_array *base = tg_array_base(array)
    return <size_t>base.data, base.size * tg_itemsize(base.dtype)


cdef list arrays_in(object saved, list found):
    """(address, bytes) of the arrays of tensors in what a Python rule saved."""
    cdef tg_array *array
    if isinstance(saved, Value):
        array = (<Value>saved).value.array
        if array != NULL:
            found.append(buffer_of(array))
    elif isinstance(saved, np.ndarray):
        found.append((saved.ctypes.data, saved.nbytes))
    elif isinstance(saved, (tuple, list)):
        for part in saved:
            arrays_in(part, found)
    return found
