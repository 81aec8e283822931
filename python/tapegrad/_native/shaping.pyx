"""Structural operations of one value: its shape, the order of its axes, sums, types and parts."""
from cpython.object cimport PyObject
from libc.string cimport memcpy
from tapecore.array cimport tg_array
from tapecore.core cimport TG_MAX_DIMS, tg_dtype_is_inexact, tg_index
from tapecore.structural cimport TG_CAST, TG_EXPAND, TG_PERMUTE, TG_RESHAPE, TG_SLICE, TG_SUM, tg_call, tg_slice_view
from tapecore.thread cimport tg_thread_current
from tapecore.value cimport tg_value_from_array, tg_value_ndim, tg_value_shape, tg_value_size
from tapegrad._native._core cimport check, dtype_index
from tapegrad._native.arrays cimport from_ndarray
from tapegrad._native.recording cimport is_observed
from tapegrad._native.silence cimport hush, unhush
from tapegrad._native.structural cimport as_value, normal_axis, record_structural, set_shape, set_shape_of, structural
from tapegrad._native.values cimport Tensor, Value, allocate_tensor, unchanging, view_of

import numpy as np

from tapegrad._native.arrays import own, snapshot, tensor
from tapegrad._native.values import observe_end
from tapegrad.dtypes import DTYPES


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
