"""Values and gradients worked out by hand with floats and NumPy; libraries are compared with them first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class MismatchError(Exception):
    """A library computed something else than the hand-written derivative."""


def array(value: Any) -> Array:
    """Return any library's value as an ndarray; PyTorch wants its graph cut off first."""
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


def close(name: str, got: Any, want: Any, rtol: float) -> float:
    """Return the largest error over the largest entry of `want`; raise MismatchError above `rtol`."""
    got, want = array(got), np.asarray(want)
    if got.shape != want.shape:
        raise MismatchError(f"{name}: shape {got.shape}, expected {want.shape}")
    scale = max(float(np.max(np.abs(want), initial=0.0)), np.finfo(np.float64).tiny)
    error = float(np.max(np.abs(got.astype(np.float64) - want.astype(np.float64)), initial=0.0)) / scale
    if not error <= rtol:
        raise MismatchError(f"{name}: off by {error:.2g} of the largest entry, allowed {rtol:.2g}")
    return error


def mul_add(x: float, w: float, b: float, ops: int) -> tuple[float, tuple[float, float, float]]:
    """Return the value of a `*`, `+` chain and its derivatives, pushed forward beside the value."""
    y, dx, dw, db = x, 1.0, 0.0, 0.0
    for _ in range(ops // 2):
        dx, dw, db = dx * w, dw * w + y, db * w + 1.0
        y = y * w + b
    return y, (dx, dw, db)


def sin_tanh(x: float, ops: int) -> tuple[float, tuple[float]]:
    """Return the value of a sine, tanh chain and its derivative, pushed forward beside the value."""
    y, dx = x, 1.0
    for _ in range(ops // 2):
        y, dx = math.sin(y), dx * math.cos(y)
        y = math.tanh(y)
        dx *= 1.0 - y * y
    return y, (dx,)


def vector_gradient(x: Array, w: Array, b: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Return the vector chain's value and the gradients of its sum, both ways written out by hand."""
    steps = []
    h = x
    for _ in range(4):
        start = h
        t = np.tanh(start * w + b)
        e = np.exp(-t)
        h = e * x
        steps.append((start, t, e))
    gh = np.ones_like(h)
    gx, gw, gb = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for start, t, e in reversed(steps):
        gx += gh * e
        ga = -(gh * x) * e
        ga *= 1.0 - t * t
        gw += ga * start
        gb += ga
        gh = ga * w
    gx += gh
    return h, (gx, gw, gb)


def mlp_step(params: list[Array], images: Array, labels: Array, rate: float) -> float:
    """Train a ReLU network one step by plain gradient descent, in place; return the mean cross-entropy."""
    w1, b1, w2, b2 = params
    hidden = np.maximum(images @ w1 + b1, 0.0)
    logits = hidden @ w2 + b2
    logits -= logits.max(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    exps = np.exp(logits)
    sums = exps.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(sums[:, 0]) - logits[rows, labels]))
    g = exps / sums
    g[rows, labels] -= 1.0
    g *= 1.0 / len(labels)
    gh = g @ w2.T
    gh[hidden <= 0.0] = 0.0
    w2 -= rate * (hidden.T @ g)
    b2 -= rate * g.sum(axis=0)
    w1 -= rate * (images.T @ gh)
    b1 -= rate * gh.sum(axis=0)
    return loss
