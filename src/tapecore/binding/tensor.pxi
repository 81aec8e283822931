# Tensor, its copies, and what assignment to its elements takes.

cdef class Tensor(Value):
    """An immutable array that tapes can follow.

    Tensors are made by `tapegrad.constant`, `tapegrad.convert_to_tensor` and by every operation. They have Python's
    operators, with tensors, arrays, lists and numbers on either side, NumPy's indexing, and the attributes and methods
    of NumPy's arrays; NumPy's functions take them. `x[key] = value` is recorded, too: the object then stands for
    another value, and what was computed from the old one keeps that. `numpy()` gives a copy as an array.

    Raises
    ------
    TypeError
        If the class itself is called, or NumPy is to make an array of a tensor that a tape follows.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> x.shape, x.dtype.name, x[0].sum().numpy()
    ((2, 2), 'float32', np.float32(3.0))
    >>> (2.0 * x.T @ [1.0, 1.0]).numpy()
    array([ 8., 12.], dtype=float32)
    """

    def __init__(self, *arguments, **keywords):
        raise TypeError("Tensor is not to be called: make tensors with tapegrad.constant or convert_to_tensor")

    def __repr__(self):
        return late("_format").tensor_repr(self)

    def __str__(self):
        return late("_format").tensor_str(self)

    def __reduce__(self):
        return _rebuild_tensor, (to_numpy(self),)

    def __setitem__(self, key, value):
        late("_ops.writing").setitem(self, key, value)

    @property
    def at(self):
        """`x.at[key].set(v)`, `.add(v)`, `.multiply(v)`: a tensor like x but for the elements at `key`."""
        return late("_ops.writing").At(self)

    def __copy__(self):
        return copy_with_handles(self)

    def __deepcopy__(self, memo):
        return copy_value(self)


def _rebuild_tensor(array):
    return tensor(np.asarray(array))


cdef Tensor copy_with_handles(Value value):
    """Another object for the same value, known to the same tapes."""
    cdef Tensor result
    cdef tg_status status
    if changes(value):
        return copy_with_handles(settled_now(value))
    result = copy_value(value)
    tg_guard_take(&value.guard)
    status = tg_handles_copy(&value.handles, pool, &result.handles)
    tg_guard_give(&value.guard)
    check(status)
    return result


def version(Tensor x not None):
    """The value that x has now, as an object of its own on the same tapes: writing to x does not change it."""
    return versioned(x)


cdef Tensor versioned(Tensor x):
    cdef Tensor result = copy_with_handles(x)
    if is_observed(tg_thread_current()):
        observe_end("copy", [x], (result,))
    return result


def rebind(Tensor x not None, Tensor new not None):
    """Makes x the value `new`, on the tapes that know `new`; whoever saved x's old value keeps that."""
    cdef tg_value value = new.value
    cdef tg_handles handles
    if TG_WITHOUT_INTERPRETER_LOCK:
        present = copy_with_handles(new)
        become(x, present)
        if is_observed(tg_thread_current()):
            observe_end("assignment to elements", [new], (x, present))
        return
    check(tg_handles_copy(&new.handles, pool, &handles))
    if value.array != NULL:
        tg_array_retain(value.array)
    tg_handles_clear(&x.handles, pool)
    x.handles = handles
    if x.value.array != NULL:
        tg_array_release(x.value.array)
    x.value = value
    if is_observed(tg_thread_current()):
        observe_end("assignment to elements", [new], (x,))


def is_source(Value x not None):
    """Whether any tape in use, recording or not, watches x itself, rather than having computed it."""
    cdef tg_handle handle
    cdef uint32_t i = 0
    if changes(x) or TG_WITHOUT_INTERPRETER_LOCK:
        x = copy_with_handles(x)
    while tg_handles_get(&x.handles, i, &handle):
        if tg_reading_is_leaf(&registry, handle.id, handle.slot):
            return True
        i += 1
    return False


def writable(Value x not None):
    """An array to write to in place of x's elements, which nobody else sees: they are copied if somebody does."""
    cdef tg_array *own
    cdef cnp.ndarray result
    cdef object owner
    if x.value.array == NULL:
        raise TypeError("a value without dimensions has no elements to write to")
    check(tg_array_unshare(&x.value.array))
    owner = copy_value(x)
    own = x.value.array
    result = PyArray_New(cnp.ndarray, own.ndim, tg_array_shape(own), type_numbers[x.value.dtype], tg_array_strides(own),
                         own.data, 0, NPY_ARRAY_CARRAY, None)
    PyArray_SetBaseObject(result, owner)
    Py_INCREF(owner)
    return result
