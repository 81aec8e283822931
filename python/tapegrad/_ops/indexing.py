"""Indexing: everything that NumPy accepts between square brackets, and the scatter that undoes it.

Basic indices (integers, slices, `newaxis`, `...`) have a native path; this file takes the keys that also hold
arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, Value, array
from tapegrad._ops.arguments import as_axis, as_shape, as_tensor
from tapegrad._ops.declare import Operation, TensorLike, linear

__all__ = [
    "as_indices",
    "as_positions",
    "boolean_mask",
    "getitem",
    "index_add",
    "take",
    "take_along_axis",
]

_Key = tuple[Any, ...]


def getitem(x: TensorLike, key: Any) -> Tensor:
    """Return `x[key]` for any key that NumPy accepts; arrays in it may be given as lists or tensors."""
    x = as_tensor(x)
    if not isinstance(key, tuple):
        key = (key,)
    parts = tuple([_as_key_part(part) for part in key])
    if not any(isinstance(part, np.ndarray) for part in parts):
        return _native.basic_index(x, parts)
    if len(parts) == 1 and parts[0].dtype != np.bool_:
        return _native.take(x, parts[0], 0)
    result: Tensor = _index(x, key=parts, repeats=_can_repeat(parts))
    return result


def _as_key_part(part: Any) -> Any:
    """Return one element of a key as an int, a slice, `None`, `...` or an array."""
    if part is None or part is Ellipsis or (isinstance(part, int) and not isinstance(part, bool)):
        return part
    if isinstance(part, slice):
        return slice(*[bound if bound is None else _as_bound(bound) for bound in (part.start, part.stop, part.step)])
    values = array(part)
    if isinstance(part, list | tuple) and not values.size:
        values = values.astype(np.intp)  # an empty list selects nothing; NumPy makes it an array of floats
    if values.dtype.kind not in "iub":
        name = values.dtype.name if values.dtype.kind != "O" and values.dtype.kind != "U" else type(part).__name__
        raise TypeError(
            f"Only integers, slices, `...`, `tf.newaxis` and integer or boolean arrays index a tensor, "
            f"not {name}: {part!r}."
        )
    return int(values) if values.ndim == 0 and values.dtype != np.bool_ else values


def _as_bound(bound: Any) -> int:
    return bound.__index__() if not isinstance(bound, Value) else int(array(bound))


def _can_repeat(key: _Key) -> bool:
    """Return whether the key can select an element twice: only arrays of integers can."""
    return any(isinstance(part, np.ndarray) and part.dtype != np.bool_ for part in key)


def _scatter(a: npt.NDArray[Any], *, key: _Key, shape: tuple[int, ...], repeats: bool) -> npt.NDArray[Any]:
    """Return zeros of `shape` to which `a` is added at `key`."""
    out = np.zeros(shape, a.dtype)
    if not repeats:
        out[key] = a
    elif a.size * 8 < out.size:
        np.add.at(out, key, a)
    else:
        # NumPy adds at a vector of positions several times faster than at any other key.
        positions = np.arange(out.size).reshape(shape)[key]
        np.add.at(out.reshape(-1), positions.reshape(-1), a.reshape(-1))
    return out


# Each is the transpose of the other. `repeats` says whether the key may select an element more than once.
_index: Operation = linear(
    "getitem",
    forward=lambda a, *, key, repeats: a[key],
    transpose=lambda g, a_shape, key, repeats: _index_add(g, key=key, shape=a_shape, repeats=repeats),
)
_index_add: Operation = linear(
    "index_add",
    forward=_scatter,
    transpose=lambda g, key, repeats: _index(g, key=key, repeats=repeats),
)


def index_add(updates: TensorLike, key: _Key, shape: tuple[int, ...]) -> Tensor:
    """Return zeros of `shape` with `updates` added at `key`; what meets at one element is summed.

    The key's elements are those that `getitem` takes.
    """
    updates = as_tensor(updates)
    key = tuple([_as_key_part(part) for part in key])
    selected = np.broadcast_to(np.False_, shape)[key].shape  # also checks that the key fits the shape
    result: Tensor = _index_add(_native.broadcast_to(updates, selected), key=key, shape=shape, repeats=_can_repeat(key))
    return result


def take(a: TensorLike, indices: TensorLike, axis: Any = None) -> Tensor:
    """Return the elements of `a` at integer `indices` along `axis`; with `axis=None` from `a` as a vector."""
    a = as_tensor(a)
    if axis is None:
        a, axis = _native.reshape(a, (-1,)), 0
    return _native.take(a, as_indices(indices, "take"), as_axis(axis, a.ndim, "take"))


def take_along_axis(a: TensorLike, indices: TensorLike, axis: Any = -1, repeats: bool = True) -> Tensor:
    """Return the elements of `a` at `indices` along `axis`, position by position in the other axes.

    `repeats=False` promises that no element is taken twice, which makes the derivative faster.
    """
    a = as_tensor(a)
    axis = as_axis(axis, a.ndim, "take_along_axis")
    places = as_indices(indices, "take_along_axis")
    if places.ndim != a.ndim:
        raise ValueError(f"take_along_axis: indices of shape {places.shape} do not fit a tensor of shape {a.shape}.")
    key = [
        places if k == axis else np.arange(size).reshape([-1 if j == k else 1 for j in range(a.ndim)])
        for k, size in enumerate(a.shape)
    ]
    result: Tensor = _index(a, key=tuple(key), repeats=repeats)
    return result


def boolean_mask(tensor: TensorLike, mask: TensorLike, axis: Any = None) -> Tensor:
    """Return the elements of `tensor` where `mask` is true; the mask covers the axes from `axis` (0) on."""
    tensor = as_tensor(tensor)
    chosen = array(mask)
    first = 0 if axis is None else as_axis(axis, tensor.ndim, "boolean_mask")
    if chosen.dtype != np.bool_ or chosen.ndim == 0:
        raise ValueError(f"boolean_mask: the mask must be a boolean array, not {chosen.dtype} of shape {chosen.shape}.")
    if tensor.shape[first : first + chosen.ndim] != chosen.shape:
        raise ValueError(
            f"boolean_mask: a mask of shape {chosen.shape} does not fit a tensor of shape {tensor.shape} "
            f"from axis {first} on."
        )
    result: Tensor = _index(tensor, key=(*(slice(None),) * first, chosen), repeats=False)
    return result


def as_indices(indices: Any, what: str) -> npt.NDArray[Any]:
    """Return an integer array; `what` names the operation in the error."""
    places = array(indices)
    if not places.size and isinstance(indices, list | tuple):
        return places.astype(np.intp)
    if places.dtype.kind not in "iu":
        raise TypeError(f"{what}: the indices must be integers, not {places.dtype}.")
    return places


def as_positions(indices: Any, shape: Any, what: str) -> tuple[npt.NDArray[Any], _Key]:
    """Return an array with positions in its last axis (`gather_nd`'s form), and the key of its columns."""
    places = as_indices(indices, what)
    if places.ndim == 0 or places.shape[-1] > len(as_shape(shape)):
        raise ValueError(f"{what}: indices of shape {places.shape} do not name positions in shape {tuple(shape)}.")
    return places, tuple([places[..., k] for k in range(places.shape[-1])])
