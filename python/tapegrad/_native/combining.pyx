"""Operations of several values: products, choices, joining; and taking apart."""
from cpython.object cimport PyObject, PyTypeObject
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from tapecore.array cimport tg_array_new
from tapecore.core cimport TG_BAD_SHAPE, TG_BOOL, TG_MAX_DIMS, tg_dtype_is_inexact, tg_index, tg_status
from tapecore.select cimport tg_select
from tapecore.structural cimport TG_CONCATENATE, TG_MATMUL, TG_SELECT, tg_call, tg_join
from tapecore.value cimport tg_value, tg_value_ndim, tg_value_shape, tg_value_size
from tapegrad._native._core cimport check, late, pool
from tapegrad._native.capi cimport type_of
from tapegrad._native.operands cimport one_dtype, operands_of
from tapegrad._native.operators cimport operator_call
from tapegrad._native.shaping cimport cast_to, in_shape, part_of
from tapegrad._native.structural cimport as_value, normal_axis, record_structural, set_shape_of, structural
from tapegrad._native.values cimport Tensor, Value, new_tensor, operators, shape_of, view_of

import numpy as np

from tapegrad._native.arrays import own


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


cdef object matmul_operator(object left, object right):
    product = operator_call(matmul, left, right)
    if product is NotImplemented and late("_conversion").is_sparse(right):
        return late("sparse").matmul(left, right)
    return product


operators.matmul = matmul_operator


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
