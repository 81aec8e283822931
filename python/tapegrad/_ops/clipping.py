"""Limits on the size of tensors: elementwise, by the norm of one, or by the norm of many together.

What has a norm can be `IndexedSlices`, whose norm is that of the whole tensor, and which stay slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import statistics
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.joining import stack
from tapegrad.indexed_slices import IndexedSlices

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "global_norm"]


def clip_by_value(t: TensorLike, clip_value_min: TensorLike, clip_value_max: TensorLike) -> Tensor:
    """Return `t` limited to the range between the two values, elementwise; the derivative at a bound is 1."""
    return elementwise.clip(as_tensor(t), clip_value_min, clip_value_max)


@overload
def clip_by_norm(t: IndexedSlices, clip_norm: TensorLike, axes: Any = None) -> IndexedSlices: ...


@overload
def clip_by_norm(t: TensorLike, clip_norm: TensorLike, axes: Any = None) -> Tensor: ...


def clip_by_norm(t: TensorLike | IndexedSlices, clip_norm: TensorLike, axes: Any = None) -> Tensor | IndexedSlices:
    """Return `t`, scaled down to the norm `clip_norm` where its norm over `axes` exceeds that."""
    if isinstance(t, IndexedSlices):
        t = t.deduplicated()
        return t.with_values(clip_by_norm(t.values, clip_norm, axes))
    t = as_tensor(t)
    size = statistics.norm(t, axis=axes, keepdims=True)
    return elementwise.divide(elementwise.multiply(t, clip_norm), elementwise.maximum(size, clip_norm))


def global_norm(t_list: Sequence[TensorLike | IndexedSlices | None]) -> Tensor | None:
    """Return the Euclidean norm of all elements of several tensors; `None` entries are skipped.

    It is `None` if there is no tensor at all.
    """
    norms = [statistics.norm(_elements(t)) for t in t_list if t is not None]
    return statistics.norm(stack(norms)) if norms else None


def clip_by_global_norm(
    t_list: Sequence[TensorLike | IndexedSlices | None], clip_norm: TensorLike, use_norm: TensorLike | None = None
) -> tuple[list[Tensor | IndexedSlices | None], Tensor | None]:
    """Return the tensors, scaled down together where their joint norm exceeds `clip_norm`, and that norm.

    Parameters
    ----------
    t_list
        Tensors, or `None` for what has no gradient.
    clip_norm
        The greatest joint norm.
    use_norm
        The joint norm if it is already known.

    Returns
    -------
    tuple
        The list of scaled tensors (all NaN if the norm is not finite, as nothing sensible can be done then),
        and the norm before scaling.
    """
    if isinstance(t_list, str) or not isinstance(t_list, Sequence):
        raise TypeError(f"clip_by_global_norm: a list of tensors is needed, not {type(t_list).__name__}.")
    size = global_norm(t_list) if use_norm is None else as_tensor(use_norm)
    if size is None:
        return [None] * len(t_list), None
    limit = elementwise.minimum(elementwise.reciprocal(size), elementwise.reciprocal(_like(clip_norm, size)))
    scale = elementwise.multiply(limit, clip_norm)
    if not np.isfinite(array(size)):
        scale = _native.own(np.asarray(np.nan, size.dtype))
    return [None if t is None else _scaled(t, scale) for t in t_list], size


def _elements(t: TensorLike | IndexedSlices) -> TensorLike:
    """What has the norm of `t`."""
    return t.deduplicated().values if isinstance(t, IndexedSlices) else t


def _scaled(t: TensorLike | IndexedSlices, scale: Tensor) -> Tensor | IndexedSlices:
    if isinstance(t, IndexedSlices):
        return t.with_values(_scaled(t.values, scale))
    return elementwise.multiply(t, _like(scale, as_tensor(t)))


def _like(value: TensorLike, model: Tensor) -> Tensor:
    return _native.cast(value, model.dtype)
