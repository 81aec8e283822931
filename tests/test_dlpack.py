"""Exchanging memory: DLPack with NumPy and PyTorch, and the buffer protocol."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
SHAPES: list[tuple[int, ...]] = [(), (0,), (3,), (2, 3), (2, 0, 3), (1, 2, 3, 2, 1)]


def sample(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)


needs_copy_argument = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="numpy.from_dlpack has no `copy` yet"
)


class Exporter:
    """Hands over what a consumer asks for, and remembers it."""

    def __init__(self, value: Any, **overrides: Any) -> None:
        self.value = value
        self.overrides = overrides

    def __dlpack__(self, **keywords: Any) -> Any:
        return self.value.__dlpack__(**{**keywords, **self.overrides})

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.value.__dlpack_device__()


class TestToNumPy:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_values(self, dtype: str, shape: tuple[int, ...]) -> None:
        values = sample(dtype, shape)
        np.testing.assert_array_equal(np.from_dlpack(tf.constant(values)), values, strict=True)

    @needs_copy_argument
    def test_strided(self) -> None:
        x = tf.constant(sample("float64", (4, 6)))
        np.testing.assert_array_equal(np.from_dlpack(tf.transpose(x[::2, ::-3]), copy=False), x.numpy()[::2, ::-3].T)

    def test_variables(self) -> None:
        v = tf.Variable([1.0, 2.0])
        array = np.from_dlpack(v)
        v.assign([3.0, 4.0])
        assert array.tolist() == [1.0, 2.0]

    @needs_copy_argument
    def test_consumers_get_a_copy_unless_they_ask_for_the_memory(self) -> None:
        x = tf.constant([1.0, 2.0])
        array = np.from_dlpack(x)
        array[0] = 9.0
        assert x.numpy().tolist() == [1.0, 2.0]
        shared = np.from_dlpack(x, copy=False)
        assert np.shares_memory(shared, np.asarray(x))
        assert not shared.flags.writeable

    @needs_copy_argument
    def test_shared_memory_outlives_the_tensor(self) -> None:
        shared = np.from_dlpack(tf.constant(np.arange(1000.0)) * 2.0, copy=False)
        assert shared.sum() == 999000.0

    @pytest.mark.parametrize("max_version", [None, (0, 8)])
    def test_consumers_that_do_not_know_of_read_only_memory(self, max_version: Any) -> None:
        x = tf.constant([1.0, 2.0])
        array = np.from_dlpack(Exporter(x, max_version=max_version))
        assert not np.shares_memory(array, np.asarray(x))
        assert array.tolist() == [1.0, 2.0]
        with pytest.raises(BufferError, match=r"read-only, which DLPack can say from version 1\.0 on"):
            x.__dlpack__(max_version=max_version, copy=False)

    def test_devices(self) -> None:
        x = tf.constant([1.0])
        assert x.__dlpack_device__() == (1, 0)
        assert not hasattr(x, "__cuda_array_interface__")
        with pytest.raises(BufferError, match=r"the device \(1, 0\), not \(2, 0\)"):
            x.__dlpack__(dl_device=(2, 0))
        np.testing.assert_array_equal(np.from_dlpack(Exporter(x, dl_device=(1, 0))), [1.0])
        with pytest.raises((RuntimeError, ValueError), match="stream=None"):
            x.__dlpack__(stream=1)

    def test_watched_values_stay_on_their_tape(self) -> None:
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            with pytest.raises(TypeError, match="a tape records this value"):
                np.from_dlpack(x)
            with pytest.raises(TypeError, match="a tape records this value"):
                tf.from_dlpack(x)
            np.from_dlpack(tf.stop_gradient(x))
        np.from_dlpack(x)


class TestFromDLPack:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_values(self, dtype: str, shape: tuple[int, ...]) -> None:
        values = sample(dtype, shape)
        for copy in (None, True, False):
            x = tf.from_dlpack(values, copy=copy)
            assert isinstance(x, tf.Tensor)
            np.testing.assert_array_equal(x, values, strict=True)

    def test_the_memory_is_copied_unless_told_otherwise(self) -> None:
        source = np.arange(4.0)
        copied, shared = tf.from_dlpack(source), tf.from_dlpack(source[::2], copy=False)
        assert np.shares_memory(np.asarray(shared), source)
        source[2] = 9.0
        assert copied.numpy().tolist() == [0.0, 1.0, 2.0, 3.0]
        assert shared.numpy().tolist() == [0.0, 9.0]

    def test_shared_memory_outlives_its_owner(self) -> None:
        x = tf.from_dlpack(np.arange(1000.0), copy=False)
        assert float(tf.reduce_sum(x)) == 499500.0

    def test_tensors_and_variables(self) -> None:
        for source in (tf.constant([1.0, 2.0]), tf.Variable([1.0, 2.0])):
            x = tf.from_dlpack(source)
            assert x is not source
            assert x.numpy().tolist() == [1.0, 2.0]

    def test_devices(self) -> None:
        assert tf.from_dlpack(np.ones(2), device="cpu").shape == (2,)
        with pytest.raises(ValueError, match="on the device 'cpu', not 'gpu'"):
            tf.from_dlpack(np.ones(2), device="gpu")

    def test_what_cannot_be_exchanged(self) -> None:
        with pytest.raises(AttributeError, match="__dlpack__"):
            tf.from_dlpack([1.0])
        with pytest.raises(BufferError):
            tf.from_dlpack(np.array(["text"]))


class TestPyTorch:
    @pytest.fixture
    def torch(self) -> Any:
        return pytest.importorskip("torch")

    def test_to_torch(self, torch: Any) -> None:
        x = tf.constant(sample("float64", (2, 3)))
        tensor = torch.from_dlpack(x)
        assert tensor.tolist() == x.numpy().tolist()
        tensor[0, 0] = 99.0  # PyTorch does not look at the mark that says read-only
        assert float(x[0, 0]) == 0.0
        assert torch.from_dlpack(x, copy=False).data_ptr() == np.asarray(x).ctypes.data

    def test_from_torch(self, torch: Any) -> None:
        source = torch.arange(6, dtype=torch.float32).reshape(2, 3).T
        np.testing.assert_array_equal(tf.from_dlpack(source), source.numpy(), strict=True)
        shared = tf.from_dlpack(source, copy=False)
        source[0, 0] = 9.0
        assert float(shared[0, 0]) == 9.0
        with pytest.raises(BufferError, match="require gradient"):
            tf.from_dlpack(torch.ones(2, requires_grad=True))
        with pytest.raises(TypeError, match="from_dlpack: Unsupported dtype"):
            tf.from_dlpack(torch.ones(2, dtype=torch.bfloat16))


class TestBuffers:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_views(self, dtype: str, shape: tuple[int, ...]) -> None:
        values = sample(dtype, shape)
        view = memoryview(tf.constant(values))
        assert view.readonly
        assert (view.format, view.shape, view.itemsize) == (values.data.format, values.shape, values.itemsize)
        np.testing.assert_array_equal(np.asarray(view), values, strict=True)

    def test_the_memory_is_shared_and_stays(self) -> None:
        x = tf.constant([1.0, 2.0], tf.float64)
        view = memoryview(x)
        assert np.shares_memory(np.asarray(view), np.asarray(x))
        x[0] = 5.0
        del x
        assert view.tolist() == [1.0, 2.0]
        with pytest.raises(TypeError, match="read-only"):
            view[0] = 3.0

    def test_strides(self) -> None:
        x = tf.constant(sample("int32", (3, 4)))[:, ::2]
        assert memoryview(x).strides == (16, 8)
        assert memoryview(x).tolist() == [[0, 2], [4, 6], [8, 10]]

    def test_consumers(self) -> None:
        x = tf.constant([1.0, 2.0], tf.float64)
        assert bytes(x) == struct.pack("2d", 1.0, 2.0)
        with pytest.raises((TypeError, BufferError)):
            struct.pack_into("d", x, 0, 9.0)  # wants to write

    def test_variables(self) -> None:
        v = tf.Variable([1.0, 2.0])
        view = memoryview(v)
        v.assign([3.0, 4.0])
        assert view.tolist() == [1.0, 2.0]

    def test_watched_values_stay_on_their_tape(self) -> None:
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            for consume in (memoryview, bytes, bytearray):
                with pytest.raises(TypeError, match="a tape records this value"):
                    consume(x)
        assert memoryview(x).tolist() == [1.0, 2.0]
