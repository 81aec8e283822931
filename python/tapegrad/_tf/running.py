"""TensorFlow's names for running sums and products. Integers keep their type, as in TensorFlow."""

from __future__ import annotations

from typing import Any

from tapegrad._native import Tensor
from tapegrad._ops import cumulative
from tapegrad._ops.arguments import as_int
from tapegrad._ops.cumulative_logsumexp import cumulative_logsumexp as _cumulative_logsumexp
from tapegrad._ops.declare import TensorLike
from tapegrad._tf.reductions import of_integers

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
]


def cumsum(
    x: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running sum along `axis`.

    Parameters
    ----------
    x
        A tensor.
    axis
        The axis to run along.
    exclusive
        Whether each position holds the result for those before it, the first one that for none.
    reverse
        Whether to run from the end.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.cumsum([1.0, 2.0, 3.0], exclusive=True).numpy().tolist()
    [0.0, 1.0, 3.0]
    """
    return of_integers(cumulative.cumsum(x, as_int(axis), exclusive, reverse), x)


def cumprod(
    x: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running product along `axis`; derivatives are exact also at zeros.

    Parameters
    ----------
    x
        A tensor.
    axis
        The axis to run along.
    exclusive
        Whether each position holds the result for those before it, the first one that for none.
    reverse
        Whether to run from the end.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.cumprod([1.0, 2.0, 3.0], reverse=True).numpy().tolist()
    [6.0, 6.0, 3.0]
    """
    return of_integers(cumulative.cumprod(x, as_int(axis), exclusive, reverse), x)


def cumulative_logsumexp(
    x: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the logarithm of the running sum of exponentials along `axis`, without overflow.

    Parameters
    ----------
    x
        A real tensor.
    axis
        The axis to run along.
    exclusive
        Whether each position holds the result for those before it, the first one that for none.
    reverse
        Whether to run from the end.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.cumulative_logsumexp([1000.0, 1000.0]).numpy().round(3).tolist()
    [1000.0, 1000.6929931640625]
    """
    return _cumulative_logsumexp(x, axis, exclusive, reverse)
