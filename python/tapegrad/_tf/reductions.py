"""TensorFlow's names for reductions and running sums. Integers keep their type, as in TensorFlow."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import cumulative, reductions, statistics
from tapegrad._ops.arguments import as_int, as_tensor
from tapegrad._ops.cumulative_logsumexp import cumulative_logsumexp as _cumulative_logsumexp
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._tf.tensor_shape import TensorShape
from tapegrad.dtypes import as_dtype, int64, uint64

__all__ = [
    "accumulate_n",
    "add_n",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
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


def _of_integers(result: Tensor, operand: TensorLike) -> Tensor:
    """Return a result that NumPy has widened to 64 bits in the integer type of the operand."""
    dtype = as_tensor(operand).dtype
    return _native.cast(result, dtype) if dtype.is_integer and result.dtype is not dtype else result


def reduce_sum(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the sum over `axis` (an int, several, or `None` for all).

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.ones((2, 3))
    >>> float(tf.reduce_sum(x)), tf.reduce_sum(x, 0).shape, tf.reduce_sum(x, 0, keepdims=True).shape
    (6.0, (3,), (1, 3))
    """
    result = reductions.sum(input_tensor, axis, keepdims)
    dtype = result.dtype
    return _of_integers(result, input_tensor) if dtype is int64 or dtype is uint64 else result


def reduce_mean(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the arithmetic mean over `axis`; of integers an integer (rounded towards 0).

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

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.reduce_prod([2.0, 3.0]))
    6.0
    """
    return _of_integers(reductions.prod(input_tensor, axis, keepdims), input_tensor)


def reduce_max(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the greatest element over `axis`; elements that tie for it share its derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_max([[1, 4], [3, 2]], axis=1).numpy().tolist()
    [4, 3]
    """
    return reductions.max(input_tensor, axis, keepdims)


def reduce_min(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the least element over `axis`; elements that tie for it share its derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_min([[1, 4], [3, 2]], axis=1).numpy().tolist()
    [1, 2]
    """
    return reductions.min(input_tensor, axis, keepdims)


def reduce_any(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return whether any element over `axis` is true.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reduce_any([[True, False], [False, False]], axis=1).numpy().tolist()
    [True, False]
    """
    return reductions.any(input_tensor, axis, keepdims)


def reduce_all(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return whether all elements over `axis` are true.

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

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.reduce_variance([1.0, 3.0]))
    1.0
    """
    return statistics.var(input_tensor, axis, keepdims)


def reduce_std(input_tensor: TensorLike, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Return the standard deviation over `axis`; the derivative at constants is 0.

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

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.math.count_nonzero([0, 1, 2]))
    2
    """
    return _native.cast(reductions.count_nonzero(input, axis, keepdims), as_dtype(dtype))


def argmax(input: TensorLike, axis: Any = None, output_type: Any = int64, name: str | None = None) -> Tensor:
    """Return the position of the (first) greatest element along `axis`, which is 0 by default.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.argmax([1, 3, 2]))
    1
    """
    return _native.cast(reductions.argmax(input, 0 if axis is None else axis), as_dtype(output_type))


def argmin(input: TensorLike, axis: Any = None, output_type: Any = int64, name: str | None = None) -> Tensor:
    """Return the position of the (first) least element along `axis`, which is 0 by default.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.argmin([2, 1, 3]))
    1
    """
    return _native.cast(reductions.argmin(input, 0 if axis is None else axis), as_dtype(output_type))


def cumsum(
    x: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running sum along `axis`.

    With `exclusive` each position holds the sum of those before it; with `reverse` the sum runs from the end.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.cumsum([1.0, 2.0, 3.0], exclusive=True).numpy().tolist()
    [0.0, 1.0, 3.0]
    """
    return _of_integers(cumulative.cumsum(x, as_int(axis), exclusive, reverse), x)


def cumprod(
    x: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running product along `axis`; derivatives are exact also at zeros.

    With `exclusive` each position holds the product of those before it; with `reverse` the product runs from
    the end.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.cumprod([1.0, 2.0, 3.0], reverse=True).numpy().tolist()
    [6.0, 6.0, 3.0]
    """
    return _of_integers(cumulative.cumprod(x, as_int(axis), exclusive, reverse), x)


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Return the sum of several tensors of one shape.

    Raises
    ------
    ValueError
        If there are no tensors, or their shapes differ.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.add_n([[1, 2], [3, 4], [5, 6]]).numpy().tolist()
    [9, 12]
    """
    tensors = [as_tensor(x) for x in inputs] if isinstance(inputs, list | tuple) else [as_tensor(inputs)]
    if not tensors:
        raise ValueError("add_n: at least one tensor is needed.")
    total = tensors[0]
    for x in tensors[1:]:
        if x.shape != total.shape:
            raise ValueError(f"add_n: the tensors must have one shape, not {total.shape} and {x.shape}.")
        total = elementwise.add(total, x)
    return total


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """Return the sum of several tensors of one shape, as `add_n`, after a check of their shape and type.

    Raises
    ------
    ValueError
        If the tensors' shape is not `shape`.
    TypeError
        If their dtype is not `tensor_dtype`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.accumulate_n([[1, 2], [3, 4]], shape=[2], tensor_dtype=tf.int32).numpy().tolist()
    [4, 6]
    """
    total = add_n(inputs)
    if shape is not None and not TensorShape(shape).is_compatible_with(total.shape):
        raise ValueError(f"Shapes {TensorShape(shape)} and {total.shape} are not compatible")
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not total.dtype:
        raise TypeError(f"The `tensor_dtype` argument is {tensor_dtype}, but `input` is of type {total.dtype}.")
    return total


def cumulative_logsumexp(
    x: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the logarithm of the running sum of exponentials along `axis`, without overflow.

    With `exclusive` each position is about those before it, the first one -inf; with `reverse` the sum runs from the
    end.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.cumulative_logsumexp([1000.0, 1000.0]).numpy().round(3).tolist()
    [1000.0, 1000.6929931640625]
    """
    return _cumulative_logsumexp(x, axis, exclusive, reverse)
