"""Examples of rules that move, select, join, sort and reduce elements."""

from __future__ import annotations

import numpy as onp
from rules_examples import examples_of, number, spaced

import tapegrad as tf
import tapegrad.numpy as np
from tapegrad._ops import convolution, cumulative_logsumexp
from tapegrad._ops.checks import check_numerics

M, N, T, V = spaced(3, 4), number(3, 4), spaced(2, 3, 4), spaced(5)
IMAGES = spaced(2, 5, 4, 2)
AT = [[0, 2], [1, 1]]  # twice the same column


def written(function):
    """The function of copies that another one writes to."""

    def apply(x, *values):
        x = np.copy(x)
        function(x, *values)
        return x

    return apply


MOVES = examples_of({
    "roll": (lambda x: np.roll(x, (1, -1), (0, 1)), M),
    "tile": (lambda x: np.tile(x, (2, 1, 2)), M),
    "flip": (lambda x: np.flip(x, 1), M),
    "transpose": (lambda x: np.transpose(x, (2, 0, 1)), T),
    "slice": (lambda x: x[1:, ::-2], M),
    "reshape": (lambda x: np.reshape(x, (4, 3)), M),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 3, 4)), M),
    "cast": (lambda x: tf.cast(x, tf.complex128), M),
    "concatenate": (lambda x, y: np.concatenate([x, y], axis=1), M, N),
    "stack": (lambda x, y: np.stack([x, y], axis=1), M, N),
    "stack of numbers": (lambda x: tf.stack(tf.unstack(x)[::-1]), V),
    "unstack": (lambda x: np.unstack(x, axis=1), M),
    "split": (lambda x: np.split(x, [1, 3], axis=1), M),
    "where": (lambda x, y: np.where(M > 0, x, y), M, N),
    "take": (lambda x: np.take(x, AT, axis=1), M),
    "fancy index": (lambda x: x[onp.array([0, 2, 2]), 1:, None], M),
    "mask": (lambda x: x[M > 0], M),
    "take_along_axis": (lambda x: np.take_along_axis(x, onp.array([[0], [2], [2]]), 1), M),
    "setitem": (written(lambda x, value: x.__setitem__((slice(None), onp.array(AT)), value)), M, number(3, 2, 2)),
    "add at": (lambda x, value: x.at[:, onp.array([0, 0, 1])].add(value), M, number(3, 3)),
    "pad": (lambda x: np.pad(x, ((1, 2), (0, 1))), M),
    "pad with values": (lambda x, c: np.pad(x, 1, constant_values=c), M, onp.array(0.7)),
    "diag": (lambda x: np.diag(x, 1), V),
    "trace": (lambda x: np.trace(x, 1, 2, 0), T),
    "diff": (lambda x: np.diff(x, 2, axis=0), M),
    "windows": (lambda x: convolution.conv2d(x, onp.ones((2, 2, 2, 1)), 1, "VALID"), IMAGES),
    "conv2d": (
        lambda x, f: tf.nn.conv2d(x, f, strides=2, padding="SAME"), IMAGES, spaced(3, 2, 2, 2),
    ),
    "sort": (lambda x: np.sort(x, axis=0), M),
    "partition": (lambda x: np.partition(x, 2, axis=1), M),
    "sort descending": (lambda x: tf.sort(x, direction="DESCENDING"), V),
    "median": (lambda x: np.median(x, axis=1), M),
    "average pool": (lambda x: tf.nn.avg_pool2d(x, 2, 1, "SAME"), IMAGES),
    "max at": (lambda x, y: x.at[onp.array([0, 2, 2])].max(y), spaced(5), spaced(3) * 1.1),
    "min at": (lambda x, y: x.at[onp.array([0, 2, 2])].min(y), spaced(5), spaced(3) * 1.1),
    "histogram": (lambda w: np.histogram(V, bins=3, weights=w)[0], V),
    "density": (lambda w: np.histogram(V, bins=3, weights=w, density=True)[0], number(5)),
    "bin edges": (lambda x: np.histogram_bin_edges(x, 3), V),
    "checked": (lambda x: check_numerics(x, "finite"), M),
})  # fmt: skip

REAL_MOVES = examples_of({
    "quantile": (lambda x: np.quantile(x, [0.2, 0.7], axis=1), M),
    "quantile of both": (lambda x, q: np.quantile(x, q, axis=1), M, number(2, low=0.1, high=0.15)),
    "percentile": (lambda x, q: np.percentile(x, q), V, onp.array(30.0)),
    "max pool": (lambda x: tf.nn.max_pool2d(x, 2, 1, "VALID"), IMAGES),
    "interp": (lambda x, y: np.interp(x, [-2.0, -0.5, 0.4, 2.0], y), V, spaced(4)),
    "interp, points": (
        lambda x, p, y: np.interp(x, np.cumsum(p) - 2.0, y, left=0.0), V, number(4, low=0.9, high=1.3), spaced(4),
    ),
    "unwrap": (lambda x, period: np.unwrap(x * 4.0, period=period), V, onp.array(6.2)),
    "bincount": (lambda w: np.bincount(onp.array([0, 2, 2, 1, 0]), w), V),
    "modf": (lambda x: np.modf(x)[0], M),
    "frexp": (lambda x: np.frexp(x)[0], M),
    "ldexp": (lambda x: np.ldexp(x, 3), M),
    "complex": (lambda x, y: tf.complex(x, y), M, N),
}, complex=False)  # fmt: skip

REDUCTIONS = examples_of({
    "sum": (lambda x: np.sum(x), M),
    "sum with parameters": (lambda x: np.sum(x, dtype=onp.complex128, initial=2.0), M),
    "mean": (lambda x: tf.reduce_mean(x), M),
    "prod": (lambda x: np.prod(x), N),
    "var": (lambda x: np.var(x), M),
    "std": (lambda x: np.std(x), M),
    "norm": (lambda x: tf.norm(x), M),
    "3-norm": (lambda x: tf.norm(x, 3), M),
    "cumsum": (lambda x: np.cumsum(x), M),
    "cumprod": (lambda x: np.cumprod(x), N),
    "real": (lambda x: np.real(x), M),
    "imag": (lambda x: np.imag(x * (1.0 + 2.0j)), M),
    "conjugate": (lambda x: np.conj(x * 1.0j), M),
    "angle": (lambda x: np.angle(x * (1.0 + 2.0j)), N),
    "sinc": (lambda x: np.sinc(x), M),
    "float_power": (lambda x, y: np.float_power(x, y), N, N[:, :1]),
    "logsumexp": (lambda x: tf.reduce_logsumexp(x), M),
    "mean without nan": (lambda x: np.nanmean(x), M),
}, any_shape=True)  # fmt: skip

REAL_REDUCTIONS = examples_of({
    "max": (lambda x: np.max(x, initial=-5.0), M),
    "min": (lambda x: np.min(x, initial=5.0), M),
    "fmax.reduce": (lambda x: np.fmax.reduce(np.ravel(x), initial=-5.0), M),
    "fmin.reduce": (lambda x: np.fmin.reduce(np.ravel(x), initial=5.0), M),
    "i0": (lambda x: np.i0(x), M),
}, any_shape=True, complex=False)  # fmt: skip

ALONG_AXES = examples_of({
    "sum over an axis": (lambda x: np.sum(x, axis=(0, 2), keepdims=True, where=T > -1), T),
    "prod over an axis": (lambda x: np.prod(x, axis=1, where=N > 0.7, initial=2.0), N),
    "var over an axis": (lambda x: np.var(x, axis=0, ddof=1), M),
    "std over an axis": (lambda x: np.std(x, axis=0, ddof=1, where=N > 0.5), M),
    "norm over an axis": (lambda x: tf.norm(x, axis=1), M),
    "cumsum along an axis": (lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), M),
    "cumprod along an axis": (lambda x: tf.math.cumprod(x, 1, exclusive=True, reverse=True), N),
    "add.reduceat": (lambda x: onp.add.reduceat(x, [0, 2, 1], axis=1), M),
    "add.accumulate": (lambda x: onp.add.accumulate(x, axis=1), M),
    "divide.accumulate": (lambda x: onp.divide.accumulate(x, axis=1), N),
    "subtract.reduce": (lambda x: onp.subtract.reduce(x, axis=1), N),
    "max over an axis": (lambda x: np.max(x, axis=1), M),
    "min over an axis": (lambda x: np.min(x, axis=0, keepdims=True), M),
    "logsumexp over an axis": (lambda x: tf.reduce_logsumexp(x, axis=1), M),
    "softmax": (lambda x: tf.nn.softmax(x, axis=0), M),
    "log_softmax": (lambda x: tf.nn.log_softmax(x), M),
})  # fmt: skip

REAL_ALONG_AXES = examples_of({
    "logaddexp.reduce": (lambda x: onp.logaddexp.reduce(x, axis=1), M),
    "hypot.accumulate": (lambda x: onp.hypot.accumulate(x, axis=1), N),
    "sparse cross entropy": (
        lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 3, 1], logits=x), M,
    ),
    "sigmoid cross entropy": (
        lambda x, p: tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x), M, number(3, 4, low=0.1, high=0.9),
    ),
    "cumulative_logsumexp": (
        lambda x: cumulative_logsumexp.cumulative_logsumexp(x, 1, exclusive=True)[:, 1:], M,
    ),
    "cumulative_logsumexp, reverse": (lambda x: cumulative_logsumexp.cumulative_logsumexp(x, 0, reverse=True), M),
}, complex=False)  # fmt: skip

EXAMPLES = [*MOVES, *REAL_MOVES, *REDUCTIONS, *REAL_REDUCTIONS, *ALONG_AXES, *REAL_ALONG_AXES]
