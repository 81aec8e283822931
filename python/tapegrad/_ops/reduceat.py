"""Sums over consecutive segments of an axis."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.declare import Operation, linear
from tapegrad._ops.indexing import index_add

__all__ = ["add_reduceat"]


def _transpose(g: Tensor, a_shape: tuple[int, ...], starts: tuple[int, ...], axis: int) -> Tensor:
    """Return the sum, over the segments that an element is in, of their cotangents."""
    bounds = [(start, stop if start < stop else start + 1) for start, stop in pairwise((*starts, a_shape[axis]))]
    members = np.concatenate([np.arange(start, stop) for start, stop in bounds])
    segments = np.repeat(np.arange(len(bounds)), [stop - start for start, stop in bounds])
    return index_add(_native.take(g, segments, axis), (*(slice(None),) * axis, members), a_shape)


add_reduceat: Operation = linear(
    "add.reduceat",
    forward=lambda a, *, starts, axis: np.add.reduceat(a, starts, axis),
    transpose=_transpose,
    axes="axis",
)
"""`add_reduceat(a, starts=, axis=)`: the sums of the segments that start at `starts`, as NumPy divides them."""
