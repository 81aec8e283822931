"""Elements by position: integers, slices, and arrays of integers."""
cimport numpy as cnp
from libc.stdint cimport int64_t
from tapecore.array cimport tg_array_shape
from tapecore.core cimport TG_MAX_DIMS, tg_index
from tapecore.positions cimport tg_positions_from_start
from tapecore.structural cimport TG_SCATTER_ADD, TG_SLICE, TG_TAKE, tg_call
from tapecore.value cimport tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport late
from tapegrad._native.arrays cimport owned
from tapegrad._native.capi cimport (
    PyLong_AsSsize_t, PyLong_CheckExact, PySlice_AdjustIndices, PySlice_Check, PySlice_Unpack
)
from tapegrad._native.shaping cimport part_of, sliced
from tapegrad._native.structural cimport as_value, normal_axis, set_shape, structural
from tapegrad._native.values cimport Tensor, Value, changes, operators, settled_now

import numpy as np

from tapegrad._native.arrays import array

cnp.import_array()


def take(x, indices, axis=0, bint sparse=False):
    """The elements of x at integer positions along an axis; negative positions count from the end.

    `sparse`, along axis 0: the gradient of a source of which nothing but rows is taken lists these, as IndexedSlices.
    """
    cdef tg_call call
    cdef tg_index where_
    cdef tg_index params[2]
    cdef Value value = as_value(x), positions
    where_ = normal_axis(axis, tg_value_ndim(&value.value), "take")
    positions = positions_in(indices, value.shape, where_, "take")
    set_shape(&call, value.shape[:where_] + positions.shape + value.shape[where_ + 1:])
    call.op = TG_TAKE
    call.dtype = value.value.dtype
    params[0], params[1] = where_, 1
    call.params_count = 2 if sparse and where_ == 0 else 1
    call.params = params
    return structural(&call, value, positions)


def scatter_add(x, indices, tuple shape not None):
    """Zeros of a shape with the rows of x added at integer positions; negative positions count from the end."""
    cdef tg_call call
    cdef tg_index params[1]
    cdef Value value = as_value(x), positions = positions_in(indices, shape, 0, "scatter_add")
    if value.shape != positions.shape + shape[1:]:
        raise ValueError(f"scatter_add: {positions.shape} rows of shape {shape[1:]} are needed, not {value.shape}")
    set_shape(&call, shape)
    call.op = TG_SCATTER_ADD
    call.dtype = value.value.dtype
    params[0] = 0
    call.params_count = 1
    call.params = params
    return structural(&call, value, positions)


cdef Tensor positions_in(object indices, tuple shape, tg_index axis, str what):
    """Integers that count along an axis, as positions from its start."""
    cdef cnp.ndarray given = array(indices)
    cdef cnp.ndarray chosen
    cdef tg_index length = shape[axis], size = cnp.PyArray_SIZE(given)
    cdef bint fits = True
    if size and not cnp.PyArray_ISINTEGER(given):
        raise TypeError(f"{what}: indices must be integers, got dtype {given.dtype}")
    if size and given.dtype.kind == "u":  # the greatest of them would be negative as int64
        fits = given.max() < length
    chosen = cnp.PyArray_FROMANY(given, cnp.NPY_INT64, 0, 0, cnp.NPY_ARRAY_CARRAY | cnp.NPY_ARRAY_ENSURECOPY
                                 | cnp.NPY_ARRAY_FORCECAST)
    if not fits or not tg_positions_from_start(<int64_t *>cnp.PyArray_DATA(chosen), size, length):
        bad = int(given.max()) if given.max() >= length else int(given.min())
        raise IndexError(f"{what}: index {bad} is out of bounds for axis {axis} of shape {shape}")
    return owned(chosen)


def basic_index(x, key):
    """x[key] for a key of integers, slices, None and Ellipsis: a view."""
    cdef tg_call call
    cdef tg_index params[3 * TG_MAX_DIMS]
    cdef Value value = as_value(x)
    cdef int ndim = tg_value_ndim(&value.value), axis = 0, kept = 0, used = 0
    cdef Py_ssize_t start, stop, step, length, position
    if not isinstance(key, tuple):
        key = (key,)
    for part in key:
        used += part is not None and part is not Ellipsis
        kept += part is None
    if used > ndim:
        raise IndexError(f"too many indices for a value with {ndim} dimensions: {used} were given")
    if ndim + kept > TG_MAX_DIMS:
        raise IndexError(f"a value can have at most {TG_MAX_DIMS} dimensions")
    kept = 0
    seen = False
    for part in key + (Ellipsis,):
        if part is Ellipsis:
            if seen:
                continue  # the one added here
            seen = True
            while axis < ndim and (ndim - axis) > used:
                params[3 * axis] = 0
                params[3 * axis + 1] = 1
                params[3 * axis + 2] = call.shape[kept] = tg_value_shape(&value.value)[axis]
                axis += 1
                kept += 1
            continue
        if part is None:
            call.shape[kept] = 1
            kept += 1
            continue
        length = tg_value_shape(&value.value)[axis]
        used -= 1
        if isinstance(part, slice):
            start, stop, step = part.indices(length)
            params[3 * axis] = start
            params[3 * axis + 1] = step
            params[3 * axis + 2] = call.shape[kept] = len(range(start, stop, step))
            kept += 1
        else:
            position = part
            if not -length <= position < length:
                raise IndexError(f"index {position} is out of bounds for axis {axis} of shape {value.shape}")
            params[3 * axis] = position + length if position < 0 else position
            params[3 * axis + 1] = params[3 * axis + 2] = 1
        axis += 1
    call.op = TG_SLICE
    call.dtype = value.value.dtype
    call.ndim = kept
    call.params_count = 3 * ndim
    call.params = params
    return sliced(&call, value)


cdef Tensor first_axis(Value x, object key):
    """x[key] for an int, or a slice of ints, of the first axis: the commonest keys by the shortest way. None for
    others."""
    cdef Py_ssize_t start, stop, step, length = tg_array_shape(x.value.array)[0]
    if PyLong_CheckExact(key):
        start = PyLong_AsSsize_t(key)
        if start < 0:
            start += length
        return part_of(x, 0, start, 1, 1, True) if 0 <= start < length else None
    if (PySlice_Check(key) and (<slice>key).step is None
            and is_bound((<slice>key).start) and is_bound((<slice>key).stop)):
        PySlice_Unpack(key, &start, &stop, &step)
        length = PySlice_AdjustIndices(length, &start, &stop, step)
        return part_of(x, 0, start, step, length, False)
    return None


cdef inline bint is_bound(object x):
    return x is None or PyLong_CheckExact(x)


cdef bint is_basic(object part):
    if isinstance(part, slice):
        return not (isinstance(part.start, Value) or isinstance(part.stop, Value) or isinstance(part.step, Value))
    return part is None or part is Ellipsis or (isinstance(part, (int, np.integer)) and not isinstance(part, bool))


cdef object index(Value x, object key):
    cdef bint basic = True
    cdef Tensor found
    if changes(x):
        return index(settled_now(x), key)
    found = first_axis(x, key) if x.value.array != NULL else None
    if found is not None:
        return found
    if isinstance(key, tuple):
        dots = 0
        for part in key:
            basic = basic and is_basic(part)
            dots += part is Ellipsis
        if dots > 1:
            raise IndexError("an index can only have a single ellipsis ('...')")
    else:
        basic = is_basic(key)
    if basic:
        return basic_index(x, key)
    return late("_ops.indexing").getitem(x, key)


operators.index = index
