"""Derivatives by central differences, for functions of which nothing better is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["difference_along", "differences"]

_Array = npt.NDArray[Any]


def difference_along(
    function: Callable[[list[_Array]], list[_Array]], point: Sequence[_Array], direction: Sequence[_Array]
) -> list[_Array]:
    """Return the derivative of each result along a direction: two calls of the function."""
    length = max([float(np.max(np.abs(d), initial=0.0)) for d in direction])
    if length == 0.0:
        return [np.zeros_like(result) for result in function(list(point))]
    size = max([1.0, *[float(np.max(np.abs(x), initial=0.0)) for x in point]])
    step = _relative_step(point) * size / length
    ends = [function([x + sign * step * d for x, d in zip(point, direction, strict=True)]) for sign in (1.0, -1.0)]
    return [(after - before) / (2.0 * step) for after, before in zip(*ends, strict=True)]


def differences(
    function: Callable[[list[_Array]], list[_Array]], point: Sequence[_Array], cotangents: Sequence[_Array]
) -> list[_Array]:
    """Return the cotangent of each argument: two calls of the function for each element (four if it is complex)."""

    def slope(k: int, index: tuple[int, ...], unit: complex, step: float) -> float:
        values = []
        for sign in (1.0, -1.0):
            moved = [np.array(x) for x in point]
            moved[k][index] += sign * step * unit
            values.append(
                sum(float(np.sum(np.real(np.conj(g) * y))) for g, y in zip(cotangents, function(moved), strict=True))
            )
        return (values[0] - values[1]) / (2.0 * step)

    relative = _relative_step(point)
    results = []
    for k, x in enumerate(point):
        result = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            step = relative * max(1.0, float(np.abs(x[index])))
            result[index] = slope(k, index, 1.0, step)
            if x.dtype.kind == "c":
                result[index] += 1j * slope(k, index, 1j, step)
        results.append(result)
    return results


def _relative_step(point: Sequence[_Array]) -> float:
    """Return the step that balances truncation, of the order of its square, against rounding."""
    return max([float(np.cbrt(np.finfo(x.dtype).eps)) for x in point])
