# Joining values and taking them apart along an axis.

def concatenate(values, axis=0):
    """The values joined along an existing axis; their other sizes must agree."""
    return joined(values, axis, False)


def stack(values, axis=0):
    """The values, which have one shape, joined along a new axis."""
    return joined(values, axis, True)


cdef object joined(object values, object axis, bint new_axis):
    cdef tg_call call
    cdef PyObject **pointers
    cdef tg_index *params
    cdef tg_index length
    cdef int k, d, where_, dtype, first_ndim, count = len(values)
    cdef Value first, part
    cdef Tensor out
    cdef tg_value result
    cdef str name = "stack" if new_axis else "concatenate"
    if not count:
        raise ValueError(f"{name}: needs at least one value")
    converted, dtype = one_dtype(values)
    first = converted[0]
    first_ndim = tg_value_ndim(&first.value)
    where_ = normal_axis(axis, first_ndim + (1 if new_axis else 0), name)
    pointers = <PyObject **>malloc(count * sizeof(PyObject *) + (count + 2) * sizeof(tg_index))
    if pointers == NULL:
        raise MemoryError()
    try:
        params = <tg_index *>(pointers + count)
        params[0] = where_
        params[1] = 0
        for k in range(count):
            part = converted[k]
            pointers[k] = <PyObject *>part
            fits = tg_value_ndim(&part.value) == first_ndim
            for d in range(first_ndim):
                fits = fits and (tg_value_shape(&part.value)[d] == tg_value_shape(&first.value)[d]
                                 or (d == where_ and not new_axis))
            if not fits:
                if new_axis:
                    raise ValueError(f"stack: the tensors must have one shape, not {first.shape} and {part.shape}")
                raise ValueError(f"concatenate: shapes {', '.join([str(v.shape) for v in converted])} do not fit along "
                                 f"axis {where_}")
            length = 1 if new_axis else tg_value_shape(&part.value)[where_]
            params[2 + k] = params[1 + k] + length
        call.ndim = first_ndim + (1 if new_axis else 0)
        if call.ndim > TG_MAX_DIMS:
            raise ValueError(f"a value can have at most {TG_MAX_DIMS} dimensions, got {call.ndim}")
        for d in range(call.ndim):
            if d == where_:
                call.shape[d] = params[1 + count]
            else:
                call.shape[d] = tg_value_shape(&first.value)[d - 1 if new_axis and d > where_ else d]
        result.dtype = dtype
        check(tg_array_new(pool, dtype, call.ndim, call.shape, &result.array))
        out = new_tensor(&result)
        for k in range(count):
            check(tg_join(out.value.array, where_, params[1 + k], &(<Value>pointers[k]).value))
        call.op = TG_CONCATENATE
        call.dtype = dtype
        call.params_count = count + 2
        call.params = params
        record_structural(&call, count, pointers, out)
    finally:
        free(pointers)
    return out


def alike(values):
    """Whether a list holds nothing but tensors of one type, so that they can be joined as they are."""
    cdef int dtype = -1
    if type(values) is not list or not values:
        return False
    for x in <list>values:
        if type_of(<PyObject *>x) != <PyTypeObject *>Tensor or (dtype >= 0 and (<Tensor>x).value.dtype != dtype):
            return False
        dtype = (<Tensor>x).value.dtype
    return True


cdef tuple one_dtype(object values):
    """The values converted to their common type: (list of Values, dtype)."""
    cdef int dtype = -1
    cdef bint agree = True
    for v in values:
        if not isinstance(v, Value) or (dtype >= 0 and (<Value>v).value.dtype != dtype):
            agree = False
            break
        dtype = (<Value>v).value.dtype
    if agree:
        return [unchanging(v) for v in values] if TG_WITHOUT_INTERPRETER_LOCK else list(values), dtype
    converted, dtype = operands_of(tuple(values))
    return [v if (<Value>v).value.dtype == dtype else cast_to(v, dtype) for v in converted], dtype


def unstack(x, axis=0):
    """The slices of x along an axis, without that axis: a list of views."""
    cdef Value value = as_value(x)
    cdef int where_ = normal_axis(axis, tg_value_ndim(&value.value), "unstack")
    cdef tg_index k
    return [part_of(value, where_, k, 1, 1, True) for k in range(tg_value_shape(&value.value)[where_])]


def split(x, stops, axis=0):
    """The pieces of x between positions of an axis: a list of views."""
    cdef Value value = as_value(x)
    cdef int where_ = normal_axis(axis, tg_value_ndim(&value.value), "split")
    cdef tg_index size = tg_value_shape(&value.value)[where_], start, stop
    parts = []
    for start, stop in zip((0, *stops), (*stops, size)):  # as slices: from the end if negative, and within bounds
        start = max(0, start + size) if start < 0 else min(start, size)
        stop = max(0, stop + size) if stop < 0 else min(stop, size)
        parts.append(part_of(value, where_, start, 1, max(0, stop - start), False))
    return parts


cdef Tensor part_of(Value x, int axis, tg_index start, tg_index step, tg_index count, bint dropped):
    """`count` positions of an axis, which is left out if `dropped` (and there is but one)."""
    cdef tg_call call
    cdef tg_index params[3 * TG_MAX_DIMS]
    cdef int d, ndim = tg_value_ndim(&x.value)
    cdef const tg_index *shape = tg_value_shape(&x.value)
    call.ndim = 0
    for d in range(ndim):
        params[3 * d] = 0
        params[3 * d + 1] = 1
        params[3 * d + 2] = shape[d]
        if d == axis:
            params[3 * d] = start
            params[3 * d + 1] = step
            params[3 * d + 2] = count
            if dropped:
                continue
        call.shape[call.ndim] = params[3 * d + 2]
        call.ndim += 1
    call.op = TG_SLICE
    call.dtype = x.value.dtype
    call.params_count = 3 * ndim
    call.params = params
    return sliced(&call, x)


cdef Tensor sliced(tg_call *call, Value x):
    """The part of x that a SLICE call takes: a view, or a number."""
    cdef tg_array *view
    cdef Tensor out
    cdef PyObject *pointer = <PyObject *>x
    if x.value.array == NULL:
        return structural(call, x, None)
    check(tg_slice_view(call, x.value.array, &view))
    out = allocate_tensor()
    tg_value_from_array(view, &out.value)
    record_structural(call, 1, &pointer, out)
    return out
