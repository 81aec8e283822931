"""TensorFlow's names for clipping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from tapegrad._native import Tensor
from tapegrad._ops import clipping
from tapegrad._ops.declare import TensorLike
from tapegrad.indexed_slices import IndexedSlices

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value"]


def clip_by_value(
    t: TensorLike, clip_value_min: TensorLike, clip_value_max: TensorLike, name: str | None = None
) -> Tensor:
    """Return `t` limited to the range between the two values, elementwise; the derivative at a bound is 1.

    Parameters
    ----------
    t
        The tensor.
    clip_value_min, clip_value_max
        The bounds, which are broadcast; the slope at a bound is 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.clip_by_value([-1.0, 0.5, 3.0], 0.0, 1.0).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return clipping.clip_by_value(t, clip_value_min, clip_value_max)


@overload
def clip_by_norm(
    t: IndexedSlices, clip_norm: TensorLike, axes: Any = None, name: str | None = None
) -> IndexedSlices: ...


@overload
def clip_by_norm(t: TensorLike, clip_norm: TensorLike, axes: Any = None, name: str | None = None) -> Tensor: ...


def clip_by_norm(
    t: TensorLike | IndexedSlices, clip_norm: TensorLike, axes: Any = None, name: str | None = None
) -> Tensor | IndexedSlices:
    """Return `t`, scaled down to the Euclidean norm `clip_norm` where its norm over `axes` exceeds it.

    `IndexedSlices` have the norm of the whole tensor, and stay slices.

    Parameters
    ----------
    t
        A tensor or `IndexedSlices`.
    clip_norm
        The greatest norm, which is positive.
    axes
        An axis, several, or `None` for all of them.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.clip_by_norm([3.0, 4.0], 2.5).numpy().tolist()
    [1.5, 2.0]
    """
    return clipping.clip_by_norm(t, clip_norm, axes)


def clip_by_global_norm(
    t_list: Sequence[TensorLike | IndexedSlices | None],
    clip_norm: TensorLike,
    use_norm: TensorLike | None = None,
    name: str | None = None,
) -> tuple[list[Tensor | IndexedSlices | None], Tensor | None]:
    """Return the tensors, scaled down to the joint norm `clip_norm` if theirs exceeds it, and their norm.

    Parameters
    ----------
    t_list
        Tensors or `IndexedSlices`; entries that are `None` (no gradient) stay so.
    clip_norm
        The greatest joint norm.
    use_norm
        The joint norm if it is already known.
    name
        Has no effect.

    Examples
    --------
    >>> import numpy as np, tapegrad as tf
    >>> clipped, norm = tf.clip_by_global_norm([tf.constant([3.0]), None, tf.constant([4.0])], 2.5)
    >>> [None if t is None else np.asarray(t).tolist() for t in clipped], float(norm)
    ([[1.5], None, [2.0]], 5.0)
    """
    return clipping.clip_by_global_norm(t_list, clip_norm, use_norm)
