# What hears of every operation: tapes with an observer, and the search for anomalies.

cdef list listed(int count, PyObject **values):
    """The operands of an operation that are tensors or variables, None for the others."""
    cdef int k
    return [None if values[k] == NULL else <object>values[k] for k in range(count)]


cdef list listed_values(object operands):
    return [x if isinstance(x, Value) else None for x in operands]


cdef bint is_observed(tg_thread *thread) noexcept:
    """Whether a tape that records on this thread has an observer."""
    cdef int i
    for i in range(thread.base, thread.count):
        if thread.tapes[i].observed:
            return True
    return False


cdef int observe(tg_thread *thread, str name, list operands, tuple results) except -1:
    """Tells the observers of an operation, after all tapes that know an operand have recorded it: they may raise."""
    cdef tg_tape *tape
    cdef uint32_t slot
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        operands = [original(x) for x in operands]
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        if tape.observed:
            slot = tg_handles_find(&(<Value>results[0]).handles, tape.id) if results else TG_NO_SLOT
            if slot == TG_NO_SLOT:
                (<GradientTape>tape.owner).observer.ended(name, operands, results)
            else:
                (<GradientTape>tape.owner).observer.recorded(slot, name, operands, results)
    return 0


def observe_end(str name, list operands, tuple results=()):
    """Tells the observers that what `name` makes of values is no longer followed: it has no derivative, or (without a
    result) the value has left as a number or an array. Operands that are no values are None."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        operands = [original(x) for x in operands]
    for i in range(thread.base, thread.count):
        if thread.tapes[i].observed:
            (<GradientTape>thread.tapes[i].owner).observer.ended(name, operands, results)
