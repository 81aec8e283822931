"""The Array API standard: every name is there, and does what NumPy's function of that name does, on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import array_api as xp
from tapegrad.testing import check_grads

CONSTANTS = "e inf nan newaxis pi"
TYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128 "
    "astype can_cast finfo iinfo isdtype result_type __array_namespace_info__ __array_api_version__"
)
LINALG = (
    "cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer "
    "pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm"
)
FFT = "fft fftfreq fftn fftshift hfft ifft ifftn ifftshift ihfft irfft irfftn rfft rfftfreq rfftn"

A = np.array([[0.5, -1.25, 2.0], [-0.75, 3.0, 0.25]])
B = np.array([[1.5, 0.5, -2.0], [0.75, -1.0, 4.0]])
P = np.abs(A) + 0.5
U = A / 4.0
K = np.array([[5, -3, 2], [0, 7, -1]])
J = np.array([[1, 2, 3], [4, 1, 2]])
Z = A + 1j * B
T = np.array([[True, False, True], [False, False, True]])
D = np.array([2.0, 1.0, 2.0, 3.0, 1.0])
S = np.stack([np.array([[2.0, 0.5], [0.5, 3.0]]), np.array([[4.0, -1.0], [-1.0, 2.0]])])

Call = tuple[tuple[Any, ...], dict[str, Any]]


def c(*args: Any, **keywords: Any) -> Call:
    return args, keywords


# Every function with calls that are checked against NumPy's function of the same name.
CALLS: dict[str, list[Call]] = {
    "abs": [c(A), c(K), c(Z)],
    "acos": [c(U)],
    "acosh": [c(P + 1)],
    "add": [c(A, B), c(K, 2), c(T, True), c(1.5, A)],
    "all": [c(T), c(T, axis=0), c(T, axis=(0, 1), keepdims=True)],
    "any": [c(T), c(T, axis=1, keepdims=True)],
    "arange": [c(4), c(1, 4), c(0, 1, 0.25), c(3, dtype=xp.float32)],
    "argmax": [c(A), c(A, axis=1, keepdims=True)],
    "argmin": [c(A), c(A, axis=0)],
    "argsort": [c(A), c(D, stable=True), c(A, axis=0)],
    "asarray": [c([1.0, 2.0]), c([1, 2]), c(True), c(1j), c(A, dtype=xp.float32), c(A, copy=True), c(3, device="cpu")],
    "asin": [c(U)],
    "asinh": [c(A)],
    "atan": [c(A)],
    "atan2": [c(A, B)],
    "atanh": [c(U)],
    "bitwise_and": [c(K, J), c(T, True)],
    "bitwise_invert": [c(K), c(T)],
    "bitwise_left_shift": [c(K, 2)],
    "bitwise_or": [c(K, J)],
    "bitwise_right_shift": [c(K, J)],
    "bitwise_xor": [c(K, 3)],
    "broadcast_arrays": [c(A, A[0], A[:, :1])],
    "broadcast_to": [c(A[0], (2, 3))],
    "ceil": [c(A), c(K)],
    "concat": [c([A, B]), c((A, K), axis=1), c([A, B], axis=None)],
    "conj": [c(Z), c(A)],
    "copysign": [c(A, B)],
    "cos": [c(A), c(Z)],
    "cosh": [c(A)],
    "count_nonzero": [c(K), c(K, axis=0), c(T, axis=1, keepdims=True)],
    "cumulative_prod": [c(D), c(A, axis=1, include_initial=True)],
    "cumulative_sum": [c(D), c(A, axis=0, include_initial=True), c(K, axis=1, dtype=xp.float64)],
    "diff": [c(D), c(A, axis=0), c(D, n=2), c(D, prepend=D[:1], append=D[:2])],
    "divide": [c(A, B), c(A, 2.0)],
    "equal": [c(A, B), c(K, 2)],
    "exp": [c(A), c(Z)],
    "expand_dims": [c(A, axis=0), c(A, axis=-1)],
    "expm1": [c(A)],
    "eye": [c(2), c(2, 3, k=1), c(2, dtype=xp.int64)],
    "flip": [c(A), c(A, axis=1), c(A, axis=(0, 1))],
    "floor": [c(A), c(K)],
    "floor_divide": [c(A, B), c(K, J)],
    "from_dlpack": [c(A)],
    "full": [c((2, 2), 3.0), c(2, 1, dtype=xp.float32), c(2, True)],
    "full_like": [c(A, 3.0), c(K, 2, dtype=xp.float32)],
    "greater": [c(A, B)],
    "greater_equal": [c(K, J)],
    "hypot": [c(A, B)],
    "imag": [c(Z)],
    "isfinite": [c(A)],
    "isinf": [c(np.array([1.0, np.inf]))],
    "isnan": [c(np.array([1.0, np.nan]))],
    "less": [c(A, 1.0)],
    "less_equal": [c(A, B)],
    "linspace": [c(0.0, 1.0, 5), c(0, 1, num=4, endpoint=False, dtype=xp.float32)],
    "log": [c(P), c(Z)],
    "log10": [c(P)],
    "log1p": [c(P)],
    "log2": [c(P)],
    "logaddexp": [c(A, B)],
    "logical_and": [c(T, True)],
    "logical_not": [c(T)],
    "logical_or": [c(T, ~T)],
    "logical_xor": [c(T, T)],
    "matmul": [c(A, B.T), c(A, B[0])],
    "matrix_transpose": [c(A)],
    "max": [c(A), c(A, axis=1), c(K, axis=(0, 1), keepdims=True)],
    "maximum": [c(A, B), c(K, 2)],
    "mean": [c(A), c(A, axis=0, keepdims=True), c(Z)],
    "meshgrid": [c(D[:2], D[:3]), c(D[:2], D[:3], indexing="ij")],
    "min": [c(A), c(A, axis=0)],
    "minimum": [c(A, B)],
    "moveaxis": [c(S, 0, -1), c(S, (0, 1), (1, 2))],
    "multiply": [c(A, B), c(Z, 2.0)],
    "negative": [c(A), c(K)],
    "nextafter": [c(A, B)],
    "nonzero": [c(K)],
    "not_equal": [c(A, B)],
    "ones": [c(2), c((2, 3), dtype=xp.int8)],
    "ones_like": [c(A), c(A, dtype=xp.int64)],
    "permute_dims": [c(S, (2, 0, 1))],
    "positive": [c(A)],
    "pow": [c(P, B), c(K, 2), c(A, 3.0)],
    "prod": [c(A), c(K, axis=1, keepdims=True), c(K, dtype=xp.float64)],
    "real": [c(Z)],
    "reciprocal": [c(A)],
    "remainder": [c(A, B), c(K, J)],
    "repeat": [c(A, 2), c(A, 2, axis=1), c(D[:3], np.array([1, 0, 2]))],
    "reshape": [c(A, (3, 2)), c(A, (-1,)), c(A, shape=(6,), copy=True)],
    "roll": [c(A, 1), c(A, (1, -1), axis=(0, 1))],
    "round": [c(A), c(K)],
    "searchsorted": [c(np.sort(D), A[0]), c(D, D, side="right", sorter=np.argsort(D))],
    "sign": [c(A), c(K), c(Z)],
    "signbit": [c(A)],
    "sin": [c(A)],
    "sinh": [c(A)],
    "sort": [c(A), c(A, axis=0), c(K, stable=False)],
    "sqrt": [c(P), c(Z)],
    "square": [c(A), c(K)],
    "squeeze": [c(A[:1], axis=0), c(A[:1, :1], axis=(0, 1))],
    "stack": [c([A, B]), c((A, B), axis=-1)],
    "std": [c(A), c(A, axis=0, correction=1.0, keepdims=True)],
    "subtract": [c(A, B), c(1, K)],
    "sum": [c(A), c(K, axis=0), c(A, axis=(0, 1), keepdims=True), c(K, dtype=xp.float32)],
    "take": [c(A, np.array([2, 0]), axis=1), c(D, np.array([1, 1]))],
    "take_along_axis": [c(A, np.array([[0], [2]])), c(A, np.array([[1, 0, 1]]), axis=0)],
    "tan": [c(A)],
    "tanh": [c(A)],
    "tensordot": [c(A, B, axes=((1,), (1,))), c(A, B.T, axes=1)],
    "tile": [c(A, (2, 1)), c(A, (2, 1, 1))],
    "tril": [c(A), c(A, k=1)],
    "triu": [c(A), c(A, k=-1)],
    "trunc": [c(A), c(K)],
    "unique_all": [c(D)],
    "unique_counts": [c(D)],
    "unique_inverse": [c(D)],
    "unique_values": [c(D)],
    "unstack": [c(A), c(A, axis=1)],
    "var": [c(A), c(A, axis=1, correction=1)],
    "vecdot": [c(A, B), c(Z, Z), c(A, B, axis=0)],
    "where": [c(T, A, B), c(T, A, 0.0)],
    "zeros": [c(2), c((2, 3), dtype=xp.complex64)],
    "zeros_like": [c(K), c(A, dtype=xp.bool)],
    "linalg.cholesky": [c(S), c(S, upper=True)],
    "linalg.cross": [c(A, B), c(A.T, B.T, axis=0)],
    "linalg.det": [c(S)],
    "linalg.diagonal": [c(S), c(S, offset=1)],
    "linalg.eigh": [c(S)],
    "linalg.eigvalsh": [c(S)],
    "linalg.inv": [c(S)],
    "linalg.matmul": [c(S, S)],
    "linalg.matrix_norm": [c(S), c(S, ord=1, keepdims=True), c(S, ord="nuc")],
    "linalg.matrix_power": [c(S, 3), c(S, -1), c(S, 0)],
    "linalg.matrix_rank": [c(S), c(S, rtol=0.9)],
    "linalg.matrix_transpose": [c(S)],
    "linalg.outer": [c(D, D[:2])],
    "linalg.pinv": [c(A), c(S, rtol=0.1)],
    "linalg.qr": [c(A.T), c(A.T, mode="complete")],
    "linalg.slogdet": [c(S)],
    "linalg.solve": [c(S, S), c(S, D[:2])],
    "linalg.svd": [c(A), c(A, full_matrices=False)],
    "linalg.svdvals": [c(A)],
    "linalg.tensordot": [c(A, B.T, axes=1)],
    "linalg.trace": [c(S), c(S, offset=1), c(S, dtype=xp.complex128)],
    "linalg.vecdot": [c(A, B)],
    "linalg.vector_norm": [c(A), c(A, axis=1, keepdims=True), c(A, axis=(0, 1), ord=3), c(A, ord=np.inf)],
    "fft.fft": [c(A), c(Z, n=4, axis=0, norm="ortho")],
    "fft.ifft": [c(Z)],
    "fft.fftn": [c(Z), c(Z, s=(3,), axes=(1,))],
    "fft.ifftn": [c(Z, axes=(0, 1), norm="forward")],
    "fft.rfft": [c(A), c(A, n=5)],
    "fft.irfft": [c(Z), c(Z, n=5)],
    "fft.rfftn": [c(A)],
    "fft.irfftn": [c(Z)],
    "fft.hfft": [c(Z)],
    "fft.ihfft": [c(A)],
    "fft.fftfreq": [c(5), c(4, d=0.5)],
    "fft.rfftfreq": [c(5), c(4, d=0.5)],
    "fft.fftshift": [c(D), c(A, axes=1)],
    "fft.ifftshift": [c(D), c(A, axes=(0,))],
}
SPECIAL = {"clip", "empty", "empty_like"}
"""Functions that NumPy has with other arguments, or without a value; they have tests of their own."""


def function_of(namespace: Any, name: str) -> Callable[..., Any]:
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


def converted(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Convert the arrays and types in the arguments of a call."""
    if isinstance(value, np.ndarray | tf.DType):
        return convert(value)
    if isinstance(value, list | tuple):
        return type(value)([converted(part, convert) for part in value])
    return value


def compare(result: Any, expected: Any) -> None:
    if isinstance(expected, list | tuple):
        assert isinstance(result, list | tuple)
        assert len(result) == len(expected)
        assert getattr(result, "_fields", None) == getattr(expected, "_fields", None)
        for part, expected_part in zip(result, expected, strict=True):
            compare(part, expected_part)
    else:
        assert isinstance(result, tf.Tensor)
        expected = np.asarray(expected)
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-13, atol=1e-14)


def test_all_names() -> None:
    functions = {name for name in CALLS if "." not in name} | SPECIAL
    expected = {*CONSTANTS.split(), *TYPES.split(), *functions, "linalg", "fft"}
    assert set(xp.__all__) == expected
    assert set(xp.linalg.__all__) == set(LINALG.split()) == {name[7:] for name in CALLS if name.startswith("linalg.")}
    assert set(xp.fft.__all__) == set(FFT.split()) == {name[4:] for name in CALLS if name.startswith("fft.")}
    assert all(hasattr(xp, name) for name in xp.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_values(name: str) -> None:
    for args, keywords in CALLS[name]:
        own_args = converted(args, lambda x: tf.constant(x) if isinstance(x, np.ndarray) else x)
        numpy_args = converted(args, lambda x: x.dtype if isinstance(x, tf.DType) else x)
        own_keywords = {
            k: converted(v, lambda x: tf.constant(x) if isinstance(x, np.ndarray) else x) for k, v in keywords.items()
        }
        numpy_keywords = {
            k: converted(v, lambda x: x.dtype if isinstance(x, tf.DType) else x) for k, v in keywords.items()
        }
        compare(function_of(xp, name)(*own_args, **own_keywords), function_of(np, name)(*numpy_args, **numpy_keywords))


def test_creation_without_values() -> None:
    for result in (xp.empty((2, 3), dtype=xp.float32), xp.empty_like(xp.ones((2, 3)), dtype=xp.float32)):
        assert (result.shape, result.dtype) == ((2, 3), xp.float32)
        result[0, 1] = 5.0
        assert float(result[0, 1]) == 5.0


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, A),
        ({"min": 0.0}, np.maximum(A, 0.0)),
        ({"max": 0.5}, np.minimum(A, 0.5)),
        ({"min": tf.constant(B - 2.0), "max": tf.constant(B)}, np.clip(A, B - 2.0, B)),
    ],
)
def test_clip(bounds: dict[str, Any], expected: np.ndarray) -> None:
    x = tf.constant(A)
    compare(xp.clip(x, **bounds), expected)
    compare(xp.clip(x, bounds.get("min"), bounds.get("max")), expected)
    check_grads(lambda x: xp.clip(x, **bounds), (A + 0.01,), order=1)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_descending_order(axis: int) -> None:
    x = np.array([[2.0, 1.0, 2.0], [3.0, 3.0, 0.0]])
    compare(xp.sort(tf.constant(x), axis=axis, descending=True), np.flip(np.sort(x, axis), axis))
    order = np.argsort(-x, axis, stable=True)
    compare(xp.argsort(tf.constant(x), axis=axis, descending=True), order)
    compare(xp.argsort(tf.constant(x), axis=axis, descending=True, stable=False), order)
