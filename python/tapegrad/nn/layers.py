"""What layers are made of beside arithmetic: random omission, and rows looked up by number."""

from __future__ import annotations

from typing import Any

from tapegrad import _native as native
from tapegrad import random
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_shape, as_tensor
from tapegrad._ops.clipping import clip_by_norm
from tapegrad._ops.declare import TensorLike

__all__ = [
    "dropout",
    "embedding_lookup",
]

_multiply = native.elementwise["multiply"]


def dropout(
    x: TensorLike,
    rate: float,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Zero a share `rate` of the elements at random, and divide the others by ``1 - rate``.

    Parameters
    ----------
    x
        A floating-point tensor.
    rate : float
        In [0, 1).
    noise_shape : sequence of int, optional
        The shape of the random mask, which is broadcast to that of `x`.
    seed : int, optional
        As for `tf.random.uniform`.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If `rate` is outside its range, or `x` is not floating point.

    Examples
    --------
    >>> import tapegrad as tf
    >>> set(tf.nn.dropout(tf.ones(100), rate=0.75).numpy().tolist()) == {0.0, 4.0}
    True
    """
    x = as_tensor(x)
    rate = float(rate)
    if not 0 <= rate < 1:
        raise ValueError(f"`rate` must be a scalar in the range [0, 1). Received: rate={rate}")
    if not x.dtype.is_floating:
        raise ValueError(f"`x` must be floating point, as it will be scaled. Received: {x.dtype.name}")
    if rate == 0:
        return x
    keep = random.uniform(x.shape if noise_shape is None else as_shape(noise_shape), seed=seed) >= rate
    return native.where(keep, _multiply(x, 1.0 / (1.0 - rate)), 0.0)


def embedding_lookup(
    params: TensorLike, ids: TensorLike, max_norm: float | None = None, name: str | None = None
) -> Tensor:
    """The rows of `params` numbered by `ids`.

    Parameters
    ----------
    params
        Of one axis or more; rows are counted along the first.
    ids
        Integers of any shape; the result's shape is theirs, followed by a row's.
    max_norm : float, optional
        Rows of a larger Euclidean norm are scaled down to it.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.embedding_lookup([[0.0, 1.0], [2.0, 3.0]], [1, 1, 0]).numpy().tolist()
    [[2.0, 3.0], [2.0, 3.0], [0.0, 1.0]]
    """
    numbers = native.array(ids)
    rows = native.take(params, numbers, 0, sparse=True)
    if max_norm is None:
        return rows
    return clip_by_norm(rows, max_norm, axes=tuple(range(numbers.ndim, rows.ndim)))
