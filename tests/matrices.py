"""Matrices for the tests of linear algebra, real and complex."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

Make = Callable[..., Any]

KINDS = ("real", "complex")


def maker(kind: str) -> Make:
    """A function that returns random arrays of given shapes: the same ones in each test."""
    rng = np.random.default_rng(29)

    def make(*shape: int) -> Any:
        return rng.normal(size=shape) if kind == "real" else rng.normal(size=shape) + 1j * rng.normal(size=shape)

    return make


def with_singular_values(make: Make, rows: int, columns: int, values: list[float]) -> Any:
    """A random matrix with given singular values."""
    u = np.linalg.qr(make(rows, rows))[0]
    v = np.linalg.qr(make(columns, columns))[0]
    count = len(values)
    return (u[:, :count] * values) @ v[:, :count].conj().T


def with_eigenvalues(make: Make, values: list[float]) -> Any:
    """A random Hermitian matrix with given eigenvalues."""
    v = np.linalg.qr(make(len(values), len(values)))[0]
    return (v * values) @ v.conj().T


def hermitian(a: Any) -> Any:
    """The Hermitian part of tensors: what is differentiated along it stays Hermitian."""
    return (a + tf.linalg.adjoint(a)) * 0.5


def positive(a: Any) -> Any:
    """A positive definite function of tensors."""
    return tf.matmul(a, a, adjoint_b=True) + np.eye(a.shape[-1])


def gradient(f: Callable[..., Any], *xs: Any) -> Any:
    """The gradient of the sum of what `f` returns in the first argument, as an array."""
    values = [tf.constant(x) for x in xs]
    with tf.GradientTape() as tape:
        tape.watch(values)
        y = f(*values)
    return tape.gradient(y, values[0]).numpy()


def slope_of_gradient(f: Callable[..., Any], x: Any, direction: Any) -> Any:
    """The derivative of the gradient of `f` along a direction, by a second tape."""
    x = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        g = inner.gradient(y, x)
        along = tf.reduce_sum(tf.math.real(tf.math.conj(g) * direction))
    return outer.gradient(along, x).numpy()


@contextlib.contextmanager
def found_anew(find: Any, *, scipy: bool) -> Iterator[None]:
    """A cached function that imports what it returns from SciPy, as if called first, with SciPy or without."""
    load = builtins.__import__

    def without_scipy(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "scipy":
            raise ImportError(name)
        return load(name, *args, **kwargs)

    find.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        if not scipy:
            patch.setattr(builtins, "__import__", without_scipy)
        assert (find(np.dtype(float)) is not None) == scipy
        yield
    find.cache_clear()
