# Operands of every type: which dtype they share, and operations that NumPy calculates.

cdef inline tg_value *operand_value(object x) noexcept:
    return &(<Value>x).value


cdef int weak_dtype(object x) noexcept:
    """For Python numbers, whose type gives way to the other operands': int, float, complex as a dtype; else -1."""
    if PyFloat_CheckExact(x):
        return TG_F64
    if PyBool_Check(x):
        return -1
    if PyLong_CheckExact(x):
        return TG_I64
    if PyComplex_CheckExact(x):
        return TG_C128
    return -1


cdef int weak_result(int strong, int weak) noexcept:
    """The result type of a value with a Python number, as in NumPy 2."""
    if weak == TG_I64:
        return TG_I64 if strong == TG_BOOL else strong
    if weak == TG_F64:
        return strong if tg_dtype_is_inexact(strong) else TG_F64
    if strong == TG_F32 or strong == TG_F16:
        return TG_C64
    return strong if strong == TG_C64 else TG_C128


cdef Tensor typed(object x, int dtype):
    """A constant of the given type from a Python number, a list or an array."""
    cdef tg_value number
    if dtype == TG_F64 and constant_operand(x, dtype, &number):
        return new_tensor(&number)
    return from_ndarray(np.asarray(x, dtype=DTYPES[dtype].as_numpy_dtype), isinstance(x, (int, float, complex)))


cdef object operands_of(tuple args):
    """Values for the arguments of an operation, converted to their common type: (list of Values, dtype).

    Conversions of watched values are recorded, so that gradients come back in the operand's own type.
    """
    cdef int strong = -1, weak, dtype
    cdef object before = None, read = None
    values = []
    for x in args:
        if changes(x):  # once, if it is the operand before, too
            same = x is before
            before = x
            x = read if same else settled_now(x)
            read = x
        weak = weak_dtype(x)
        if weak < 0 and not isinstance(x, Value):
            kind = late("_conversion").weak_type(x) if isinstance(x, (list, tuple)) else None
            if kind is int or kind is float or kind is complex:
                weak = TG_I64 if kind is int else TG_F64 if kind is float else TG_C128
            elif isinstance(x, (cnp.ndarray, np.generic)):
                # What a tape saves must not change: a writable array is copied while one records.
                x = np.asarray(x)
                x = from_ndarray(x, not tg_thread_records(tg_thread_current()) or is_immutable(x))
            else:
                x = tensor(x)
        if weak < 0:
            dtype = (<Value>x).value.dtype
            strong = dtype if strong < 0 else promoted[strong][dtype]
        values.append((x, weak))
    if strong < 0:  # only Python numbers: TensorFlow's default types
        widest = max([weak for _, weak in values])
        if widest == TG_I64:
            values = [(tensor(x), -1) for x, _ in values]
            for x, _ in values:
                dtype = (<Value>x).value.dtype
                strong = dtype if strong < 0 else promoted[strong][dtype]
        else:
            strong = TG_F32 if widest == TG_F64 else TG_C128
    dtype = strong
    for _, weak in values:
        if weak >= 0:
            dtype = weak_result(dtype, weak)
    return [typed(x, dtype) if weak >= 0 else x for x, weak in values], dtype


cdef object elementwise_general(int op, tuple args):
    """An elementwise operation on anything: conversion, dispatch, recording."""
    cdef int dtype, i, count = tg_op_table[op].operands
    cdef tg_value operands[TG_MAX_OPERANDS]
    cdef PyObject *pointers[TG_MAX_OPERANDS]
    cdef tg_value out
    cdef tg_status status
    cdef Tensor result
    if len(args) != count:
        raise TypeError(f"{OPS[op]} takes {count} operands, got {len(args)}")
    values, dtype = operands_of(args)
    if not tg_dtype_is_native(dtype):
        return elementwise_by_numpy(op, values)
    values = [x if (<Value>x).value.dtype == dtype else cast_to(x, dtype) for x in values]
    for i in range(count):
        operands[i] = operand_value(values[i])[0]
        pointers[i] = <PyObject *>values[i]
    if large(operands, count):
        # Nobody must replace a variable's array meanwhile: the list holds tensors of their own.
        _held = [copy_value(<Value>x) for x in values]
        tg_pool_share(pool)
        with nogil:
            status = tg_elementwise(&loops, pool, op, dtype, operands, &out)
        tg_pool_unshare(pool)
    else:
        status = tg_elementwise(&loops, pool, op, dtype, operands, &out)
    if status == TG_BAD_SHAPE:
        raise ValueError(f"{OPS[op]}: operands of shapes {', '.join([str(x.shape) for x in values])} cannot be "
                         "broadcast together")
    check(status)
    result = new_tensor(&out)
    if tg_thread_records(tg_thread_current()):
        if result.value.array != NULL:
            record_array(op, count, pointers, operands, result)
        else:
            record_elementwise(op, count, pointers, operands, result, 0)
    return result


cdef inline bint large(const tg_value *operands, int count) noexcept:
    cdef int i
    for i in range(count):
        if operands[i].array != NULL and operands[i].array.size >= RELEASE_LOCK_AT:
            return True
    return False


cdef object elementwise_by_numpy(int op, list values):
    """Types without native kernels go through the ufunc itself, and their derivatives through the rule's text."""
    cdef tg_value operands[TG_MAX_OPERANDS]
    cdef PyObject *pointers[TG_MAX_OPERANDS]
    cdef int i, dtype
    cdef Tensor result
    before = hush()
    try:
        result = owned(late("_rules").forward(op, [view_of(<Value>x) for x in values]))
    finally:
        unhush(before)
    dtype = result.value.dtype
    if not tg_thread_records(tg_thread_current()):
        return result
    if not tg_dtype_is_inexact(dtype) or (tg_dtype_is_native(dtype)
                                          and all([not (<Value>x).dtype.is_complex for x in values])):
        if is_observed(tg_thread_current()):
            observe_end(OPS[op], values, (result,))
        return result  # integers, or made of integers: nothing to differentiate
    for i in range(len(values)):
        operands[i] = operand_value(values[i])[0]
        pointers[i] = <PyObject *>values[i]
        if is_watched(values[i]) and tg_op_table[op].partial[i] != NULL:
            late("_rules").check_differentiable(op, i, values)
    record_elementwise(op, len(values), pointers, operands, result, TG_FLAG_GENERIC)
    return result
