"""Norms under TensorFlow's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad._native import Tensor
from tapegrad._ops import clipping
from tapegrad._ops.arguments import as_axes, as_inexact, kept_shape
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix import norms
from tapegrad._ops.shaping import reshape

__all__ = ["global_norm", "norm", "normalize"]


def norm(
    tensor: TensorLike,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """Return a norm over `axis`; at a kink the slope is the smallest one, 0 at zero.

    Parameters
    ----------
    tensor
        The tensor.
    ord
        `"euclidean"` (of a matrix the Frobenius norm, also `"fro"`), 1, 2 (of a matrix the greatest singular value),
        `np.inf`, or of vectors another positive number.
    axis
        One axis, a pair of axes (a matrix norm), or `None` for all elements as one vector; the Euclidean norm can be
        over any number of axes.
    keepdims
        Whether the axes stay, with size 1.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the order is unknown for such axes, or there are more than two of them.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.norm([3.0, 4.0])), float(tf.norm([3.0, 4.0], ord=1))
    (5.0, 7.0)
    """
    x = as_inexact(tensor)
    axes = as_axes(axis, x.ndim, "norm")
    keep = bool(keepdims)
    if ord in ("euclidean", "fro") or (ord == 2 and (axis is None or len(axes) == 1)):
        return norms.vector_norm(x, axes, keep)
    is_matrix = axis is not None and len(axes) == 2
    if isinstance(ord, str) or not ord > 0 or (is_matrix and ord not in (1, 2, np.inf)):
        raise ValueError(f"norm: unknown order {ord!r} for {'a pair of axes' if is_matrix else 'vectors'}.")
    if is_matrix:
        return norms.norm(x, ord, axes, keep)
    if axis is None:
        result = norms.norm(reshape(x, (-1,)), ord)
        return reshape(result, kept_shape(x.shape, axes)) if keep else result
    if len(axes) > 2:
        raise ValueError(f"norm: the order {ord!r} is over one axis or a pair of axes, not {axis}.")
    return norms.norm(x, ord, axes[0], keep)


def normalize(
    tensor: TensorLike, ord: Any = "euclidean", axis: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return `tensor` divided by its norm over `axis`, and that norm with the axes kept.

    Parameters
    ----------
    tensor
        A tensor.
    ord
        Which norm: see `norm`.
    axis
        An axis for norms of vectors, two for norms of matrices, `None` for the whole tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x, length = tf.linalg.normalize([0.0, 2.0])
    >>> x.numpy().tolist(), length.numpy().tolist()
    ([0.0, 1.0], [2.0])
    """
    x = as_inexact(tensor)
    length = norm(x, ord, axis, keepdims=True)
    return elementwise.divide(x, length), length


def global_norm(t_list: Sequence[TensorLike | None], name: str | None = None) -> Tensor | None:
    """Return the Euclidean norm of all elements of several tensors; `None` entries are skipped.

    Parameters
    ----------
    t_list
        Tensors, `IndexedSlices`, or `None`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.linalg.global_norm([tf.constant([3.0]), None, tf.constant([4.0])]))
    5.0
    """
    return clipping.global_norm(t_list)
