# Values that change, where no interpreter lock keeps them as they are during an operation.

# Variables are assigned to, and tensors written to. Under the interpreter lock nobody does while an operation reads its
# operands. Without it an operation works on what cannot change: on tensors as they are, until they are written to; on a
# tensor of its own for a variable (`settled_now`), which knows its variable and watches that; and a tensor that is
# written to keeps its first value, which somebody may be reading, and refers to a tensor with the present one.

cdef inline bint changes(object x) noexcept:
    """Whether x is a value that another thread may replace meanwhile: never under the interpreter lock."""
    return TG_WITHOUT_INTERPRETER_LOCK and isinstance(x, Value) and tg_guard_changes(&(<Value>x).guard)


cdef inline object unchanging(object x):
    """x; if it is a value that changes, a tensor of its value now, known to the same tapes."""
    return settled_now(<Value>x) if changes(x) else x


cdef Tensor settled_now(Value x):
    """A value that changes as a tensor that does not."""
    cdef Tensor result
    cdef tg_status status
    if isinstance(x, Tensor):
        tg_guard_take(&x.guard)
        result = <Tensor>tg_guard_object(&x.guard)
        tg_guard_give(&x.guard)
        return result
    result = allocate_tensor()
    tg_guard_take(&x.guard)
    result.value = x.value
    if result.value.array != NULL:
        tg_array_retain(result.value.array)
    status = tg_handles_copy(&x.handles, pool, &result.handles)
    tg_guard_give(&x.guard)
    check(status)
    result.watchable = x.watchable
    Py_INCREF(x)
    tg_guard_set_object(&result.guard, <void *>x)
    return result


cdef object original(object x):
    """The variable whose value an operation has worked on (`settled_now`); any other operand itself."""
    if isinstance(x, Tensor) and not changes(x) and tg_guard_object(&(<Value>x).guard) != NULL:
        return <object>tg_guard_object(&(<Value>x).guard)
    return x


cdef int become(Tensor x, Tensor new) except -1:
    """Makes x stand for the value `new`, which is nobody else's."""
    cdef void *before
    Py_INCREF(new)
    tg_guard_take(&x.guard)
    before = tg_guard_object(&x.guard)
    tg_guard_set_object(&x.guard, <void *>new)
    tg_guard_set_changes(&x.guard)
    tg_guard_give(&x.guard)
    if before != NULL:
        Py_DECREF(<object>before)
    return 0


cdef int let_go(Value x) noexcept:
    """When x is freed: what it refers to."""
    cdef void *other = tg_guard_object(&x.guard)
    if other != NULL:
        tg_guard_set_object(&x.guard, NULL)
        Py_DECREF(<object>other)
    return 0
