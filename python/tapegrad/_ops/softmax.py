"""Softmax, its logarithm, and the cross-entropies that take logits: stable for logits of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import structural
from tapegrad._ops.reductions import sum as sum_

__all__ = [
    "log_softmax",
    "sigmoid_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]

_multiply = native.elementwise["multiply"]
_multiply_no_nan = native.elementwise["multiply_no_nan"]
_negative = native.elementwise["negative"]
_subtract = native.elementwise["subtract"]
_exp = native.elementwise["exp"]
_log = native.elementwise["log"]
_sigmoid = native.elementwise["sigmoid"]


def _greatest(logits: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
    if not logits.ndim:  # NumPy takes axis -1 of a number for that number
        raise ValueError("logits with at least one dimension are needed")
    greatest: npt.NDArray[Any] = logits.max(axis=axis, keepdims=True)
    return greatest


def _softmax_values(logits: npt.NDArray[Any], *, axis: int) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = np.exp(logits - _greatest(logits, axis))
    values /= values.sum(axis=axis, keepdims=True)
    return values


def _log_softmax_values(logits: npt.NDArray[Any], *, axis: int) -> npt.NDArray[Any]:
    shifted = logits - _greatest(logits, axis)
    values: npt.NDArray[Any] = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return values


def _softmax_vjp(g: Tensor, out: Tensor, axis: int) -> Tensor:
    out = conjugate(out)
    weighted = _multiply(g, out)
    return _subtract(weighted, _multiply(out, sum_(weighted, axis=axis, keepdims=True)))


def _log_softmax_vjp(g: Tensor, out: Tensor, axis: int) -> Tensor:
    return _subtract(g, _multiply(conjugate(_exp(out)), sum_(g, axis=axis, keepdims=True)))


softmax = structural("softmax", _softmax_values, logits=_softmax_vjp)
log_softmax = structural("log_softmax", _log_softmax_values, logits=_log_softmax_vjp)


def softmax_cross_entropy(labels: Any, logits: Any, axis: int = -1) -> Tensor:
    """``-sum(labels * log_softmax(logits))``; a label of zero contributes zero even for a logit of -inf."""
    logits = native.tensor(logits)
    labels = native.cast(labels, logits.dtype)
    return _negative(sum_(_multiply_no_nan(log_softmax(logits, axis=axis), labels), axis=axis))


def _sigmoid_cross_entropy_values(labels: npt.NDArray[Any], logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # log(1 + exp(logits)) - labels * logits, arranged so that nothing overflows and nothing large cancels.
    values: npt.NDArray[Any] = np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))
    return values


_sigmoid_cross_entropy = structural(
    "sigmoid_cross_entropy",
    _sigmoid_cross_entropy_values,
    labels=lambda g, logits: _negative(_multiply(g, logits)),
    logits=lambda g, labels, logits: _multiply(g, _subtract(_sigmoid(logits), labels)),
)


def sigmoid_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """``-labels * log(sigmoid(logits)) - (1 - labels) * log(1 - sigmoid(logits))``, element by element."""
    logits = native.tensor(logits)
    if logits.dtype.is_complex:
        raise TypeError(f"logits must be floating point, got {logits.dtype.name}; take their real part.")
    labels = native.cast(labels, logits.dtype)
    if labels.shape != logits.shape:
        raise ValueError(
            f"`logits` and `labels` must have the same shape, received ({logits.shape} vs {labels.shape})."
        )
    result: Tensor = _sigmoid_cross_entropy(labels, logits)
    return result


class _SparseSoftmaxCrossEntropy:
    """The rule ``g * (softmax(logits) - one_hot(labels))``.

    The difference is worked out once, during the forward pass, and is used as it stands unless another tape
    knows the logits: then it has to be a recorded function of them.
    """

    @staticmethod
    def vjp(
        saved: tuple[Tensor, npt.NDArray[Any], Tensor], cotangents: Sequence[Tensor], wanted: Sequence[bool]
    ) -> tuple[Tensor]:
        logits, classes, residual = saved
        if native.is_watched(logits):
            residual = _subtract(softmax(logits, axis=-1), _one_hot(classes, logits))
        return (_multiply(native.reshape(cotangents[0], (*classes.shape, 1)), residual),)


def sparse_softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Minus the log-probability that softmax gives to the class numbers `labels`.

    Nearly every training step of a classifier comes through here, mostly with small arrays, for which an
    operation of this library costs a fraction of one of NumPy's; so it does the arithmetic, on values that no
    tape knows.
    """
    logits = native.tensor(logits)
    scores = native.array(logits)
    classes = _classes(native.array(labels), scores)
    count = scores.shape[-1]
    picked = classes.reshape(-1) + np.arange(0, classes.size * count, count)
    shifted = _subtract(native.own(scores), native.own(_largest(scores)))
    exponentials = _exp(shifted)
    total = native.sum(exponentials, -1, True)
    log_total = native.array(_log(total)).reshape(classes.shape)
    losses = native.own(log_total - native.array(shifted).take(picked).reshape(classes.shape))
    if not native.is_watched(logits):
        return losses
    residual = native.array(exponentials) / native.array(total)
    residual.put(picked, residual.take(picked) - 1)
    saved = (native.version(logits), classes, native.own(residual))
    result: Tensor = native.record(_SparseSoftmaxCrossEntropy, (logits,), losses, saved)
    return result


def _one_hot(classes: npt.NDArray[Any], like: Tensor) -> Any:
    return np.equal(classes[..., None], np.arange(like.shape[-1])).astype(like.dtype.as_numpy_dtype)


def _largest(scores: npt.NDArray[Any]) -> Any:
    """The largest element of each row, with the last axis kept."""
    count = scores.shape[-1]
    if count > 64:
        return scores.max(axis=-1, keepdims=True)
    # NumPy reduces many short rows several times faster when they are columns.
    columns = scores.reshape(-1, count).T.copy()
    return np.maximum.reduce(columns, axis=0).reshape(*scores.shape[:-1], 1)


def _classes(labels: npt.NDArray[Any], scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy of `labels`, checked to number one class for each row of `scores`."""
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers (class numbers), got {labels.dtype}; cast them, e.g. to tf.int64.")
    if scores.dtype.kind != "f":
        raise TypeError(f"logits must be floating point, got {scores.dtype}; cast them, e.g. to tf.float32.")
    if scores.ndim == 0 or labels.shape != scores.shape[:-1]:
        raise ValueError(
            "`labels.shape` must equal `logits.shape` except for the last dimension. "
            f"Received: labels.shape={labels.shape} and logits.shape={scores.shape}"
        )
    count = scores.shape[-1]
    classes = labels.astype(np.intp)
    # As unsigned numbers the negative ones are the largest.
    if classes.size and classes.view(np.uintp).max() >= count:
        wrong = labels[(labels < 0) | (labels >= count)].reshape(-1)[0]
        raise ValueError(f"Received a label value of {wrong} which is outside the valid range of [0, {count}).")
    return classes
