# Which tapes know a value.

cdef tg_registry registry      # the ids of tapes that are in use
tg_registry_init(&registry)


cdef void before_fork() noexcept nogil:
    tg_registry_before_fork(&registry)
    tg_pool_before_fork(pool)


cdef void after_fork_in_parent() noexcept nogil:
    tg_pool_after_fork(pool, False)
    tg_registry_after_fork(&registry, False)


cdef void after_fork_in_child() noexcept nogil:
    tg_pool_after_fork(pool, True)
    tg_registry_after_fork(&registry, True)


check(tg_system_at_fork(before_fork, after_fork_in_parent, after_fork_in_child))


cdef inline int await_readers(tg_tape *tape) except -1:
    """A tape that another thread is sweeping must not move."""
    if tape.readers:
        wait_for_readers(tape)
    return 0


cdef int wait_for_readers(tg_tape *tape) except -1:
    while tape.readers:
        with nogil:
            tg_system_sleep(100)
        PyErr_CheckSignals()
    return 0


cdef int add_handle(Value value, tg_tape *tape, uint32_t slot) except -1:
    check(tg_handles_add(&value.handles, pool, tape.id, slot, tg_registry_has, &registry))
    return 0


cdef uint32_t watch_value(tg_tape *tape, Value value) except? 0:
    """The value's slot on the tape; it is watched from now on if it was not already."""
    cdef uint32_t slot = tg_handles_find(&value.handles, tape.id)
    if slot != TG_NO_SLOT:
        return slot
    await_readers(tape)
    check(tg_tape_watch(tape, value.value.dtype, tg_value_ndim(&value.value), tg_value_shape(&value.value), &slot))
    add_handle(value, tape, slot)
    if isinstance(value, VariableBase):
        (<GradientTape>tape.owner).remember_variable(value)
    if tape.observed:
        (<GradientTape>tape.owner).observer.watched(slot, value)
    return slot


cdef inline uint32_t slot_on(tg_tape *tape, Value value) except? 0:
    """The slot under which the tape knows the value, or TG_NO_SLOT. Reading a variable may watch it."""
    cdef uint32_t slot = tg_handles_find(&value.handles, tape.id)
    if slot == TG_NO_SLOT and value.watchable and tape.watches and tg_dtype_is_inexact(value.value.dtype):
        return watch_value(tape, value)
    return slot


def is_watched(x):
    """Whether a tape that records on this thread knows x, or would by reading it.

    Parameters
    ----------
    x
        Any object.

    Examples
    --------
    >>> import tapegrad as tf
    >>> from tapegrad.extend import is_watched
    >>> x = tf.Variable(1.0)
    >>> with tf.GradientTape():
    ...     inside = is_watched(x)
    >>> inside, is_watched(x)
    (True, False)
    """
    return isinstance(x, Value) and watched_by(tg_thread_current(), <Value>x)


cdef bint watched_by(tg_thread *thread, Value x) except -1:
    """Whether a tape that records on this thread knows x, or would by reading it."""
    cdef int i
    for i in range(thread.base, thread.count):
        if slot_on(thread.tapes[i], x) != TG_NO_SLOT:
            return True
    return False


def snapshot(x):
    """The value of x now as a tensor with x's place on the tapes; other things become constants."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    if not isinstance(x, VariableBase):
        return tensor(x)
    for i in range(thread.base, thread.count):
        slot_on(thread.tapes[i], <Value>x)
    result = copy_with_handles(<Value>x)
    if is_observed(thread):
        observe_end("read_value", [x], (result,))
    return result
