# Which tapes know a value.

cdef tg_registry registry      # the ids of tapes that are in use
cdef int generation = 1        # counts the forks between the first process and this one
tg_registry_init(&registry)


cdef void before_fork() noexcept nogil:
    tg_registry_before_fork(&registry)
    tg_pool_before_fork(pool)


cdef void after_fork_in_parent() noexcept nogil:
    tg_pool_after_fork(pool, False)
    tg_registry_after_fork(&registry, False)


cdef void after_fork_in_child() noexcept nogil:
    global generation
    generation += 1
    tg_pool_after_fork(pool, True)
    if TG_WITHOUT_INTERPRETER_LOCK:
        tg_pool_share(pool)
    tg_registry_after_fork(&registry, True)


check(tg_system_at_fork(before_fork, after_fork_in_parent, after_fork_in_child))


cdef inline int await_readers(tg_tape *tape) except -1:
    """A tape that another thread is sweeping must not move. (Without the interpreter lock it can grow meanwhile.)"""
    if not TG_WITHOUT_INTERPRETER_LOCK and tape.readers:
        wait_for_readers(tape)
    return 0


cdef int wait_for_readers(tg_tape *tape) except -1:
    while tape.readers:
        pass_time()
    return 0


cdef inline void count_reader(tg_tape *tape, int change) noexcept:
    """Around a sweep that gives the interpreter lock up. Where there is none, begin_reading has counted it."""
    if not TG_WITHOUT_INTERPRETER_LOCK:
        tape.readers += change


cdef int pass_time() except -1:
    """What to do while another thread has something: Ctrl-C is answered."""
    with nogil:
        tg_system_sleep(100)
    PyErr_CheckSignals()
    return 0


cdef tg_reading begin_reading(tg_tape *tape, bint alone) except TG_READING_NOT:
    """Before a tape's nodes are looked at (`alone`: and changed); matters without an interpreter lock, where
    tg_reading_end follows."""
    cdef tg_reading reading = tg_reading_begin_alone(tape) if alone else tg_reading_begin(tape)
    while reading == TG_READING_NOT:
        pass_time()
        reading = tg_reading_begin_alone(tape) if alone else tg_reading_begin(tape)
    return reading


cdef int add_handle(Value value, tg_tape *tape, uint32_t slot) except -1:
    cdef tg_status status
    tg_guard_take(&value.guard)
    status = tg_handles_add(&value.handles, pool, tape.id, slot, tg_registry_has, &registry)
    tg_guard_give(&value.guard)
    check(status)
    return 0


cdef inline uint32_t find_slot(Value value, uint64_t id) noexcept:
    """The slot under which tape `id` knows the value, or TG_NO_SLOT."""
    if TG_WITHOUT_INTERPRETER_LOCK:
        return find_shared(value, id)
    return tg_handles_find(&value.handles, id)


cdef uint32_t find_shared(Value value, uint64_t id) noexcept:
    if changes(value) and isinstance(value, Tensor):
        value = settled_now(value)
    return tg_handles_find_shared(&value.handles, &value.guard, id)


cdef uint32_t watch_value(tg_tape *tape, Value value) except? 0:
    """The value's slot on the tape; it is watched from now on if it was not already."""
    cdef uint32_t slot = find_slot(value, tape.id)
    cdef Value variable
    cdef tg_status status = TG_OK
    if slot != TG_NO_SLOT:
        return slot
    if TG_WITHOUT_INTERPRETER_LOCK:
        if changes(value) and isinstance(value, Tensor):
            return watch_value(tape, settled_now(value))
        if tg_guard_object(&value.guard) != NULL:  # what a variable was when an operation began
            variable = <Value>tg_guard_object(&value.guard)
            slot = watch_value(tape, variable)
            add_handle(value, tape, slot)
            return slot
    await_readers(tape)
    tg_tape_take(tape)
    tg_guard_take(&value.guard)
    if TG_WITHOUT_INTERPRETER_LOCK:  # another thread may have come first
        slot = tg_handles_find(&value.handles, tape.id)
    if slot == TG_NO_SLOT:
        status = tg_tape_watch(tape, value.value.dtype, tg_value_ndim(&value.value), tg_value_shape(&value.value),
                               &slot)
        if status == TG_OK:
            status = tg_handles_add(&value.handles, pool, tape.id, slot, tg_registry_has, &registry)
    tg_guard_give(&value.guard)
    tg_tape_give(tape)
    check(status)
    if isinstance(value, VariableBase):
        (<GradientTape>tape.owner).remember_variable(value)
    if tape.observed:
        (<GradientTape>tape.owner).observer.watched(slot, value)
    return slot


cdef inline uint32_t slot_on(tg_tape *tape, Value value) except? 0:
    """The slot under which the tape knows the value, or TG_NO_SLOT. Reading a variable may watch it."""
    cdef uint32_t slot = find_slot(value, tape.id)
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
