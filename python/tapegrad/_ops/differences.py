"""The calculus of samples along an axis: differences, slopes, areas, and phases without jumps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_axes, as_axis, kept_shape, shape_along
from tapegrad._ops.declare import Operation, TensorLike, linear, silent, structural
from tapegrad._ops.elementwise import elementwise

__all__ = ["diff", "gradient", "trapezoid", "unwrap"]

_Spacing: TypeAlias = Any
"""A number as it came, since Python's numbers take the type of the samples; or a tensor."""


def diff(a: Tensor, n: int = 1, axis: Any = -1, before: Sequence[Tensor] = (), behind: Sequence[Tensor] = ()) -> Tensor:
    """Return the `n`-th differences along `axis` of `a` with what stands before and behind it."""
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    if not a.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = as_axis(axis, a.ndim, "diff")
    if before or behind:
        edge = kept_shape(a.shape, (axis,))
        parts = [*before, a, *behind]
        dtype = np.result_type(*[part.dtype.dtype for part in parts])
        parts = [_native.cast(part if part.ndim else _native.broadcast_to(part, edge), dtype) for part in parts]
        a = _native.concatenate(parts, axis)
    if a.dtype == np.bool_:  # NumPy's difference of truth values says whether they differ
        return _native.own(np.diff(array(a), n, axis))
    result: Tensor = _diff(a, n=n, axis=axis)
    return result


def _diff_transpose(g: Tensor, a_shape: tuple[int, ...], n: int, axis: int) -> Tensor:
    if not g.shape[axis]:  # there were no more than n elements
        return _padded(g, axis, (0, a_shape[axis]))
    slopes = diff(_padded(g, axis, (n, n)), n, axis)
    return elementwise.negative(slopes) if n % 2 else slopes


def _padded(g: Tensor, axis: int, width: tuple[int, int]) -> Tensor:
    """Return `g` with zeros before and behind it along an axis."""
    shape = g.shape
    zeros = [np.zeros((*shape[:axis], size, *shape[axis + 1 :]), g.dtype.dtype) for size in width]
    return _native.concatenate([_native.own(zeros[0]), g, _native.own(zeros[1])], axis)


_diff: Operation = linear(
    "diff", silent(lambda a, *, n, axis: np.diff(a, n, axis)), transpose=_diff_transpose, axes="axis"
)


def trapezoid(y: Tensor, x: Tensor | None = None, dx: TensorLike = 1.0, axis: Any = -1) -> Tensor:
    """Return the integral along `axis` of the function that is linear between the samples `y` at `x`."""
    if not y.ndim:
        raise ValueError("trapezoid requires at least one dimension")
    axis = as_axis(axis, y.ndim, "trapezoid")
    width: TensorLike = dx
    if x is not None:
        width = diff(x, axis=0 if x.ndim == 1 else axis - y.ndim)
        if x.ndim == 1:
            width = _native.reshape(width, shape_along(axis, y.ndim))
    heights = elementwise.add(_cut(y, axis, slice(1, None)), _cut(y, axis, slice(None, -1)))
    areas = elementwise.divide(elementwise.multiply(width, heights), 2.0)
    return _native.sum(areas, axis)


def _cut(a: Tensor, axis: int, part: slice | int) -> Tensor:
    return _native.basic_index(a, (slice(None),) * axis + (part,))


def gradient(f: Tensor, spacings: Sequence[_Spacing], axis: Any = None, edge_order: int = 1) -> list[Tensor]:
    """Return the slopes of the samples `f` along each of the axes, from differences of second order.

    `spacings` has none, one number for all axes, or a number or a vector of positions for each. At the ends the
    differences are one-sided, of the order `edge_order`. Equal distances of positions are found as NumPy does, and
    computed with as one number, unless a tape watches the positions: then the general formula holds in their
    neighbourhood, too.
    """
    axes = as_axes(axis, f.ndim, "gradient")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if f.dtype.is_integer or f.dtype == np.bool_:
        f = _native.cast(f, np.float64)
    return [
        _gradient_along(f, distance, k, edge_order)
        for k, distance in zip(axes, _distances(f, spacings, axes), strict=True)
    ]


def _distances(f: Tensor, spacings: Sequence[_Spacing], axes: tuple[int, ...]) -> list[_Spacing]:
    """Return the distance of the samples along each axis: a number, or a vector with one less than samples."""
    if not spacings:
        return [1.0] * len(axes)
    if len(spacings) == 1 and not _is_tensor_with_axes(spacings[0]):
        return [spacings[0]] * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("invalid number of arguments")
    return [
        _distances_of(spacing, f.shape[k]) if _is_tensor_with_axes(spacing) else spacing
        for k, spacing in zip(axes, spacings, strict=True)
    ]


def _is_tensor_with_axes(spacing: _Spacing) -> bool:
    return isinstance(spacing, Tensor) and spacing.ndim > 0


def _distances_of(positions: Tensor, size: int) -> _Spacing:
    if positions.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    if positions.shape[0] != size:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    if positions.dtype.is_integer:
        positions = _native.cast(positions, np.float64)
    distances = diff(positions)
    steps = array(distances)
    if not _native.is_watched(positions) and steps.size and (steps == steps[0]).all():
        return _native.basic_index(distances, 0)
    return distances


def _gradient_along(f: Tensor, distance: _Spacing, axis: int, edge_order: int) -> Tensor:
    if f.shape[axis] < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, "
            "at least (edge_order + 1) elements are required."
        )
    ends = _edges_of_first_order if edge_order == 1 else _edges_of_second_order
    first, last = ends(f, distance, axis)
    behind, before = _cut(f, axis, slice(2, None)), _cut(f, axis, slice(None, -2))
    if _is_tensor_with_axes(distance):
        one, two = _native.basic_index(distance, slice(None, -1)), _native.basic_index(distance, slice(1, None))
        weights = [_native.reshape(weight, shape_along(axis, f.ndim)) for weight in _central_weights(one, two)]
        middle = _weighted(weights, [before, _cut(f, axis, slice(1, -1)), behind])
    else:
        middle = elementwise.divide(elementwise.subtract(behind, before), 2.0 * distance)
    # NumPy computes in the type of distances of higher precision, too, and stores in that of f.
    return _native.concatenate([_native.cast(part, f.dtype) for part in (first, middle, last)], axis)


def _weighted(weights: Sequence[TensorLike], samples: Sequence[Tensor]) -> Tensor:
    terms = [elementwise.multiply(weight, sample) for weight, sample in zip(weights, samples, strict=True)]
    return elementwise.add(elementwise.add(terms[0], terms[1]), terms[2])


def _central_weights(one: Tensor, two: Tensor) -> list[Tensor]:
    """Return the weights of three samples, `one` and `two` apart, in the slope at the second."""
    both = elementwise.add(one, two)
    return [
        elementwise.divide(elementwise.negative(two), elementwise.multiply(one, both)),
        elementwise.divide(elementwise.subtract(two, one), elementwise.multiply(one, two)),
        elementwise.divide(one, elementwise.multiply(two, both)),
    ]


def _edges_of_first_order(f: Tensor, distance: _Spacing, axis: int) -> tuple[Tensor, Tensor]:
    first, last = distance, distance
    if _is_tensor_with_axes(distance):
        first, last = _native.basic_index(distance, 0), _native.basic_index(distance, -1)
    at_start = elementwise.subtract(_cut(f, axis, slice(1, 2)), _cut(f, axis, slice(0, 1)))
    at_end = elementwise.subtract(_cut(f, axis, slice(-1, None)), _cut(f, axis, slice(-2, -1)))
    return elementwise.divide(at_start, first), elementwise.divide(at_end, last)


def _edges_of_second_order(f: Tensor, distance: _Spacing, axis: int) -> tuple[Tensor, Tensor]:
    if _is_tensor_with_axes(distance):
        at_start = _edge_weights(_native.basic_index(distance, 0), _native.basic_index(distance, 1))
        at_end = _edge_weights(_native.basic_index(distance, -1), _native.basic_index(distance, -2))
        # The formula for the other end is its mirror image.
        at_end = [elementwise.negative(weight) for weight in reversed(at_end)]
    else:
        at_start = [weight / distance for weight in (-1.5, 2.0, -0.5)]
        at_end = [weight / distance for weight in (0.5, -2.0, 1.5)]
    return (
        _weighted(at_start, [_cut(f, axis, slice(k, k + 1)) for k in range(3)]),
        _weighted(at_end, [_cut(f, axis, slice(k, k + 1 or None)) for k in (-3, -2, -1)]),
    )


def _edge_weights(one: Tensor, two: Tensor) -> list[Tensor]:
    """Return the weights of three samples, `one` and `two` apart, in the slope at the first."""
    both = elementwise.add(one, two)
    return [
        elementwise.divide(
            elementwise.negative(elementwise.add(elementwise.multiply(2.0, one), two)), elementwise.multiply(one, both)
        ),
        elementwise.divide(both, elementwise.multiply(one, two)),
        elementwise.divide(elementwise.negative(one), elementwise.multiply(two, both)),
    ]


def unwrap(p: Tensor, discont: Any = None, axis: Any = -1, period: TensorLike = 2 * math.pi) -> Tensor:
    """Return the phases `p` with multiples of `period` added so that no step along `axis` exceeds half of it."""
    axis = as_axis(axis, p.ndim, "unwrap")
    if not isinstance(period, Tensor):
        period = _native.own(np.asarray(period, np.result_type(p.dtype.dtype, period)))
    result: Tensor = _unwrap(p, period, discont=discont, axis=axis)
    return result


# The number of periods added is constant where there is a derivative.
_unwrap = structural(
    "unwrap",
    lambda p, period, *, discont, axis: np.unwrap(p, discont, axis, period=period),
    p=lambda g: g,
    period=lambda g, p, period, out: elementwise.multiply(g, np.rint((array(out) - array(p)) / array(period))),
)
