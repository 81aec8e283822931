"""The Array API standard: types, questions to the library, and programs that ask an array for its namespace."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import array_api as xp
from tapegrad.testing import check_grads

TYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "complex64",
    "complex128",
]

A = np.array([[0.5, -1.25, 2.0], [-0.75, 3.0, 0.25]])


class TestTypes:
    @pytest.mark.parametrize("name", TYPES)
    def test_those_of_tensors(self, name: str) -> None:
        dtype = getattr(xp, name)
        assert xp.zeros(2, dtype=dtype).dtype == dtype
        assert {dtype: 1}[xp.zeros(2, dtype=dtype).dtype] == 1
        assert xp.result_type(dtype, dtype) is dtype

    @pytest.mark.parametrize(
        ("operands", "expected"),
        [
            ((xp.float32, xp.float64), xp.float64),
            ((xp.int8, xp.uint8), xp.int16),
            ((xp.float32, 1.5), xp.float32),
            ((xp.int32, 1), xp.int32),
            ((xp.float32, 1j), xp.complex64),
            ((tf.ones(()), tf.constant(1, tf.int64)), xp.float64),
        ],
    )
    def test_result_type(self, operands: Any, expected: Any) -> None:
        assert xp.result_type(*operands) is expected

    def test_can_cast(self) -> None:
        assert xp.can_cast(xp.float32, xp.complex64)
        assert not xp.can_cast(tf.ones(1), xp.int32)

    @pytest.mark.parametrize(
        ("kind", "members"),
        [
            ("bool", "bool"),
            ("signed integer", "int8 int16 int32 int64"),
            ("unsigned integer", "uint8 uint16 uint32 uint64"),
            ("real floating", "float32 float64"),
            ("complex floating", "complex64 complex128"),
            (("bool", "real floating"), "bool float32 float64"),
            (xp.int8, "int8"),
        ],
    )
    def test_kinds(self, kind: Any, members: str) -> None:
        assert {name for name in TYPES if xp.isdtype(getattr(xp, name), kind)} == set(members.split())

    def test_unions_of_kinds(self) -> None:
        assert xp.isdtype(xp.uint8, "integral")
        assert xp.isdtype(xp.complex64, "numeric")
        assert not xp.isdtype(xp.bool, "numeric")
        with pytest.raises(ValueError, match="'floats' is no kind of types"):
            xp.isdtype(xp.int8, "floats")

    def test_limits(self) -> None:
        assert xp.finfo(xp.float32).eps == np.finfo(np.float32).eps
        assert xp.finfo(tf.ones(2, tf.complex128)).bits == 64
        assert xp.iinfo(tf.constant([1])).max == 2**31 - 1

    def test_astype(self) -> None:
        x = tf.constant([1.0, 2.5])
        np.testing.assert_array_equal(xp.astype(x, xp.int32), np.array([1, 2], np.int32), strict=True)
        assert xp.astype(x, xp.float32, copy=False) is x
        with pytest.raises(TypeError, match="complex64 does not become float32"):
            xp.astype(xp.astype(x, xp.complex64), xp.float32)
        check_grads(lambda x: xp.astype(x, xp.complex128) * 1j, (A,), order=2)


class TestInformation:
    def test_namespace(self) -> None:
        for value in (tf.constant(1.0), tf.Variable(1.0)):
            assert value.__array_namespace__() is xp
            for version in ("2022.12", "2023.12", "2024.12", None):
                assert value.__array_namespace__(api_version=version) is xp
            with pytest.raises(ValueError, match=r"Unknown version '1999\.12' of the Array API standard"):
                value.__array_namespace__(api_version="1999.12")
        assert xp.__array_api_version__ == "2024.12"

    def test_questions(self) -> None:
        info = xp.__array_namespace_info__()
        assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
        assert info.default_device() == "cpu"
        assert info.devices() == ["cpu"]
        assert info.default_dtypes()["real floating"] is xp.ones(1).dtype
        assert info.default_dtypes()["integral"] is xp.asarray(1).dtype
        assert info.default_dtypes()["indexing"] is xp.argsort(xp.ones(1)).dtype
        assert info.default_dtypes(device="cpu")["complex floating"] is xp.asarray(1j).dtype
        assert set(info.dtypes()) == set(TYPES)
        assert info.dtypes(kind="real floating") == {"float32": xp.float32, "float64": xp.float64}
        assert set(info.dtypes(kind=("bool", "unsigned integer"))) == {"bool", "uint8", "uint16", "uint32", "uint64"}
        for ask in (info.dtypes, info.default_dtypes):
            with pytest.raises(ValueError, match="Device not understood"):
                ask(device="gpu")

    def test_the_largest_number_of_dimensions(self) -> None:
        most = xp.__array_namespace_info__().capabilities()["max dimensions"]
        assert xp.ones((1,) * most).ndim == most


def test_programs_for_any_library_are_differentiated() -> None:
    """Code that asks its argument for a namespace, as SciPy's does."""

    def logsumexp(x: Any, axis: int) -> Any:
        lib = x.__array_namespace__()
        top = lib.max(x, axis=axis, keepdims=True)
        top = lib.where(lib.isfinite(top), top, lib.zeros_like(top))
        total = lib.sum(lib.exp(x - top), axis=axis, dtype=x.dtype)
        return lib.log(total) + lib.squeeze(top, axis=axis)

    check_grads(lambda x: logsumexp(x, 1), (A,), order=2)
    with tf.GradientTape() as tape:
        x = tf.constant(A)
        tape.watch(x)
        y = logsumexp(x, 1)
    np.testing.assert_allclose(tape.gradient(y, x), np.exp(A) / np.exp(A).sum(1, keepdims=True), rtol=1e-14)


def test_standard_parameters() -> None:
    """Parameters that programs give by name have the standard's names."""
    expected = {
        "sort": ["axis", "descending", "stable"],
        "argsort": ["axis", "descending", "stable"],
        "clip": ["min", "max"],
        "astype": ["copy", "device"],
        "reshape": ["shape", "copy"],
        "cumulative_sum": ["axis", "dtype", "include_initial"],
        "var": ["axis", "correction", "keepdims"],
        "searchsorted": ["side", "sorter"],
        "asarray": ["dtype", "device", "copy"],
        "from_dlpack": ["device", "copy"],
    }
    for name, parameters in expected.items():
        assert set(parameters) <= set(inspect.signature(getattr(xp, name)).parameters), name


def test_scipy() -> None:
    """SciPy's functions for any library, which are chosen when SciPy is imported."""
    program = """
import numpy as np, scipy.special, tapegrad as tf
x = tf.constant(np.array([[0.5, -1.25, 2.0], [-0.75, 3.0, 0.25]]))
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    total = scipy.special.logsumexp(x, axis=1)
    shares = scipy.special.softmax(x, axis=1)
expected = scipy.special.softmax(x.numpy(), axis=1)
np.testing.assert_allclose(total, scipy.special.logsumexp(x.numpy(), axis=1), rtol=1e-15)
np.testing.assert_allclose(tape.gradient(total, x), expected, rtol=1e-14)
np.testing.assert_allclose(shares, expected, rtol=1e-15)
weights = np.array([1.0, 2.0, 3.0])
slopes = expected * (weights - (expected * weights).sum(1, keepdims=True))
np.testing.assert_allclose(tape.gradient(shares, x, output_gradients=tf.constant([weights] * 2)), slopes, rtol=1e-13)
"""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    subprocess.run([sys.executable, "-W", "error", "-c", program], env=environment, check=True)
