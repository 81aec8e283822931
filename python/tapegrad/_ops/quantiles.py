"""Medians and quantiles: each is a mean of the two sorted elements that it lies between, and has their derivative.

NumPy computes the values. The rules need to know between which elements a quantile lies, and NumPy says that too: the
quantile of 0, 1, ... n - 1 is the (fractional) position of that quantile among any n sorted elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_axes, as_vector
from tapegrad._ops.declare import silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import index_add

__all__ = ["Statistic", "median", "quantile"]

_Array = npt.NDArray[Any]

# The methods in which a quantile moves with q, by their parameters (alpha, beta) in R. J. Hyndman and Y. Fan, "Sample
# quantiles in statistical packages", The American Statistician 50 (1996): the position is
# n q + alpha + q (1 - alpha - beta) - 1. In the others it jumps.
_PLOTTING_POSITIONS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (1 / 2, 1 / 2),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


class Statistic(NamedTuple):
    """Which statistic of which elements: a function of NumPy and its arguments."""

    function: Callable[..., Any]
    axis: Any = None
    keepdims: bool = False
    method: Any = "linear"
    weights: _Array | None = None
    ignores_nan: bool = False
    scale: int = 1
    """What the q of this function is divided by: 100 for percentiles."""


def median(a: Tensor, statistic: Statistic) -> Tensor:
    """Return `statistic.function`, one of NumPy's medians, of `a`."""
    result: Tensor = _median(a, statistic=statistic)
    return result


def quantile(a: Tensor, q: Any, statistic: Statistic) -> Tensor:
    """Return `statistic.function`, one of NumPy's quantiles, of `a` at `q`.

    It is differentiable with respect to `q` too, in the methods that interpolate. The axes of `q` come first.
    """
    if _native.is_watched(q):
        moving: Tensor = _quantile_of_both(a, q, statistic=statistic)
        return moving
    # Not an operand: NumPy computes in the type of `a` if q is a plain number.
    result: Tensor = _quantile(a, q=array(q) if isinstance(q, _native.Value) else q, statistic=statistic)
    return result


class _Position(NamedTuple):
    """Where the quantiles are, as arrays with the axes of q and then those of `a` that stay."""

    below: _Array
    """The position in `a`, as a vector, of the element below."""
    above: _Array
    """That of the element above."""
    share: _Array
    """The weight of the element above; the other has the rest."""
    depends: _Array
    """Whether there is an element at all."""
    slope: _Array
    """The derivative of `share` with respect to q."""


def _locate(a: _Array, q: Any, statistic: Statistic) -> _Position:
    """Return between which elements of `a` the quantiles lie; `a` is not empty."""
    axes = as_axes(statistic.axis, a.ndim, "quantile")
    lanes = _lanes(a, axes)
    order = np.argsort(lanes, axis=-1, stable=True)
    ranked = np.take_along_axis(_lanes(np.arange(a.size).reshape(a.shape), axes), order, -1)
    n = lanes.shape[-1]
    q = np.true_divide(q, statistic.scale) if statistic.scale != 1 else np.asarray(q)

    is_nan = np.isnan(lanes) if lanes.dtype.kind in "fc" else np.zeros(lanes.shape, np.bool_)
    counts = np.asarray(np.sum(~is_nan, -1)) if statistic.ignores_nan else np.full(lanes.shape[:-1], n)
    rank = np.zeros(q.shape + counts.shape)
    slope = np.zeros(q.shape + counts.shape)
    if statistic.weights is None:
        for m in np.unique(counts[counts > 0]).tolist():
            rank[..., counts == m] = np.quantile(np.arange(float(m)), q, method=statistic.method)[..., np.newaxis]
            slope[..., counts == m] = _slope(m, q, statistic)[..., np.newaxis]
    else:
        weights = np.take_along_axis(_lanes(_broadcast(statistic.weights, a.shape, axes), axes), order, -1)
        for lane in np.ndindex(counts.shape):
            m = counts[lane]
            if m:
                rank[(..., *lane)] = np.quantile(
                    np.arange(float(m)), q, method=statistic.method, weights=weights[lane][:m]
                )
    if not statistic.ignores_nan:
        rank[..., is_nan.any(-1)] = n - 1  # NaNs are sorted to the end, and the result is the last of them

    # The last two elements where the quantile is the last one: so the slope there is the one from the left.
    below = np.clip(np.floor(rank).astype(np.intp), 0, np.maximum(counts - 2, 0))
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    return _Position(_pick(ranked, below), _pick(ranked, above), rank - below, counts > 0, slope)


def _lanes(a: _Array, axes: tuple[int, ...]) -> _Array:
    """Return `a` with `axes` joined into one, behind the others."""
    rest = [k for k in range(a.ndim) if k not in axes]
    size = int(np.prod([a.shape[k] for k in axes], dtype=np.intp))
    return a.transpose(*rest, *axes).reshape(*[a.shape[k] for k in rest], size)


def _pick(ranked: _Array, rank: _Array) -> _Array:
    """Return the elements of each lane of `ranked` at `rank`, which has axes in front."""
    n = ranked.shape[-1]
    starts = np.arange(ranked.size // n).reshape(ranked.shape[:-1]) * n
    picked: _Array = ranked.reshape(-1)[starts + rank]
    return picked


def _broadcast(weights: _Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> _Array:
    """Return the weights, which have `shape` or only its `axes`, one per element."""
    if weights.shape != shape:
        weights = weights.transpose(np.argsort(axes)).reshape([s if k in axes else 1 for k, s in enumerate(shape)])
    return np.broadcast_to(weights, shape)


def _slope(m: int, q: _Array, statistic: Statistic) -> _Array:
    """Return the derivative of the rank among `m` elements with respect to the function's q."""
    if statistic.method not in _PLOTTING_POSITIONS:
        return np.zeros(q.shape)
    alpha, beta = _PLOTTING_POSITIONS[statistic.method]
    rank = m * q + alpha + q * (1 - alpha - beta) - 1
    return np.where((rank >= 0) & (rank <= m - 1), (m + 1 - alpha - beta) / statistic.scale, 0.0)


def _share_above(position: _Position, q: Any) -> Tensor | _Array:
    """Return the weight of the element above, recorded as the function of q that it is."""
    if not _native.is_watched(q):
        return position.share
    moved = elementwise.subtract(q, array(q))
    moved = _native.reshape(moved, q.shape + (1,) * (position.slope.ndim - q.ndim))
    return elementwise.add(elementwise.multiply(moved, position.slope), position.share)


def _vjp_a(g: Tensor, a: Tensor, q: Any, statistic: Statistic) -> Tensor:
    if not a.size:
        return _native.reshape(_native.basic_index(_native.reshape(g, (-1,)), slice(0)), a.shape)
    position = _locate(array(a), array(q), statistic)
    g = _native.reshape(g, position.share.shape)
    share = _native.cast(_share_above(position, q), g.dtype)
    depends = position.depends.astype(g.dtype.dtype)
    above = elementwise.multiply(g, elementwise.multiply(share, depends))
    below = elementwise.multiply(g, elementwise.multiply(elementwise.subtract(1, share), depends))
    parts = _native.concatenate([_native.reshape(below, (-1,)), _native.reshape(above, (-1,))])
    places = np.concatenate([position.below.reshape(-1), position.above.reshape(-1)])
    return _native.reshape(index_add(parts, (places,), (a.size,)), a.shape)


def _vjp_q(g: Tensor, a: Tensor, q: Tensor, statistic: Statistic) -> Tensor | None:
    if statistic.method not in _PLOTTING_POSITIONS:
        return None
    if not a.size:
        return elementwise.multiply(_native.sum(g, axis=tuple(range(q.ndim, g.ndim))), 0)
    position = _locate(array(a), array(q), statistic)
    elements = as_vector(a)
    step = elementwise.subtract(_native.take(elements, position.above), _native.take(elements, position.below))
    g = _native.reshape(g, position.share.shape)
    rates = elementwise.multiply_no_nan(elementwise.multiply(step, position.slope), g)
    return _native.sum(rates, axis=tuple(range(q.ndim, position.share.ndim)))


@silent
def _forward(a: _Array, q: Any, statistic: Statistic) -> Any:
    options = {"axis": statistic.axis, "method": statistic.method, "keepdims": statistic.keepdims}
    if statistic.weights is not None:
        options["weights"] = statistic.weights
    if statistic.ignores_nan and np.ndim(q) == 2:
        # Over several axes NumPy's functions that ignore NaN leave the axes of a matrix q in the wrong place.
        flat = statistic.function(a, np.ravel(q), **options)
        return flat.reshape(np.shape(q) + flat.shape[1:])
    return statistic.function(a, q, **options)


_quantile = structural("quantile", lambda a, *, q, statistic: _forward(a, q, statistic), a=_vjp_a)
_quantile_of_both = structural("quantile", lambda a, q, *, statistic: _forward(a, q, statistic), a=_vjp_a, q=_vjp_q)
_median = structural(
    "median",
    silent(lambda a, *, statistic: statistic.function(a, axis=statistic.axis, keepdims=statistic.keepdims)),
    a=lambda g, a, statistic: _vjp_a(g, a, 0.5, statistic),
)
