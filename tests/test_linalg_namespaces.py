"""Tests of `numpy.linalg` applied to tensors, and of what is common to all functions of linear algebra."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from matrices import maker

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.numpy import linalg

A = maker("real")(3, 3) + 3 * np.eye(3)
SPD = A @ A.T
B = maker("real")(2, 3, 2)[1]
TALL = maker("real")(5, 3)
V, W = maker("real")(2, 3)

CALLS: dict[str, list[tuple[Any, ...]]] = {
    "cholesky": [(SPD,)],
    "cond": [(A,), (A, 1)],
    "cross": [(V, W)],
    "det": [(A,)],
    "diagonal": [(A,)],
    "eig": [(A,)],
    "eigh": [(A,), (A, "U")],
    "eigvals": [(A,)],
    "eigvalsh": [(A,)],
    "inv": [(A,)],
    "lstsq": [(TALL, np.arange(5.0))],
    "matmul": [(A, B)],
    "matrix_norm": [(A,)],
    "matrix_power": [(A, 3)],
    "matrix_rank": [(A,), (A, 0.1)],
    "matrix_transpose": [(A,)],
    "multi_dot": [([A, B],), ([A, A, B],)],
    "norm": [(V,), (A, "nuc")],
    "outer": [(V, W)],
    "pinv": [(TALL,), (TALL, 0.1)],
    "qr": [(TALL,), (TALL, "complete"), (TALL, "r")],
    "slogdet": [(A,)],
    "solve": [(A, B), (A, V)],
    "svd": [(TALL,), (TALL, False), (TALL, False, False)],
    "svdvals": [(TALL,)],
    "tensordot": [(A, B, 1)],
    "tensorinv": [(A, 1)],
    "tensorsolve": [(A, V)],
    "trace": [(A,)],
    "vecdot": [(V, W)],
    "vector_norm": [(V,)],
}
NAMES = [name for name in np.linalg.__all__ if name not in ("LinAlgError", "test")]


def test_every_function_is_here() -> None:
    assert sorted(CALLS) == sorted(NAMES)
    assert set(linalg.__all__) >= set(NAMES)
    assert tnp.linalg is linalg
    assert linalg.LinAlgError is np.linalg.LinAlgError


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_numpys(name: str) -> None:
    def parameters(f: Any) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    assert parameters(getattr(linalg, name)) == parameters(getattr(np.linalg, name))


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def _called(name: str, args: tuple[Any, ...], function: Any, wrap: Any) -> Any:
    if name == "tensordot":
        return function(wrap(args[0]), wrap(args[1]), axes=args[2])
    if name == "multi_dot":
        return function([wrap(x) for x in args[0]])
    return function(*[wrap(x) if isinstance(x, np.ndarray) else x for x in args])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64])
@pytest.mark.parametrize("name", NAMES)
def test_values_and_types_are_numpys(name: str, dtype: Any) -> None:
    for args in CALLS[name]:
        f = getattr(np.linalg, name)
        expected = _called(name, args, f, lambda x: x.astype(dtype))
        # By NumPy's own function, which hands over.
        result = _called(name, args, f, lambda x: tf.constant(x.astype(dtype)))
        assert type(result).__name__ == type(expected).__name__ or not isinstance(expected, tuple)
        assert getattr(result, "_fields", None) == getattr(expected, "_fields", None)
        for mine, numpys in zip(_parts(result), _parts(expected), strict=True):
            assert isinstance(mine, tf.Tensor)
            np.testing.assert_array_equal(mine.numpy(), np.asarray(numpys), strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_lists_are_float64(name: str) -> None:
    for args in CALLS[name]:
        expected = _called(name, args, getattr(np.linalg, name), lambda x: x)
        result = _called(name, args, getattr(linalg, name), lambda x: x.tolist())
        for mine, numpys in zip(_parts(result), _parts(expected), strict=True):
            np.testing.assert_array_equal(mine.numpy(), np.asarray(numpys), strict=True)


ALWAYS_FLOATING = [
    "cholesky", "cond", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "norm", "pinv", "qr", "slogdet",
    "solve", "svd", "svdvals",
]  # fmt: skip


@pytest.mark.parametrize("name", ALWAYS_FLOATING)
def test_integers(name: str) -> None:
    args = tuple(np.rint(4 * x).astype(np.int32) if isinstance(x, np.ndarray) else x for x in CALLS[name][0])
    expected = getattr(np.linalg, name)(*args)
    result = getattr(np.linalg, name)(*[tf.constant(x) if isinstance(x, np.ndarray) else x for x in args])
    for mine, numpys in zip(_parts(result), _parts(expected), strict=True):
        np.testing.assert_array_equal(mine.numpy(), np.asarray(numpys), strict=True)


@pytest.mark.parametrize("name", ALWAYS_FLOATING)
def test_gradients_in_short_types(name: str) -> None:
    args = CALLS[name][0]

    def gradient(dtype: Any) -> Any:
        x = tf.constant(args[0].astype(dtype))
        rest = [a.astype(dtype) if isinstance(a, np.ndarray) else a for a in args[1:]]
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = getattr(np.linalg, name)(x, *rest)
            # Vectors have any sign, which differs with the rounding errors.
            total = sum(
                tf.reduce_sum(tf.cast(tf.math.real(y * y), dtype)) for y in _parts(result) if y.dtype != tf.int32
            )
        return tape.gradient(total, x)

    short = gradient(np.float32)
    assert short.dtype == tf.float32
    exact = gradient(np.float64).numpy()
    np.testing.assert_allclose(short.numpy(), exact, rtol=1e-4, atol=1e-4 * np.abs(exact).max())


def test_variables_and_lists_of_tensors() -> None:
    x = tf.Variable(A)
    with tf.GradientTape() as tape:
        y = np.linalg.det(x) + tnp.linalg.norm([x[0, 0], x[0, 1]])
    slope = np.linalg.det(A) * np.linalg.inv(A).T
    slope[0, :2] += A[0, :2] / np.linalg.norm(A[0, :2])
    np.testing.assert_allclose(tape.gradient(y, x), slope, rtol=1e-12)


def test_a_cotangent_of_zero_contributes_nothing() -> None:
    # The other matrix of the stack has no derivative.
    stack = np.stack([np.eye(2), np.array([[2.0, 1.0], [1.0, 3.0]])])
    for f in (
        lambda a: tnp.linalg.eigh(a).eigenvectors[1],
        lambda a: tnp.linalg.svd(a).U[1],
        lambda a: tnp.linalg.eig(a).eigenvectors[1],
    ):
        x = tf.constant(stack)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x) * np.array([[1.0, 2.0], [3.0, 4.0]])
        slope = tape.gradient(y, x).numpy()
        assert (slope[0] == 0).all()
        assert np.isfinite(slope[1]).all()


def test_out_of_multi_dot() -> None:
    out = np.empty((3, 2))
    assert np.linalg.multi_dot([tf.constant(A), B], out=out) is out
    np.testing.assert_array_equal(out, A @ B)


def test_complex_of_tensorflow() -> None:
    result = tf.linalg.slogdet(A)
    assert result._fields == ("sign", "log_abs_determinant")
    s, _, v = tf.linalg.svd(TALL)
    np.testing.assert_array_equal(tf.linalg.svd(TALL, compute_uv=False), np.linalg.svd(TALL, compute_uv=False))
    np.testing.assert_array_equal(v, np.linalg.svd(TALL, full_matrices=False).Vh.T)
    assert s.shape == (3,)
    assert tf.linalg.pinv(TALL.astype(np.float32)).dtype == tf.float32
    np.testing.assert_allclose(tf.linalg.pinv(TALL), np.linalg.pinv(TALL), rtol=1e-13)
    zero = TALL * np.array([1.0, 1.0, 1e-16])
    assert np.abs(tf.linalg.pinv(zero).numpy()).max() < 10
