"""Which tapes know a value, and how they come to know the result of an operation."""
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from tapecore.core cimport TG_OK, tg_status
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK, tg_guard_give, tg_guard_object, tg_guard_take
from tapecore.registry cimport tg_registry_has
from tapecore.tape cimport tg_tape, tg_tape_give, tg_tape_take, tg_tape_watch
from tapecore.thread cimport tg_thread, tg_thread_current
from tapecore.value cimport TG_NO_SLOT, tg_handles, tg_handles_add, tg_handles_find, tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport await_readers, check, pool, registry
from tapegrad._native.recording cimport owners
from tapegrad._native.values cimport Tensor, Value, changes, copy_value, copy_with_handles, find_slot, settled_now


cdef int add_handle(Value value, tg_tape *tape, uint32_t slot) except -1:
    cdef tg_status status
    tg_guard_take(&value.guard)
    status = tg_handles_add(&value.handles, pool, tape.id, slot, tg_registry_has, &registry)
    tg_guard_give(&value.guard)
    check(status)
    return 0


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
    if not isinstance(value, Tensor):
        owners.remember(tape.owner, value)
    if tape.observed:
        owners.observer(tape.owner).watched(slot, value)
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


cdef bint known_to_tapes(tg_thread *thread, int count, PyObject **values, const char *const *partial) except -1:
    """Whether any tape knows an operand by which the result can be differentiated; variables are watched. Waits until
    such tapes can record."""
    cdef int i, k
    cdef bint tracked, any_tracked = False
    for i in range(thread.base, thread.count):
        tracked = False
        for k in range(count):
            if values[k] != NULL and (partial == NULL or partial[k] != NULL):
                tracked |= slot_on(thread.tapes[i], <Value>values[k]) != TG_NO_SLOT
        if tracked:
            await_readers(thread.tapes[i])
            any_tracked = True
    return any_tracked


cdef tg_status announce(tg_thread *thread, int count, const tg_handles *const *handles, const char *const *partial,
                        Tensor out) noexcept:
    """Gives a result its handle on every tape that is about to record it; the tapes are held.

    All tapes are told before the first one records: what a tape saves names the places it has on the others, and the
    place is known, since a tape's next output is its next slot.
    """
    cdef int i, k
    cdef tg_tape *tape
    cdef tg_status status
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        for k in range(count):
            if (handles[k] != NULL and (partial == NULL or partial[k] != NULL)
                    and tg_handles_find(handles[k], tape.id) != TG_NO_SLOT):
                status = tg_handles_add(&out.handles, pool, tape.id, tape.slots, tg_registry_has, &registry)
                if status != TG_OK:
                    return status
                break
    return TG_OK


cdef list held_while_waiting(tg_thread *thread, int count, PyObject **values):
    """Tensors of the operands as they are, if a tape cannot record at once: variables may be assigned to meanwhile."""
    cdef int i, k
    for i in range(thread.base, thread.count):
        if not TG_WITHOUT_INTERPRETER_LOCK and thread.tapes[i].readers:
            return [copy_value(<Value>values[k]) for k in range(count) if values[k] != NULL]
    return None


cdef list lasting_handles(int count, PyObject **values, const tg_handles **handles):
    """Finds the operands' handles (NULL for a constant). Without an interpreter lock others may be adding to these:
    they are those of tensors in the list that is returned."""
    cdef int k
    copies = [] if TG_WITHOUT_INTERPRETER_LOCK else None
    for k in range(count):
        handles[k] = NULL
        if values[k] != NULL:
            if TG_WITHOUT_INTERPRETER_LOCK:
                copies.append(copy_with_handles(<Value>values[k]))
                handles[k] = &(<Value>copies[-1]).handles
            else:
                handles[k] = &(<Value>values[k]).handles
    return copies
