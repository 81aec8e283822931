"""Operations that move elements without changing them: shapes, axes, repetition, order."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_axes, as_axis, as_shape, as_tensor, as_vector
from tapegrad._ops.declare import Operation, TensorLike, linear

__all__ = [
    "broadcast_to",
    "expand_dims",
    "flip",
    "identity",
    "moveaxis",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
]


def reshape(a: TensorLike, shape: Any) -> Tensor:
    """Return `a` with another shape of the same size; one entry may be -1 and follows from the size."""
    return _native.reshape(a, as_shape(shape))


def ravel(a: TensorLike) -> Tensor:
    """Return `a` as a vector."""
    return _native.reshape(a, (-1,))


def identity(a: TensorLike) -> Tensor:
    """Return a new tensor with the value of `a`."""
    a = as_tensor(a)
    return _native.reshape(a, a.shape)


def transpose(a: TensorLike, axes: Any = None) -> Tensor:
    """Return `a` with its axes reversed, or permuted: axis k of the result is axis `axes[k]` of `a`."""
    return _native.transpose(a, None if axes is None else as_shape(axes))


def broadcast_to(a: TensorLike, shape: Any) -> Tensor:
    """Return `a` repeated to `shape` by NumPy's broadcasting rules."""
    return _native.broadcast_to(a, as_shape(shape))


def squeeze(a: TensorLike, axis: Any = None) -> Tensor:
    """Return `a` without its axes of size 1, or without those that `axis` names."""
    a = as_tensor(a)
    shape = a.shape
    if axis is None:
        return _native.reshape(a, tuple([size for size in shape if size != 1]))
    axes = as_axes(axis, len(shape), "squeeze")
    for k in axes:
        if shape[k] != 1:
            raise ValueError(f"squeeze: cannot drop axis {k} of size {shape[k]} of a tensor with shape {shape}.")
    return _native.reshape(a, tuple([size for k, size in enumerate(shape) if k not in axes]))


def expand_dims(a: TensorLike, axis: Any) -> Tensor:
    """Return `a` with new axes of size 1, which are at the positions `axis` in the result."""
    a = as_tensor(a)
    positions = as_shape(axis)
    ndim = a.ndim + len(positions)
    new = as_axes(positions, ndim, "expand_dims")
    old = iter(a.shape)
    return _native.reshape(a, tuple([1 if k in new else next(old) for k in range(ndim)]))


def moveaxis(a: TensorLike, source: Any, destination: Any) -> Tensor:
    """Return `a` with the axes `source` moved to the positions `destination`, the others in their order."""
    a = as_tensor(a)
    sources = as_axes(as_shape(source), a.ndim, "moveaxis")
    destinations = as_axes(as_shape(destination), a.ndim, "moveaxis")
    if len(sources) != len(destinations):
        raise ValueError(f"moveaxis: {len(sources)} axes cannot move to {len(destinations)} positions.")
    order = [k for k in range(a.ndim) if k not in sources]
    for position, axis in sorted(zip(destinations, sources, strict=True)):
        order.insert(position, axis)
    return _native.transpose(a, tuple(order))


def swapaxes(a: TensorLike, axis1: Any, axis2: Any) -> Tensor:
    """Return `a` with two axes exchanged."""
    a = as_tensor(a)
    first, second = as_axis(axis1, a.ndim, "swapaxes"), as_axis(axis2, a.ndim, "swapaxes")
    order = list(range(a.ndim))
    order[first], order[second] = second, first
    return _native.transpose(a, tuple(order))


def flip(a: TensorLike, axis: Any = None) -> Tensor:
    """Return `a` in reverse order along `axis` (an int, several, or `None` for all axes)."""
    a = as_tensor(a)
    axes = as_axes(axis, a.ndim, "flip")
    return _native.basic_index(a, tuple([_REVERSED if k in axes else _ALL for k in range(a.ndim)]))


_ALL = slice(None)
_REVERSED = slice(None, None, -1)


def roll(a: TensorLike, shift: Any, axis: Any = None) -> Tensor:
    """Return `a` shifted circularly by `shift` places along `axis`; without an axis, as a vector."""
    a = as_tensor(a)
    if axis is None and a.ndim != 1:
        return _native.reshape(roll(ravel(a), shift, 0), a.shape)
    axes = (0,) if axis is None else tuple([as_axis(number, a.ndim, "roll") for number in as_shape(axis)])
    shifts = as_shape(shift)
    if len(shifts) == 1:
        shifts *= len(axes)
    elif len(shifts) != len(axes):
        raise ValueError(f"roll: {len(shifts)} shifts for {len(axes)} axes.")
    result: Tensor = _roll(a, shift=shifts, axis=axes)
    return result


_roll: Operation = linear(
    "roll",
    forward=lambda a, *, shift, axis: np.roll(a, shift, axis),
    transpose=lambda g, shift, axis: _roll(g, shift=tuple([-places for places in shift]), axis=axis),
)


def tile(a: TensorLike, reps: Any) -> Tensor:
    """Return `a` repeated `reps[k]` times along axis k.

    The shorter of `reps` and the shape is extended by ones in front.
    """
    a = as_tensor(a)
    counts = as_shape(reps)
    ndim = max(len(counts), a.ndim)
    counts = (1,) * (ndim - len(counts)) + counts
    result: Tensor = _tile(_native.reshape(a, (1,) * (ndim - a.ndim) + a.shape), reps=counts)
    return result


def _tile_transpose(g: Tensor, a_shape: tuple[int, ...], reps: tuple[int, ...]) -> Tensor:
    pairs = [size for pair in zip(reps, a_shape, strict=True) for size in pair]
    return _native.sum(_native.reshape(g, tuple(pairs)), axis=tuple(range(0, len(pairs), 2)))


_tile: Operation = linear("tile", forward=lambda a, *, reps: np.tile(a, reps), transpose=_tile_transpose)


def repeat(a: TensorLike, repeats: Any, axis: Any = None) -> Tensor:
    """Return `a` with element k along `axis` repeated `repeats` (or `repeats[k]`) times.

    With `axis=None` the elements are those of `a` as a vector.
    """
    a = as_tensor(a)
    if axis is None:
        a, axis = as_vector(a), 0
    axis = as_axis(axis, a.ndim, "repeat")
    counts = as_shape(repeats)
    places = np.arange(a.shape[axis]).repeat(counts[0] if len(counts) == 1 else counts)
    return _native.take(a, places, axis)
