"""Convolution and correlation of vectors. The derivative of one is the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.declare import Operation, silent, structural
from tapegrad._ops.padding import pad

__all__ = ["convolve", "correlate"]


def convolve(a: Tensor, v: Tensor, mode: Any = "full") -> Tensor:
    """Return the sums of `a[k] * v[n - k]` for all n in the part of the full result that `mode` names."""
    if a.size < v.size:
        a, v = v, a  # as NumPy does, whose last bits depend on it
    result: Tensor = _convolve(_at_least_1d(a), _at_least_1d(v), mode=mode)
    return result


def correlate(a: Tensor, v: Tensor, mode: Any = "valid") -> Tensor:
    """Return the sums of `a[n + k] * conj(v[k])` for all n in the part of the full result that `mode` names."""
    result: Tensor = _correlate(a, v, mode=mode)
    return result


def _at_least_1d(a: Tensor) -> Tensor:
    return a if a.ndim else _native.reshape(a, (1,))


def _full(g: Tensor, a_shape: tuple[int, ...], v_shape: tuple[int, ...], backwards: bool = False) -> Tensor:
    """Return the cotangent of a part as that of the full result, which has zeros around it.

    NumPy takes the part from the middle; if one element more is missing on one side, it is the end, but the start where
    NumPy computes the result backwards: in correlations with a longer vector.
    """
    missing = a_shape[0] + v_shape[0] - 1 - g.size
    before = (missing + backwards) // 2
    return pad(g, ((before, missing - before),)) if missing else g


_convolve: Operation = structural(
    "convolve",
    silent(lambda a, v, *, mode: np.convolve(a, v, mode)),
    a=lambda g, v, a_shape: correlate(_full(g, a_shape, v.shape), v),
    v=lambda g, a, v_shape: correlate(_full(g, a.shape, v_shape), a),
)
_correlate: Operation = structural(
    "correlate",
    silent(lambda a, v, *, mode: np.correlate(a, v, mode)),
    a=lambda g, v, a_shape: convolve(_full(g, a_shape, v.shape, a_shape < v.shape), v, "valid"),
    v=lambda g, a, v_shape: correlate(a, _full(g, a.shape, v_shape, a.shape < v_shape)),
)
