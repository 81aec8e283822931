# reshape, transpose, broadcast_to, sum, cast, matmul and where.

def reshape(x, shape):
    """x with its elements, in C order, in another shape; one size may be -1.

    Raises ValueError if the number of elements differs.
    """
    cdef tg_call call
    cdef Value value = as_value(x)
    cdef tg_index size = tg_value_size(&value.value), known = 1
    cdef int i, open_ = -1
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple([int(n) for n in shape])
    set_shape(&call, wanted)
    for i in range(call.ndim):
        if call.shape[i] >= 0:
            known *= call.shape[i]
        elif call.shape[i] == -1 and open_ < 0:
            open_ = i
        else:
            raise ValueError(f"reshape: {wanted} is no shape: sizes must not be negative, and only one may be -1")
    if open_ >= 0:
        if known == 0 or size % known:
            raise ValueError(f"reshape: cannot reshape shape {value.shape} ({size} elements) to {wanted}")
        call.shape[open_] = size // known
    elif known != size:
        raise ValueError(f"reshape: cannot reshape shape {value.shape} ({size} elements) to {wanted}")
    call.op = TG_RESHAPE
    call.dtype = value.value.dtype
    call.params_count = 0
    call.params = NULL
    return structural(&call, value, None)


def transpose(x, axes=None):
    """x with its axes in the given order; reversed by default."""
    cdef tg_call call
    cdef tg_index order[TG_MAX_DIMS]
    cdef Value value = as_value(x)
    cdef int i, ndim = tg_value_ndim(&value.value)
    if axes is None:
        wanted = tuple(range(ndim - 1, -1, -1))
    else:
        wanted = tuple([normal_axis(a, ndim, "transpose") for a in axes])
        if sorted(wanted) != list(range(ndim)):
            raise ValueError(f"transpose: {tuple(axes)} does not name each of the {ndim} axes of shape {value.shape} "
                             "once")
    for i in range(ndim):
        order[i] = wanted[i]
        call.shape[i] = tg_value_shape(&value.value)[order[i]]
    call.op = TG_PERMUTE
    call.dtype = value.value.dtype
    call.ndim = ndim
    call.params_count = ndim
    call.params = order
    return structural(&call, value, None)


def broadcast_to(x, shape):
    """x repeated to a larger shape that it broadcasts to."""
    cdef tg_call call
    cdef tg_index mask = 0
    cdef Value value = as_value(x)
    cdef int d, missing
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple([int(n) for n in shape])
    set_shape(&call, wanted)
    missing = call.ndim - tg_value_ndim(&value.value)
    for d in range(call.ndim):
        if missing >= 0 and (d < missing or (tg_value_shape(&value.value)[d - missing] == 1 and call.shape[d] != 1)):
            mask |= <tg_index>1 << d
        elif missing < 0 or tg_value_shape(&value.value)[d - missing] != call.shape[d]:
            raise ValueError(f"broadcast_to: shape {value.shape} does not broadcast to {wanted}")
    if missing < 0:
        raise ValueError(f"broadcast_to: shape {value.shape} does not broadcast to {wanted}")
    call.op = TG_EXPAND
    call.dtype = value.value.dtype
    call.params_count = 1
    call.params = &mask
    return structural(&call, value, None)


def sum(x, axis=None, keepdims=False):
    """The sum over some axes (all by default); integers and bools add up as in NumPy."""
    cdef tg_call call
    cdef tg_index mask = 0
    cdef Value value = as_value(x)
    cdef int d, ndim = tg_value_ndim(&value.value), kept = 0
    if axis is None:
        mask = -1 if ndim == TG_MAX_DIMS else (<tg_index>1 << ndim) - 1
    else:
        for a in (axis if isinstance(axis, (tuple, list)) else (axis,)):
            d = normal_axis(a, ndim, "sum")
            if mask >> d & 1:
                raise ValueError(f"sum: axis {d} is named twice in {axis}")
            mask |= <tg_index>1 << d
    if not tg_dtype_is_inexact(value.value.dtype):
        axes = tuple([d for d in range(ndim) if mask >> d & 1])
        return own(np.sum(view_of(value), axis=axes, keepdims=bool(keepdims)))
    for d in range(ndim):
        if not mask >> d & 1:
            call.shape[kept] = tg_value_shape(&value.value)[d]
            kept += 1
        elif keepdims:
            call.shape[kept] = 1
            kept += 1
    call.op = TG_SUM
    call.dtype = value.value.dtype
    call.ndim = kept
    call.params_count = 1
    call.params = &mask
    return structural(&call, value, None)


cdef Tensor cast_to(object x, int dtype):
    cdef tg_call call
    cdef Value value = <Value>unchanging(x)
    if not (tg_dtype_is_inexact(dtype) and tg_dtype_is_inexact(value.value.dtype)):
        source = view_of(value)
        if source.dtype.kind == "c":
            source = source.real
        converted = from_ndarray(source.astype(DTYPES[dtype].as_numpy_dtype), True)
        if is_observed(tg_thread_current()):
            observe_end("cast", [value], (converted,))
        return converted
    set_shape_of(&call, value)
    call.op = TG_CAST
    call.dtype = dtype
    call.params_count = 0
    call.params = NULL
    return structural(&call, value, None)


def cast(x, dtype):
    """x in another type. Between floating types the gradient passes; through integers and bools it ends."""
    cdef Value value = <Value>x if isinstance(x, Value) else tensor(x)
    cdef int wanted = dtype_index(dtype)
    if value.value.dtype == wanted:
        return value if isinstance(value, Tensor) else snapshot(value)
    before = hush()
    try:
        return cast_to(value, wanted)
    finally:
        unhush(before)


cdef Tensor in_shape(Value x, int ndim, const tg_index *shape):
    """A reshape to a shape that is known to fit."""
    cdef tg_call call
    call.op = TG_RESHAPE
    call.dtype = x.value.dtype
    call.ndim = ndim
    if ndim:
        memcpy(call.shape, shape, ndim * sizeof(tg_index))
    call.params_count = 0
    call.params = NULL
    return structural(&call, x, None)


cdef Tensor vector_product(Value x, Value y):
    """A product of a vector with a vector or matrices: the vector as a matrix with one row (first) or one column."""
    cdef tg_index shape[TG_MAX_DIMS]
    cdef int x_ndim = tg_value_ndim(&x.value), y_ndim = tg_value_ndim(&y.value), ndim
    cdef Tensor product
    if x_ndim == 1:
        shape[0], shape[1] = 1, tg_value_size(&x.value)
        x = in_shape(x, 2, shape)
    if y_ndim == 1:
        shape[0], shape[1] = tg_value_size(&y.value), 1
        y = in_shape(y, 2, shape)
    product = matmul(x, y)
    ndim = tg_value_ndim(&product.value)
    memcpy(shape, tg_value_shape(&product.value), ndim * sizeof(tg_index))
    if x_ndim == 1:
        ndim -= 1
        shape[ndim - 1] = shape[ndim]
    if y_ndim == 1:
        ndim -= 1
    return in_shape(product, ndim, shape)


def matmul(a, b):
    """The matrix product in all of NumPy's forms: vectors, matrices, and broadcast stacks of matrices."""
    cdef tg_call call
    cdef tg_index flags = 0
    cdef Value x, y
    cdef int i, dtype, stacked_x, stacked_y, own_x, own_y
    if isinstance(a, Value) and isinstance(b, Value) and (<Value>a).value.dtype == (<Value>b).value.dtype:
        x, y, dtype = a, b, (<Value>a).value.dtype
    else:
        (x, y), dtype = operands_of((a, b))
    shapes = shape_of(x), shape_of(y)
    if not shapes[0] or not shapes[1] or shapes[0][-1] != shapes[1][-2 if len(shapes[1]) > 1 else 0]:
        raise ValueError(f"matmul: shapes {shapes[0]} and {shapes[1]} do not fit: the last size of the first must be "
                         "the second-last (of a vector: the only) size of the second")
    if not tg_dtype_is_inexact(dtype):
        return own(np.matmul(view_of(x), view_of(y)))
    if x.value.dtype != dtype:
        x = cast_to(x, dtype)
    if y.value.dtype != dtype:
        y = cast_to(y, dtype)
    if len(shapes[0]) == 1 or len(shapes[1]) == 1:
        return vector_product(x, y)
    stacked_x = len(shapes[0]) - 2
    stacked_y = len(shapes[1]) - 2
    call.ndim = max(stacked_x, stacked_y) + 2
    for i in range(call.ndim - 2):
        own_x = i - (call.ndim - 2 - stacked_x)
        own_y = i - (call.ndim - 2 - stacked_y)
        n = shapes[0][own_x] if own_x >= 0 else 1
        m = shapes[1][own_y] if own_y >= 0 else 1
        if n != m and n != 1 and m != 1:
            raise ValueError(f"matmul: the stacks of shapes {shapes[0]} and {shapes[1]} cannot be broadcast together")
        call.shape[i] = m if n == 1 else n
    call.shape[call.ndim - 2] = shapes[0][-2]
    call.shape[call.ndim - 1] = shapes[1][-1]
    call.op = TG_MATMUL
    call.dtype = dtype
    call.params_count = 1
    call.params = &flags
    return structural(&call, x, y)


def where(condition, x, y):
    """x where the condition is true, else y; the branch not taken gets no gradient, not even a NaN."""
    cdef tg_call call
    cdef PyObject *pointers[3]
    cdef int dtype
    cdef tg_value result
    cdef tg_status status
    cdef Tensor out
    cdef Value test = as_value(condition)
    if test.value.dtype != TG_BOOL:
        test = own(view_of(test) != 0)
    values, dtype = one_dtype((x, y))
    status = tg_select(pool, &test.value, &(<Value>values[0]).value, &(<Value>values[1]).value, &result)
    if status == TG_BAD_SHAPE:
        raise ValueError(f"where: shapes {test.shape}, {values[0].shape} and {values[1].shape} cannot be broadcast "
                         "together")
    check(status)
    out = new_tensor(&result)
    set_shape_of(&call, out)
    call.op = TG_SELECT
    call.dtype = dtype
    call.params_count = 0
    call.params = NULL
    pointers[0] = <PyObject *>test
    pointers[1] = <PyObject *>values[0]
    pointers[2] = <PyObject *>values[1]
    record_structural(&call, 3, pointers, out)
    return out
