"""Targets, sources and cotangents, as a program gives them and gets them back."""
from libc.stdint cimport uint32_t
from libc.string cimport memset
from tapecore.array cimport tg_array_new
from tapecore.core cimport TG_F64, TG_MAX_DIMS, tg_dtype_is_inexact, tg_dtype_is_native, tg_index, tg_itemsize
from tapecore.tape cimport tg_output
from tapecore.value cimport TG_NO_SLOT, tg_value, tg_value_ndim, tg_value_shape, tg_value_size
from tapegrad._native._core cimport check, dtype_index, late, pool
from tapegrad._native.passing cimport fit
from tapegrad._native.values cimport Tensor, Value, changes, is_value, new_tensor, settled_now, unchanging

import numpy as np

from tapegrad._native.arrays import own, tensor


cdef bint all_values(object items):
    """Whether a list or tuple holds tensors and variables only."""
    for item in items:
        if not is_value(item):
            return False
    return True


def flatten_values(structure, str argument):
    """The tensors and variables of a nested structure, in order; `argument` names it in the TypeError for others."""
    if isinstance(structure, Value):
        return [structure]
    if type(structure) is list and all_values(structure):
        return structure
    if type(structure) is tuple and all_values(structure):
        return list(structure)
    leaves = late("nest").flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(f"{argument} must be a tensor or a variable, or a structure of these; it holds {leaf!r} of "
                            f"type {type(leaf).__name__!r}. Convert it with tapegrad.constant inside the tape.")
    return leaves


def pack_values(structure, list leaves):
    """The leaves in the form of a structure that `flatten_values` has taken apart."""
    if isinstance(structure, Value):
        return leaves[0]
    if type(structure) is list and all_values(structure):
        return leaves
    if type(structure) is tuple and all_values(structure):
        return tuple(leaves)
    return late("nest").pack_sequence_as(structure, leaves)


cdef list seeds_for(list targets, object output_gradients):
    """The cotangent of each target, checked, None for ones; None altogether if all are ones."""
    if output_gradients is None:
        return None
    given = late("nest").flatten(output_gradients)
    if len(given) != len(targets):
        raise ValueError(f"output_gradients has {len(given)} entries, but there are {len(targets)} targets. A Python "
                         "list counts as a structure with one entry per target: write one cotangent as an array or a "
                         "tensor.")
    seeds = []
    for i, (seed, target) in enumerate(zip(given, targets)):
        if seed is not None:
            seed = tensor(seed, target.dtype if isinstance(seed, (int, float, complex)) else None)
            if seed.dtype != target.dtype:
                raise ValueError(f"output_gradients[{i}] has dtype {seed.dtype.name}, its target {target.dtype.name}: "
                                 f"use tapegrad.cast(..., {target.dtype.name!r})")
            if seed.shape != target.shape:
                raise ValueError(f"output_gradients[{i}] has shape {seed.shape}, its target {target.shape}")
        seeds.append(unchanging(seed))
    return seeds


cdef Tensor zeros_of(Value like):
    return own(np.zeros(like.shape, like.dtype.as_numpy_dtype))


cdef Tensor ones_of(Value like):
    return own(np.ones(like.shape, like.dtype.as_numpy_dtype))


def unit_stack(Value like not None, tg_index start, tg_index stop):
    """The unit vectors number `start` to `stop` of a value's shape and type, stacked along a new first axis."""
    cdef tg_value value
    cdef tg_index shape[TG_MAX_DIMS]
    cdef tg_index i, size, step
    cdef int d, ndim
    if changes(like):
        return unit_stack(settled_now(like), start, stop)
    size = tg_value_size(&like.value)
    ndim = tg_value_ndim(&like.value)
    if not tg_dtype_is_native(like.value.dtype):
        rows = np.eye(stop - start, size, start, like.dtype.as_numpy_dtype)
        return own(rows.reshape(stop - start, *like.shape))
    shape[0] = stop - start
    for d in range(ndim):
        shape[d + 1] = tg_value_shape(&like.value)[d]
    value.dtype = like.value.dtype
    check(tg_array_new(pool, value.dtype, ndim + 1, shape, &value.array))
    step = tg_itemsize(value.dtype)
    memset(value.array.data, 0, shape[0] * size * step)
    for i in range(shape[0]):
        if value.dtype == TG_F64:
            (<double *>(value.array.data + (i * size + start + i) * step))[0] = 1.0
        else:
            (<float *>(value.array.data + (i * size + start + i) * step))[0] = 1.0
    return new_tensor(&value)


def fit_to(value, tuple shape not None, dtype):
    """A contribution to the adjoint of an operand of this shape and type: summed over broadcast axes, converted."""
    cdef tg_output output
    cdef tg_index sizes[TG_MAX_DIMS]
    cdef int d
    output.dtype = dtype_index(dtype)
    output.ndim = len(shape)
    for d in range(output.ndim):
        sizes[d] = shape[d]
    output.shape = sizes
    return fit(value, output, 0)


cdef bint zeros_wanted(object unconnected_gradients) except -1:
    """Whether unconnected sources get zeros, from an UnconnectedGradients or its value."""
    choice = unconnected_gradients if type(unconnected_gradients) is str else getattr(
        unconnected_gradients, "value", unconnected_gradients)
    if type(choice) is str and (choice == "none" or choice == "zero"):
        return choice == "zero"
    raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}")


cdef int add_own(list results, list sources, uint32_t *slots, list targets, list seeds) except -1:
    """A target that the tape does not know still depends on itself: to the gradients of sources without a slot."""
    cdef Py_ssize_t i, t
    for i in range(len(sources)):
        if slots[i] == TG_NO_SLOT and tg_dtype_is_inexact((<Value>sources[i]).value.dtype):
            for t in range(len(targets)):
                if targets[t] is sources[i]:
                    seed = ones_of(<Value>sources[i]) if seeds is None or seeds[t] is None else seeds[t]
                    results[i] = seed if results[i] is None else results[i] + seed
    return 0


cdef object own_tangent(Value target, list sources, list tangents):
    """Likewise forwards: the tangent of a target that the tape does not know, if it is a source."""
    for source, tangent in zip(sources, tangents):
        if source is target and tg_dtype_is_inexact(target.value.dtype):
            return tangent
    return None
