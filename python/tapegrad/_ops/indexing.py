"""Indexing: everything that NumPy accepts between square brackets, and the scatter that undoes it.

Basic indices (integers, slices, `newaxis`, `...`) have a native path; this file takes the keys that also hold
arrays. A `Selection` is such a key together with the shape that it is applied to: what the derivative needs to know.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, Value, array
from tapegrad._ops.arguments import as_axis, as_shape, as_tensor, as_vector, shape_along
from tapegrad._ops.declare import Operation, TensorLike, linear

__all__ = [
    "Selection",
    "as_indices",
    "as_positions",
    "boolean_mask",
    "getitem",
    "index_add",
    "select",
    "selection_of",
    "take",
    "take_along_axis",
]

_Array: TypeAlias = npt.NDArray[Any]
_Key: TypeAlias = tuple[Any, ...]


class Selection:
    """The elements that a key names in arrays of one shape.

    Its methods work on stacks of such arrays, too: leading axes beyond that shape are left alone.

    Parameters
    ----------
    key
        A tuple of integers, slices, `None`, `...` and arrays. Arrays that somebody could write to are copied, since a
        tape keeps the selection.
    shape
        The shape of the arrays.
    repeats
        Whether an element can be named twice; `None` means that arrays of integers may do so.
    """

    def __init__(self, key: _Key, shape: tuple[int, ...], repeats: bool | None = None) -> None:
        parts = list(key)
        can_repeat = False
        for k, part in enumerate(parts):
            if isinstance(part, np.ndarray):
                can_repeat = can_repeat or part.dtype != np.bool_
                if part.flags.writeable:
                    parts[k] = part.copy()
        self.key = tuple(parts)
        self.shape = shape
        self.repeats = can_repeat if repeats is None else repeats

    @cached_property
    def selected(self) -> tuple[int, ...]:
        """The shape of what the key selects."""
        shape: tuple[int, ...] = np.broadcast_to(np.False_, self.shape)[self.key].shape
        return shape

    @cached_property
    def positions(self) -> _Array:
        """The selected elements' numbers in C order, in the shape of what the key selects."""
        numbers: _Array = np.asarray(np.arange(math.prod(self.shape)).reshape(self.shape)[self.key])
        return numbers

    @cached_property
    def _apart(self) -> int:
        """The number of axes that arrays standing apart in the key put before all others; 0 if they stand together."""
        arrays = [part for part in self.key if isinstance(part, np.ndarray)]
        advanced = [k for k, part in enumerate(self.key) if isinstance(part, np.ndarray | int)]
        if not arrays or advanced[-1] - advanced[0] == len(advanced) - 1:
            return 0
        return max(1 if part.dtype == np.bool_ else part.ndim for part in arrays)

    def of(self, stack: _Array) -> _Array:
        """Return the selected elements of each array."""
        lead = stack.ndim - len(self.shape)
        if not lead:
            return np.asarray(stack[self.key])
        chosen = stack[self._below(lead)]
        return np.moveaxis(chosen, range(self._apart, self._apart + lead), range(lead)) if self._apart else chosen

    def without(self, stack: _Array) -> _Array:
        """Return a copy of each array with zeros for the selected elements."""
        out = np.array(stack)
        out[self._below(stack.ndim - len(self.shape))] = 0
        return out

    def scattered(self, stack: _Array) -> _Array:
        """Return zeros in the arrays' shape with values added to the selected elements."""
        lead = stack.ndim - len(self.selected)
        out = np.zeros(stack.shape[:lead] + self.shape, stack.dtype)
        if self.repeats and stack.size * 8 >= out.size:
            # NumPy adds at a vector of positions several times faster than at any other key.
            size = max(math.prod(self.shape), 1)
            starts = np.arange(0, out.size, size)[:, None]
            np.add.at(out.reshape(-1), (starts + self.positions.reshape(-1)).reshape(-1), stack.reshape(-1))
            return out
        if lead and self._apart:
            stack = np.moveaxis(stack, range(lead), range(self._apart, self._apart + lead))
        if self.repeats:
            np.add.at(out, self._below(lead), stack)
        else:
            out[self._below(lead)] = stack
        return out

    def _below(self, lead: int) -> _Key:
        """The key for arrays with `lead` axes in front."""
        return (slice(None),) * lead + self.key


# Each is the transpose of the other.
select: Operation = linear(
    "getitem",
    forward=lambda a, *, at: at.of(a),
    transpose=lambda g, at: _scatter(g, at=at),
    axes=(),
)
_scatter: Operation = linear(
    "index_add",
    forward=lambda a, *, at: at.scattered(a),
    transpose=lambda g, at: select(g, at=at),
    axes=(),
)


def getitem(x: TensorLike, key: Any) -> Tensor:
    """Return `x[key]` for any key that NumPy accepts; arrays in it may be given as lists or tensors."""
    x = as_tensor(x)
    parts = _as_parts(key)
    if not any(isinstance(part, np.ndarray) for part in parts):
        return _native.basic_index(x, parts)
    if len(parts) == 1 and parts[0].dtype != np.bool_:
        return _native.take(x, parts[0], 0)
    result: Tensor = select(x, at=Selection(parts, x.shape))
    return result


def selection_of(x: Value, key: Any) -> Selection:
    """Return the elements of `x` that any key accepted by `getitem` names."""
    return Selection(_as_parts(key), x.shape)


def _as_parts(key: Any) -> _Key:
    if type(key) is int:
        return (key,)
    return tuple([_as_part(part) for part in (key if isinstance(key, tuple) else (key,))])


def _as_part(part: Any) -> Any:
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


def index_add(updates: TensorLike, key: _Key, shape: tuple[int, ...]) -> Tensor:
    """Return zeros of `shape` with `updates` added at `key`; what meets at one element is summed.

    The key's elements are those that `getitem` takes.
    """
    parts = _as_parts(key)
    if len(parts) == 1 and isinstance(parts[0], np.ndarray) and parts[0].dtype != np.bool_:
        rows = parts[0].shape + shape[1:]
        return _native.scatter_add(_native.broadcast_to(as_tensor(updates), rows), parts[0], shape)
    at = Selection(parts, shape)
    result: Tensor = _scatter(_native.broadcast_to(as_tensor(updates), at.selected), at=at)
    return result


def take(a: TensorLike, indices: TensorLike, axis: Any = None) -> Tensor:
    """Return the elements of `a` at integer `indices` along `axis`; with `axis=None` from `a` as a vector."""
    a = as_tensor(a)
    if axis is None:
        a, axis = as_vector(a), 0
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
    if a.ndim == 1:
        return _native.take(a, places, 0)
    key = [places if k == axis else np.arange(size).reshape(shape_along(k, a.ndim)) for k, size in enumerate(a.shape)]
    result: Tensor = select(a, at=Selection(tuple(key), a.shape, repeats))
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
    result: Tensor = select(tensor, at=Selection((*(slice(None),) * first, chosen), tensor.shape))
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
