"""TensorFlow's names for reductions. Integers keep their type, as in TensorFlow."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import reductions, statistics
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad.dtypes import as_dtype, int64, uint64

__all__ = [
    "count_nonzero",
    "norm",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
]


def of_integers(result: Tensor, operand: TensorLike) -> Tensor:
    """Return a result that NumPy has widened to 64 bits in the integer type of the operand."""
    dtype = as_tensor(operand).dtype
    return _native.cast(result, dtype) if dtype.is_integer and result.dtype is not dtype else result


def reduce_sum(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the sum over `axis` (an int, several, or `None` for all).

    Parameters
    ----------
    input_tensor
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.ones((2, 3))
    >>> float(tf.reduce_sum(x)), tf.reduce_sum(x, 0).shape, tf.reduce_sum(x, 0, keepdims=True).shape
    (6.0, (3,), (1, 3))
    """
    result = reductions.sum(input_tensor, axis, keepdims)
    dtype = result.dtype
    return of_integers(result, input_tensor) if dtype is int64 or dtype is uint64 else result


def reduce_mean(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the arithmetic mean over `axis`; of integers an integer (rounded towards 0).

    Parameters
    ----------
    input_tensor
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.reduce_mean([1.0, 2.0])), int(tf.reduce_mean([1, 2]))
    (1.5, 1)
    """
    x = as_tensor(input_tensor)
    mean = reductions.mean(x, axis, keepdims)
    return _native.cast(elementwise.trunc(mean), x.dtype) if x.dtype.is_integer else mean


def reduce_prod(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the product over `axis`; derivatives are exact also where elements are zero.

    Parameters
    ----------
    input_tensor
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.reduce_prod([2.0, 3.0]))
    6.0
    """
    return of_integers(reductions.prod(input_tensor, axis, keepdims), input_tensor)


def reduce_max(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the greatest element over `axis`; elements that tie for it share its derivative.

    Parameters
    ----------
    input_tensor
        A real tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_max([[1, 4], [3, 2]], axis=1).numpy().tolist()
    [4, 3]
    """
    return reductions.max(input_tensor, axis, keepdims)


def reduce_min(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the least element over `axis`; elements that tie for it share its derivative.

    Parameters
    ----------
    input_tensor
        A real tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_min([[1, 4], [3, 2]], axis=1).numpy().tolist()
    [1, 2]
    """
    return reductions.min(input_tensor, axis, keepdims)


def reduce_any(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return whether any element over `axis` is true.

    Parameters
    ----------
    input_tensor
        A tensor of bools.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_any([[True, False], [False, False]], axis=1).numpy().tolist()
    [True, False]
    """
    return reductions.any(input_tensor, axis, keepdims)


def reduce_all(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return whether all elements over `axis` are true.

    Parameters
    ----------
    input_tensor
        A tensor of bools.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_all([[True, False], [True, True]], axis=1).numpy().tolist()
    [False, True]
    """
    return reductions.all(input_tensor, axis, keepdims)


def reduce_variance(
    input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Return the variance over `axis`.

    Parameters
    ----------
    input_tensor
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.reduce_variance([1.0, 3.0]))
    1.0
    """
    return statistics.var(input_tensor, axis, keepdims)


def reduce_std(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the standard deviation over `axis`; the derivative at constants is 0.

    Parameters
    ----------
    input_tensor
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.reduce_std([1.0, 3.0]))
    1.0
    """
    return statistics.std(input_tensor, axis, keepdims)


def reduce_logsumexp(
    input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Return the logarithm of the sum of exponentials over `axis`, without overflow.

    Parameters
    ----------
    input_tensor
        A real tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.reduce_logsumexp([1000.0, 1000.0])), 3)
    1000.693
    """
    return statistics.logsumexp(input_tensor, axis, keepdims)


def reduce_euclidean_norm(
    input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Return the root of the sum of squares over `axis`; the derivative at zero is 0.

    Parameters
    ----------
    input_tensor
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.reduce_euclidean_norm([3.0, 4.0]))
    5.0
    """
    return statistics.norm(input_tensor, None, axis, keepdims)


def norm(
    tensor: TensorLike,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """Return a norm over `axis`; the derivative at zero is 0.

    Parameters
    ----------
    tensor
        The tensor.
    ord
        `"euclidean"` (of a matrix the Frobenius norm), 1, 2, `np.inf` or another positive number.
    axis
        One axis, a pair of axes (a matrix norm), or `None` for all elements as one vector.
    keepdims
        Whether the axes stay, with size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.norm([3.0, 4.0])), float(tf.norm([3.0, 4.0], ord=1))
    (5.0, 7.0)
    """
    return statistics.norm(tensor, ord, axis, bool(keepdims))


def count_nonzero(
    input: TensorLike, axis: Any = None, keepdims: bool = False, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """Return the number of elements over `axis` that are not zero.

    Parameters
    ----------
    input
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    keepdims
        Whether the result keeps these axes, with size 1.
    dtype
        The integer type of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.math.count_nonzero([0, 1, 2]))
    2
    """
    return _native.cast(reductions.count_nonzero(input, axis, keepdims), as_dtype(dtype))
