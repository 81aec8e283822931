"""Extrema of a tensor and of updates at some of its elements, all that meet at an element being alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import Operation, TensorLike, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import Selection, index_add, select

__all__ = ["max_at", "min_at"]


def max_at(x: TensorLike, at: Selection, updates: TensorLike) -> Tensor:
    """Return `x` with the greatest of each element and the updates to it; those that tie share the derivative."""
    result: Tensor = _max_at(*_of_one_type(x, updates), at=at)
    return result


def min_at(x: TensorLike, at: Selection, updates: TensorLike) -> Tensor:
    """Return `x` with the least of each element and the updates to it; those that tie share the derivative."""
    result: Tensor = _min_at(*_of_one_type(x, updates), at=at)
    return result


def _of_one_type(x: TensorLike, updates: TensorLike) -> tuple[Tensor, Tensor]:
    x = as_tensor(x)
    return x, _native.cast(updates, x.dtype)


def _equal(x: Tensor, y: Tensor) -> Tensor:
    return _native.cast(elementwise.equal(x, y), x.dtype)


def _share(g: Tensor, x: Tensor, updates: Tensor, out: Tensor, at: Selection) -> Tensor:
    """Return the cotangent of each element divided by the number of those that tie for it."""
    ties = elementwise.add(_equal(x, out), index_add(_equal(updates, select(out, at=at)), at.key, at.shape))
    return elementwise.divide_no_nan(g, ties)


def _vjp_x(g: Tensor, x: Tensor, updates: Tensor, out: Tensor, at: Selection) -> Tensor:
    return elementwise.multiply_no_nan(_equal(x, out), _share(g, x, updates, out, at))


def _vjp_updates(g: Tensor, x: Tensor, updates: Tensor, out: Tensor, at: Selection) -> Tensor:
    share = select(_share(g, x, updates, out, at), at=at)
    return elementwise.multiply_no_nan(_equal(updates, select(out, at=at)), share)


def _extremum_at(name: str, ufunc: np.ufunc) -> Operation:
    @silent
    def forward(x: npt.NDArray[Any], updates: npt.NDArray[Any], *, at: Selection) -> npt.NDArray[Any]:
        out = np.array(x)
        ufunc.at(out, at.key, updates)
        return out

    return structural(name, forward, x=_vjp_x, updates=_vjp_updates)


_max_at = _extremum_at("max_at", np.maximum)
_min_at = _extremum_at("min_at", np.minimum)
