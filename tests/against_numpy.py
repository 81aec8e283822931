"""Comparing NumPy's functions of tensors with the same functions of arrays, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

__all__ = ["LAYOUTS", "assert_like_numpy", "gradient"]

_RNG = np.random.default_rng(7)
_MATRIX = _RNG.normal(size=(5, 6))

LAYOUTS: dict[str, np.ndarray] = {
    "float64": _MATRIX,
    "float32": _MATRIX.astype(np.float32),
    "complex128": _MATRIX + 1j * _RNG.normal(size=(5, 6)),
    "complex64": (_MATRIX - 2j * _MATRIX[::-1]).astype(np.complex64),
    "int64": np.rint(_MATRIX * 3).astype(np.int64),
    "int16": np.rint(_MATRIX * 3).astype(np.int16),
    "bool": _MATRIX > 0,
    "strided": np.repeat(_MATRIX, 2, axis=0).T[::-1, ::2],
    "one row": _MATRIX[:1],
    "ties": np.rint(_MATRIX),
}
"""Matrices of the types and layouts that every function of real or complex numbers is tried with."""


def gradient(f: Callable[[Any], Any], x: Any) -> Any:
    """Return the gradient of the sum of what `f` returns, as a tensor."""
    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = f(source)
    return tape.gradient(y, source)


def _as_tensor(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return tf.constant(x)
    return type(x)(map(_as_tensor, x)) if isinstance(x, (list, tuple)) else x


def _in_c_order(x: Any) -> Any:
    return np.array(x, order="C") if isinstance(x, np.ndarray) else x


def _tensors_in(x: Any) -> list[tf.Tensor]:
    if isinstance(x, tf.Tensor):
        return [x]
    return [tensor for part in x for tensor in _tensors_in(part)] if isinstance(x, (list, tuple)) else []


_ERRORS = (ValueError, TypeError, IndexError, ZeroDivisionError)


def _like(error: Exception) -> tuple[type[Exception], ...]:
    """Return what a tensor's error may be: for a wrong axis NumPy raises one or the other, or one that is both."""
    is_about_values = isinstance(error, (ValueError, IndexError))
    return (ValueError, IndexError) if is_about_values else (TypeError, ZeroDivisionError)


def assert_like_numpy(function: Callable[..., Any], *args: Any, ulp: int = 0, **keywords: Any) -> None:
    """Check that a function gives the same for tensors as for arrays, whether a tape watches them or not.

    The results must be tensors of the same shape, type and bits, or differ by at most `ulp` units in the last place of
    the greatest element. What raises for arrays must raise an exception of that kind for tensors.
    """
    # Tensors hold their elements in C order, and the order decides how NumPy groups the terms of a sum.
    args = tuple(map(_in_c_order, args))
    keywords = {name: _in_c_order(x) for name, x in keywords.items()}
    try:
        expected, error = function(*args, **keywords), None
    except _ERRORS as raised:
        expected, error = None, raised
    for is_watched in (False, True):
        tensors = [_as_tensor(x) for x in args], {name: _as_tensor(x) for name, x in keywords.items()}
        with tf.GradientTape() as tape:
            if is_watched:
                found = _tensors_in([*tensors[0], *tensors[1].values()])
                tape.watch([x for x in found if x.dtype.is_floating or x.dtype.is_complex])
            if error is None:
                result = function(*tensors[0], **tensors[1])
            else:
                with pytest.raises(_like(error)):
                    function(*tensors[0], **tensors[1])
                continue
        _compare(result, expected, ulp)


def _compare(result: Any, expected: Any, ulp: int) -> None:
    if isinstance(expected, (tuple, list)):
        assert type(result) is type(expected)
        assert len(result) == len(expected)
        for part, expected_part in zip(result, expected, strict=True):
            _compare(part, expected_part, ulp)
        return
    expected = np.asarray(expected)
    assert isinstance(result, tf.Tensor)
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    values = np.asarray(result.numpy())
    if ulp and expected.size:
        allowed = ulp * np.finfo(expected.dtype).eps * np.abs(expected).max()
        np.testing.assert_allclose(values, expected, rtol=0, atol=allowed)
    else:
        np.testing.assert_array_equal(values, expected)
