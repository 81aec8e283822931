"""NumPy's statistics of samples: averages, medians and quantiles, covariances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import covariance, quantiles
from tapegrad._ops.quantiles import Statistic
from tapegrad._ops.shaping import squeeze
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import UNSET, Out, TensorLike, as_axis_argument, as_dtype, delivered, operand

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]


@implements(np.median)
def median(
    a: TensorLike, axis: Any = None, out: Out = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """Return the median over `axis`; of the two middle elements of an even number each has half of the derivative.

    The parameters are those of `numpy.median`; tensors are never overwritten.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant([5.0, 1.0, 9.0, 4.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.median(x)
    >>> print(y.numpy(), tape.gradient(y, x).numpy())
    4.5 [0.5 0.  0.  0.5]
    """
    return _median(np.median, a, axis, out, keepdims, ignores_nan=False)


@implements(np.nanmedian)
def nanmedian(
    a: TensorLike, axis: Any = None, out: Out = None, overwrite_input: bool = False, keepdims: Any = UNSET
) -> Any:
    """Return the median over `axis` of the elements that are not NaN; see `median`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.nanmedian([5.0, float("nan"), 9.0]).numpy())
    7.0
    """
    return _median(np.nanmedian, a, axis, out, keepdims, ignores_nan=True)


def _median(function: Callable[..., Any], a: Any, axis: Any, out: Any, keepdims: Any, ignores_nan: bool) -> Any:
    statistic = Statistic(function, as_axis_argument(axis), _flag(keepdims), ignores_nan=ignores_nan)
    return delivered(quantiles.median(operand(a), statistic), out)


def _flag(keepdims: Any) -> bool:
    return keepdims is not UNSET and bool(keepdims)


@implements(np.quantile)
def quantile(
    a: TensorLike,
    q: TensorLike,
    axis: Any = None,
    out: Out = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: TensorLike | None = None,
) -> Any:
    """Return quantiles over `axis`.

    The parameters are those of `numpy.quantile`. The two elements that a quantile lies between share its derivative.
    The methods that interpolate are differentiable with respect to `q`, too; in `weights` the result is piecewise
    constant.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant([5.0, 1.0, 9.0, 4.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.quantile(x, 0.25)
    >>> print(y.numpy(), tape.gradient(y, x).numpy())
    3.25 [0.   0.25 0.   0.75]
    """
    return _quantile(np.quantile, a, q, axis, out, method, keepdims, weights)


@implements(np.percentile)
def percentile(
    a: TensorLike,
    q: TensorLike,
    axis: Any = None,
    out: Out = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: TensorLike | None = None,
) -> Any:
    """Return percentiles over `axis`: quantiles with `q` between 0 and 100; see `quantile`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.percentile([5.0, 1.0, 9.0, 4.0], [25, 50]).numpy())
    [3.25 4.5 ]
    """
    return _quantile(np.percentile, a, q, axis, out, method, keepdims, weights, scale=100)


@implements(np.nanquantile)
def nanquantile(
    a: TensorLike,
    q: TensorLike,
    axis: Any = None,
    out: Out = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = UNSET,
    *,
    weights: TensorLike | None = None,
) -> Any:
    """Return quantiles over `axis` of the elements that are not NaN; see `quantile`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.nanquantile([5.0, float("nan"), 9.0], 0.25).numpy())
    6.0
    """
    return _quantile(np.nanquantile, a, q, axis, out, method, keepdims, weights, ignores_nan=True)


@implements(np.nanpercentile)
def nanpercentile(
    a: TensorLike,
    q: TensorLike,
    axis: Any = None,
    out: Out = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = UNSET,
    *,
    weights: TensorLike | None = None,
) -> Any:
    """Return percentiles over `axis` of the elements that are not NaN; see `quantile`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.nanpercentile([5.0, float("nan"), 9.0], 25).numpy())
    6.0
    """
    return _quantile(np.nanpercentile, a, q, axis, out, method, keepdims, weights, ignores_nan=True, scale=100)


def _quantile(
    function: Callable[..., Any],
    a: Any,
    q: Any,
    axis: Any,
    out: Any,
    method: str,
    keepdims: Any,
    weights: Any,
    ignores_nan: bool = False,
    scale: int = 1,
) -> Any:
    statistic = Statistic(
        function,
        as_axis_argument(axis),
        _flag(keepdims),
        method,
        None if weights is None else array(operand(weights)),
        ignores_nan,
        scale,
    )
    if type(q) not in (int, float):  # NumPy computes in the type of `a` if q is a plain number
        q = operand(q)
    return delivered(quantiles.quantile(operand(a), q, statistic), out)


@implements(np.average)
def average(
    a: TensorLike,
    axis: Any = None,
    weights: TensorLike | None = None,
    returned: bool = False,
    *,
    keepdims: Any = UNSET,
) -> Any:
    """Return the weighted mean over `axis`, and with `returned` the sum of the weights, too.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> w = tf.constant([1.0, 3.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     y = np.average([0.0, 4.0], weights=w)
    >>> print(y.numpy(), tape.gradient(y, w).numpy())
    3.0 [-0.75  0.25]
    """
    beside = None if weights is None else operand(weights)
    mean, total = covariance.average(operand(a), beside, as_axis_argument(axis), _flag(keepdims))
    return (mean, total) if returned else mean


@implements(np.cov)
def cov(
    m: TensorLike,
    y: TensorLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """Return the covariances of the rows of `m` and `y`; differentiable in these and in `aweights`.

    Raises
    ------
    ValueError
        If `ddof` is no integer.
    TypeError
        If frequencies are no integers.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant([1.0, 2.0, 6.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.cov(x)
    >>> print(y.numpy(), tape.gradient(y, x).numpy())
    7.0 [-2. -1.  3.]
    """
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    samples = _rows(operand(m), None if y is None else operand(y), rowvar, as_dtype(dtype))
    if samples.shape[0] == 0:
        return _native.own(np.empty((0, 0)))
    if ddof is None:
        ddof = 0 if bias else 1
    frequencies = None if fweights is None else _weights(fweights, "fweights", samples.shape[1])
    if frequencies is not None and not np.all(array(frequencies) == np.around(array(frequencies))):
        raise TypeError("fweights must be integer")
    importances = None if aweights is None else _weights(aweights, "aweights", samples.shape[1])
    return squeeze(covariance.covariance(samples, int(ddof), frequencies, importances))


def _rows(m: Tensor, y: Tensor | None, rowvar: bool, dtype: np.dtype[Any] | None) -> Tensor:
    """Return the variables as rows of one matrix of the type to compute in."""
    if m.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    if y is not None and y.ndim > 2:
        raise ValueError("y has more than 2 dimensions")
    if dtype is None:
        given = [value.dtype.dtype for value in (m, y) if value is not None]
        dtype = np.result_type(*given, np.float64)
    rows = _matrix(m, dtype)
    if not rowvar and m.ndim != 1:
        rows = _native.transpose(rows)
    if y is None or rows.shape[0] == 0:
        return rows
    others = _matrix(y, dtype)
    if not rowvar and others.shape[0] != 1:
        others = _native.transpose(others)
    return _native.concatenate([rows, others])


def _matrix(a: Tensor, dtype: np.dtype[Any]) -> Tensor:
    a = _native.cast(a, dtype)
    return a if a.ndim == 2 else _native.reshape(a, (1, a.size))


def _weights(given: TensorLike, name: str, observations: int) -> Tensor:
    weights = _native.cast(operand(given), np.float64)
    if weights.ndim > 1:
        raise RuntimeError(f"cannot handle multidimensional {name}")
    if weights.shape[0] != observations:
        raise RuntimeError(f"incompatible numbers of samples and {name}")
    if np.any(array(weights) < 0):
        raise ValueError(f"{name} cannot be negative")
    return weights


@implements(np.corrcoef)
def corrcoef(x: TensorLike, y: TensorLike | None = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """Return the correlation coefficients of the rows of `x` and `y`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.corrcoef([1.0, 2.0, 3.0], [2.0, 1.0, 0.0]).numpy())
    [[ 1. -1.]
     [-1.  1.]]
    """
    return covariance.correlation(cov(x, y, rowvar, dtype=dtype))
