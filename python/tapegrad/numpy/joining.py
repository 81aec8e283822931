"""Joining tensors, cutting them into parts, putting elements in and taking elements out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, unrecorded
from tapegrad._ops import joining
from tapegrad._ops.arguments import as_axis, as_vector
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import Out, TensorLike, as_dtype, delivered, operand, operands_of
from tapegrad.numpy._gathering import gathered
from tapegrad.numpy.shaping import as_cube, as_matrix

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "insert",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]

_Tensors = Sequence[TensorLike] | TensorLike


@implements(np.concatenate, "concat")
def concatenate(
    arrays: _Tensors, /, axis: Any = 0, out: Out = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Return tensors joined along an existing axis; with `axis=None` as vectors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.concatenate([[1.0, 2.0], np.zeros(1)]).numpy()
    array([1., 2., 0.])
    """
    if out is None and dtype is None and type(axis) is int and _are_tensors(arrays):
        return _native.concatenate(arrays, axis)
    tensors = _typed(arrays, dtype, casting)
    if axis is None:
        tensors, axis = [_native.reshape(x, (-1,)) for x in tensors], 0
    return delivered(joining.concatenate(tensors, axis), out)


concat = concatenate


def _are_tensors(arrays: Any) -> TypeGuard[list[Tensor]]:
    """Return whether this is a list of nothing but tensors, and not empty."""
    return type(arrays) in (list, tuple) and bool(arrays) and all([type(x) is Tensor for x in arrays])


@implements(np.stack)
def stack(arrays: _Tensors, axis: Any = 0, out: Out = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Return tensors of one shape joined along a new axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.stack([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
    array([[1., 3.],
           [2., 4.]])
    """
    return delivered(joining.stack(_typed(arrays, dtype, casting), axis), out)


def _typed(arrays: Any, dtype: Any, casting: Any) -> list[Tensor]:
    """Return the tensors, cast to `dtype` if it is given."""
    tensors = operands_of(arrays)
    kind = as_dtype(dtype)
    if kind is None:
        return tensors
    for x in tensors:
        if not np.can_cast(x.dtype.dtype, kind, casting):
            raise TypeError(f"Cannot cast from {x.dtype.name} to {kind} by the rule {casting!r}.")
    return [_native.cast(x, kind) for x in tensors]


@implements(np.vstack)
def vstack(tup: _Tensors, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    """Return tensors joined along the first axis, vectors as rows.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.vstack([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    return joining.concatenate([as_matrix(x) for x in _typed(tup, dtype, casting)], 0)


@implements(np.hstack)
def hstack(tup: _Tensors, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    """Return tensors joined along the second axis, vectors along the first.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.hstack([[1.0, 2.0], [3.0]]).numpy()
    array([1., 2., 3.])
    """
    tensors = [x if x.ndim else _native.reshape(x, (1,)) for x in _typed(tup, dtype, casting)]
    return joining.concatenate(tensors, 0 if tensors and tensors[0].ndim == 1 else 1)


@implements(np.dstack)
def dstack(tup: _Tensors) -> Tensor:
    """Return tensors joined along the third axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.dstack([[1.0, 2.0], [3.0, 4.0]]).shape
    (1, 2, 2)
    """
    return joining.concatenate([as_cube(x) for x in operands_of(tup)], 2)


@implements(np.column_stack)
def column_stack(tup: _Tensors) -> Tensor:
    """Return the matrix whose columns are the given vectors and matrices' columns.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.column_stack([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([[1., 3.],
           [2., 4.]])
    """
    columns = [x if x.ndim > 1 else _native.reshape(x, (-1, 1)) for x in operands_of(tup)]
    return joining.concatenate(columns, 1)


@implements(np.block)
def block(arrays: Any) -> Tensor:
    """Return nested lists of blocks joined: the innermost lists along the last axis, and so on outwards.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.block([[np.eye(2), np.zeros((2, 1))], [np.ones((1, 3))]]).shape
    (3, 3)
    """
    depth = _depth(arrays)
    ndim = max(depth, _greatest_ndim(arrays))
    return _joined(arrays, ndim - depth, ndim)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        if isinstance(arrays, tuple):
            raise TypeError("block: the blocks are given in nested lists, not in tuples.")
        return 0
    depths = {_depth(element) for element in arrays}
    if len(depths) != 1:
        raise ValueError("block: the lists of blocks must be nested to one depth, and must not be empty.")
    return 1 + depths.pop()


def _greatest_ndim(arrays: Any) -> int:
    if isinstance(arrays, list):
        return max(_greatest_ndim(element) for element in arrays)
    return operand(arrays).ndim


def _joined(arrays: Any, axis: int, ndim: int) -> Tensor:
    """Return blocks with `ndim` dimensions; the outermost list is joined along `axis`."""
    if isinstance(arrays, list):
        return joining.concatenate([_joined(element, axis + 1, ndim) for element in arrays], axis)
    part = operand(arrays)
    return _native.reshape(part, (1,) * (ndim - part.ndim) + part.shape)


@implements(np.append)
def append(arr: TensorLike, values: TensorLike, axis: Any = None) -> Tensor:
    """Return `values` joined behind `arr` along an axis; without an axis both as vectors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.append([1.0, 2.0], 3.0).numpy()
    array([1., 2., 3.])
    """
    result: Tensor = concatenate([arr, values], axis)
    return result


@implements(np.insert)
def insert(arr: TensorLike, obj: Any, values: TensorLike, axis: Any = None) -> Tensor:
    """Return `arr` with values put in before the positions `obj` along an axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.insert([1.0, 2.0, 3.0], 1, 9.0).numpy()
    array([1., 9., 2., 3.])
    """
    a = operand(arr)
    new = _native.cast(operand(values), a.dtype)
    where = None if axis is None else as_axis(axis, a.ndim, "insert")
    return gathered(lambda old, added: np.insert(old, unrecorded(obj), added, where), a, new)


@implements(np.delete)
def delete(arr: TensorLike, obj: Any, axis: Any = None) -> Tensor:
    """Return `arr` without the elements at the positions `obj` along an axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.delete([1.0, 2.0, 3.0], [0, 2]).numpy()
    array([2.])
    """
    a = operand(arr)
    if axis is None:
        a, axis = as_vector(a), 0
    place = as_axis(axis, a.ndim, "delete")
    return _native.take(a, np.delete(np.arange(a.shape[place]), unrecorded(obj)), place)


@implements(np.split)
def split(ary: TensorLike, indices_or_sections: Any, axis: Any = 0) -> list[Tensor]:
    """Return the parts of a tensor along an axis: a number of equal ones, or those between indices.

    Raises
    ------
    ValueError
        If the axis cannot be divided equally.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.split(np.ones(6), [1, 4])]
    [(1,), (3,), (2,)]
    """
    if np.ndim(indices_or_sections) == 0:
        sections = int(indices_or_sections)
        a = operand(ary)
        if a.shape[as_axis(axis, a.ndim, "split")] % sections:
            raise ValueError("array split does not result in an equal division")
        return array_split(a, sections, axis)
    return array_split(ary, indices_or_sections, axis)


@implements(np.array_split)
def array_split(ary: TensorLike, indices_or_sections: Any, axis: Any = 0) -> list[Tensor]:
    """Return the parts of a tensor along an axis; equal ones may differ in size by one.

    Raises
    ------
    ValueError
        If there are to be no parts.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.array_split(np.ones(5), 2)]
    [(3,), (2,)]
    """
    a = operand(ary)
    place = as_axis(axis, a.ndim, "array_split")
    if np.ndim(indices_or_sections) == 0:
        sections = int(indices_or_sections)
        if sections < 1:
            raise ValueError("number sections must be larger than 0.")
        size, longer = divmod(a.shape[place], sections)
        stops = np.cumsum([size + 1] * longer + [size] * (sections - longer))[:-1].tolist()
    else:
        stops = array(indices_or_sections).tolist()
    return joining.split(a, stops, place)


@implements(np.hsplit)
def hsplit(ary: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """Return the parts of a tensor along its second axis, of a vector along its only one.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.hsplit(np.ones((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    a = _with_dimensions(ary, 1, "hsplit")
    return split(a, indices_or_sections, 1 if a.ndim > 1 else 0)


@implements(np.vsplit)
def vsplit(ary: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """Return the parts of a tensor along its first axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.vsplit(np.ones((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return split(_with_dimensions(ary, 2, "vsplit"), indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """Return the parts of a tensor along its third axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.dsplit(np.ones((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return split(_with_dimensions(ary, 3, "dsplit"), indices_or_sections, 2)


def _with_dimensions(ary: TensorLike, least: int, function: str) -> Tensor:
    a = operand(ary)
    if a.ndim < least:
        raise ValueError(f"{function} only works on arrays of {least} or more dimensions")
    return a


@implements("unstack")
def unstack(x: TensorLike, /, *, axis: Any = 0) -> tuple[Tensor, ...]:
    """Return the slices along an axis, without that axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [float(x) for x in np.unstack([1.0, 2.0])]
    [1.0, 2.0]
    """
    return tuple(joining.unstack(operand(x), axis))
