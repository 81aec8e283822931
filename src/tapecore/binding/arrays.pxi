# NumPy arrays in and out.

cdef tuple sizes(int ndim, const tg_index *shape):
    """A shape as Python's."""
    cdef tuple result = PyTuple_New(ndim)
    cdef int i
    for i in range(ndim):
        set_item(result, i, shape[i])
    return result


cdef inline void set_item(tuple fresh, Py_ssize_t i, object x) noexcept:
    """Stores x in a tuple that nobody has seen yet."""
    Py_INCREF(x)
    PyTuple_SET_ITEM(fresh, i, x)


cdef tuple shape_of(Value value):
    if changes(value):
        value = settled_now(value)
    return sizes(tg_value_ndim(&value.value), tg_value_shape(&value.value))


cdef object to_numpy(Value value):
    cdef tg_array *array
    cdef object result
    if changes(value):
        return to_numpy(settled_now(value))
    array = value.value.array
    if array == NULL:
        return PyArray_Scalar(&value.value.scalar, cnp.PyArray_DescrFromType(type_numbers[value.value.dtype]), None)
    result = PyArray_New(cnp.ndarray, array.ndim, tg_array_shape(array), type_numbers[value.value.dtype], NULL, NULL,
                         0, 0, None)
    tg_array_pack(array, cnp.PyArray_DATA(<cnp.ndarray>result))
    return result


cdef cnp.ndarray view_of(Value value):
    """A read-only array over the value's own memory."""
    cdef tg_array *array
    cdef cnp.ndarray result
    cdef object owner
    if changes(value):
        return view_of(settled_now(value))
    array = value.value.array
    if array == NULL:
        result = PyArray_New(cnp.ndarray, 0, NULL, type_numbers[value.value.dtype], NULL, NULL, 0, 0, None)
        memcpy(cnp.PyArray_DATA(result), &value.value.scalar, tg_itemsize(value.value.dtype))
        result.flags.writeable = False
        return result
    # A variable's array can be replaced, so the view keeps a tensor of its own alive.
    owner = copy_value(value)
    result = PyArray_New(cnp.ndarray, array.ndim, tg_array_shape(array), type_numbers[value.value.dtype],
                         tg_array_strides(array), array.data, 0, NPY_ARRAY_ALIGNED, None)
    PyArray_SetBaseObject(result, owner)
    Py_INCREF(owner)
    return result


cdef void release_object(void *held) noexcept with gil:
    Py_DECREF(<object>held)


cdef inline int dtype_of(int number) noexcept:
    """The dtype with NumPy's type number, or -1 where tapegrad has none."""
    return dtype_of_number[number] if 0 <= number < 64 else -1


cdef int supported_dtype(cnp.dtype dtype) except -1:
    cdef int found = dtype_of(dtype.type_num)
    if found >= 0:
        return found
    raise TypeError(f"tapegrad has no values of dtype {dtype}: convert to one of "
                    f"{', '.join([d.name for d in DTYPES])} first")


cdef Value value_behind(cnp.ndarray array):
    """The value whose memory an array is a view of, or None."""
    cdef object base
    if cnp.PyArray_BASE(array) == NULL:
        return None
    base = (<object>array).base
    while isinstance(base, (cnp.ndarray, memoryview)):
        base = base.obj if isinstance(base, memoryview) else base.base
    return <Value>base if isinstance(base, Value) and (<Value>base).value.array != NULL else None


cdef Tensor from_ndarray(cnp.ndarray array, bint borrow):
    """A tensor of an array's elements; `borrow` shares its memory, which must then never change."""
    cdef int dtype = dtype_of(cnp.PyArray_TYPE(array))
    cdef tg_value value
    cdef tg_array *source = NULL
    cdef tg_array *packed = NULL
    cdef Value behind
    if dtype < 0:
        supported_dtype(array.dtype)  # raises
    if not PyArray_ISBEHAVED_RO(array):  # unaligned, or not in the machine's byte order
        array = array.astype(DTYPES[dtype].as_numpy_dtype)
        borrow = True
    value.array = NULL
    value.dtype = dtype
    if array.ndim == 0:
        memcpy(&value.scalar, cnp.PyArray_DATA(array), tg_itemsize(dtype))
        return new_tensor(&value)
    behind = value_behind(array) if borrow else None
    if behind is not None:
        # Looking into the value itself, not at the array around it: views of views do not become a chain.
        check(tg_array_view(behind.value.array, dtype, array.ndim,
                            <const tg_index *>cnp.PyArray_DIMS(array), <const tg_index *>cnp.PyArray_STRIDES(array),
                            <char *>cnp.PyArray_DATA(array), &value.array))
        return new_tensor(&value)
    check(tg_array_borrow(pool, dtype, array.ndim, <const tg_index *>cnp.PyArray_DIMS(array),
                          <const tg_index *>cnp.PyArray_STRIDES(array), <char *>cnp.PyArray_DATA(array),
                          release_object, <void *>array, &source))
    Py_INCREF(array)
    if borrow:
        value.array = source
        return new_tensor(&value)
    status = tg_array_new(pool, dtype, array.ndim, tg_array_shape(source), &packed)
    if status == TG_OK:
        tg_array_pack(source, packed.data)
    tg_array_release(source)
    check(status)
    value.array = packed
    return new_tensor(&value)


cdef bint is_immutable(cnp.ndarray array):
    """True if nobody can write to the array's memory: it and all it is a view of are read-only, down to a tensor."""
    cdef object base = array
    while isinstance(base, (cnp.ndarray, memoryview)):
        if isinstance(base, memoryview):
            base = base.obj
            continue
        if base.flags.writeable:
            return False
        base = base.base
    return isinstance(base, (Value, bytes))


def own(array):
    """A tensor over a fresh NumPy result, without a copy: nobody may write to the array afterwards."""
    return owned(array)


cdef Tensor owned(object result):
    cdef tg_value number
    if type_of(<PyObject *>result) == <PyTypeObject *>cnp.ndarray:
        return from_ndarray(<cnp.ndarray>result, True)
    if not isinstance(result, cnp.generic):
        return from_ndarray(np.asarray(result), True)
    number.array = NULL
    number.dtype = supported_dtype(cnp.PyArray_DescrFromScalar(result))
    cnp.PyArray_ScalarAsCtype(result, &number.scalar)
    return new_tensor(&number)


def from_numpy(array):
    """A tensor that shares the memory of a NumPy array.

    No copy is made: the caller promises not to write to the array while the tensor, or a tape that saved it, is alive.
    `tapegrad.constant` copies and needs no promise.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape and strides; unaligned or byte-swapped arrays are copied after all.

    Examples
    --------
    >>> import numpy as np, tapegrad as tf
    >>> tf.from_numpy(np.arange(3.0)).dtype.name
    'float64'
    """
    if not isinstance(array, cnp.ndarray):
        raise TypeError(f"from_numpy shares the memory of a numpy.ndarray, got {type(array).__name__}: use "
                        "tapegrad.constant for other values")
    return from_ndarray(array, True)


def array(value):
    """The value as a read-only array without a copy, unrecorded; `numpy.asarray` of anything that is not a Value."""
    if isinstance(value, Value):
        return view_of(<Value>value)
    return np.asarray(value)


cdef int dtype_index(object dtype) except -1:
    cdef int i
    dtype = as_dtype(dtype)
    for i in range(TG_NDTYPES):
        if DTYPES[i] is dtype:
            return i
    raise TypeError(f"tapegrad has no values of dtype {dtype}")


def tensor(value, dtype=None, name=None):
    """A tensor of any value, by TensorFlow's rules.

    Python floats become float32, integers int32 (int64 if they do not fit), complex numbers complex128; lists of them
    likewise; arrays keep their type and are copied unless nobody can write to them. A tensor is returned as it is, a
    variable is read (recorded). A list that holds tensors or variables is stacked (recorded).

    Parameters
    ----------
    value : tensor, variable, array, number, or nested lists of these
    dtype : DType or anything NumPy takes for one, optional
    name : ignored

    Raises
    ------
    TypeError
        if the value cannot become an array of a supported type
    ValueError
        if `value` is a tensor or a variable of another dtype: use `tapegrad.cast`
    """
    cdef tg_value number
    cdef cnp.ndarray array
    cdef int small
    cdef int wanted = -1 if dtype is None else dtype_index(dtype)
    if isinstance(value, Value):
        if wanted >= 0 and (<Value>value).value.dtype != wanted:
            raise ValueError(f"Tensor conversion requested dtype {DTYPES[wanted].name} for Tensor with dtype "
                             f"{value.dtype.name}: {value!r}. Use cast(value, {DTYPES[wanted].name!r}).")
        return value if isinstance(value, Tensor) else snapshot(value)
    if PyFloat_CheckExact(value) and (wanted < 0 or wanted == TG_F32 or wanted == TG_F64):
        number.array = NULL
        number.dtype = TG_F32 if wanted < 0 else wanted
        set_number(&number, PyFloat_AS_DOUBLE(value))
        return new_tensor(&number)
    if isinstance(value, (cnp.ndarray, np.generic)):
        array = np.asarray(value)
        if wanted >= 0 and array.dtype != DTYPES[wanted].as_numpy_dtype:
            return from_ndarray(array.astype(DTYPES[wanted].as_numpy_dtype), True)
        return from_ndarray(array, is_immutable(array))
    if PyLong_CheckExact(value) and wanted < 0 and -2147483648 <= value <= 2147483647:
        small = value
        number.array = NULL
        number.dtype = TG_I32
        memcpy(number.scalar.bytes, &small, sizeof(small))
        return new_tensor(&number)
    if isinstance(value, (list, tuple)) and late("_conversion").holds_value(value):
        return late("_ops.joining").pack(value, None if wanted < 0 else DTYPES[wanted])
    converted = late("_conversion").convert(value, None if wanted < 0 else DTYPES[wanted])
    return <Tensor>converted if isinstance(converted, Tensor) else from_ndarray(converted, True)


cdef inline void set_number(tg_value *number, double x) noexcept:
    """Stores x as the number's type, float32 or float64."""
    if number.dtype == TG_F64:
        number.scalar.f64 = x
    else:
        number.scalar.f32 = <float>x
