"""Elementwise operations have NumPy's values, bit for bit, in every layout and dtype."""

import numpy as np
import pytest
from optable import OPS, forward, identify

import tapegrad as tf
from tapegrad._native import from_numpy

EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    6.0,
    np.inf,
    -np.inf,
    np.nan,
    1e-30,
    -1e-30,
    1e30,
    -1e30,
    88.0,
    -104.0,
]
EVERY_OP = pytest.mark.parametrize("op", OPS, ids=identify)


def needs_libm(op):
    """Whether an operation is computed by the C library, whose last places are its own."""
    return op.forward is not None and (op.forward == "libm" or "erf" in op.forward)


def assert_same(found, expected, op):
    """Equal bit for bit, but for the payloads of nan; the C library's functions nearly so."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if needs_libm(op):
        np.testing.assert_allclose(found, expected, rtol=16 * np.finfo(found.dtype).eps)
        return
    np.testing.assert_array_equal(found, expected)
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(found[zero].real), np.signbit(expected[zero].real))


@EVERY_OP
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestNativeTypes:
    def test_samples(self, op, dtype, rng):
        arrays = op.sample(rng, 5000, dtype=dtype)
        assert_same(op.function(*arrays), forward(op, *arrays), op)

    def test_edges(self, op, dtype):
        grids = np.meshgrid(*[np.array(EDGES, dtype)] * op.operands)
        arrays = [np.ascontiguousarray(grid).ravel() for grid in grids]
        assert_same(op.function(*arrays), forward(op, *arrays), op)

    def test_numbers(self, op, dtype, rng):
        for operands in zip(*op.sample(rng, 20, dtype=dtype), strict=True):
            arrays = [np.array([x]) for x in operands]
            expected = forward(op, *arrays)[0]
            assert_same(op.function(*[tf.constant(x) for x in operands]), expected, op)
            assert_same(op.function(*operands), expected, op)

    def test_layouts(self, op, dtype, rng):
        shape = (7, 6, 5)
        for arrange in (
            lambda a: a[::2, ::-1, 1:4],
            lambda a: a.T,
            lambda a: np.asfortranarray(a),
            lambda a: a[:, :1],
            lambda a: a[:0],
            lambda a: np.broadcast_to(a[0, 0], (4, 5)),
        ):
            arrays = [arrange(a) for a in op.sample(rng, shape, dtype=dtype)]
            compact = [np.ascontiguousarray(a) for a in arrays]
            assert_same(op.function(*[from_numpy(a) for a in arrays]), forward(op, *compact), op)


@pytest.mark.parametrize("op", [op for op in OPS if op.operands > 1], ids=identify)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_broadcasting(op, dtype, rng):
    for shapes in [
        ((3, 1), (4,), ()),
        ((), (2, 3), (3,)),
        ((0, 2), (2,), (1, 1)),
        ((5, 1, 3), (1, 4, 1), (3,)),
    ]:
        arrays = op.sample(rng, *shapes[: op.operands], dtype=dtype)
        assert_same(op.function(*arrays), forward(op, *map(np.copy, np.broadcast_arrays(*arrays))), op)


@EVERY_OP
@pytest.mark.parametrize("dtype", [np.float16, np.complex64, np.complex128])
def test_other_types(op, dtype, rng):
    arrays = op.sample(rng, 100, dtype=dtype)
    try:
        if needs_libm(op):
            if dtype != np.float16:
                raise TypeError("the C library has real functions only")
            expected = forward(op, *[a.astype(np.float64) for a in arrays]).astype(dtype)
        else:
            expected = forward(op, *arrays)
    except TypeError:
        with pytest.raises(TypeError):
            op.function(*arrays)
        return
    found = op.function(*arrays)
    tolerance = 1e-2 if dtype == np.float16 and op.forward is not None else 0
    np.testing.assert_allclose(np.asarray(found), expected, rtol=tolerance)
    assert found.dtype == expected.dtype


@EVERY_OP
@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int32, np.int64])
def test_integers_and_bools(op, dtype):
    arrays = [np.array([1, 2, 3, 1], dtype)] * op.operands
    if op.forward is not None:
        assert np.asarray(op.function(*arrays)).dtype.kind in "fiu"
        return
    try:
        expected = forward(op, *arrays)
    except TypeError:
        with pytest.raises(TypeError):
            op.function(*arrays)
        return
    assert_same(op.function(*arrays), expected, op)


def test_mixed_types_promote_as_in_numpy():
    operands = [
        np.ones(2, t) for t in (np.bool_, np.int8, np.int32, np.int64, np.float16, np.float32, np.float64, np.complex64)
    ]
    for a in operands:
        for b in operands:
            expected = np.add(a, b)
            assert tf.add(a, b).dtype == expected.dtype
            assert (tf.constant(a) + tf.constant(b)).dtype == expected.dtype


@pytest.mark.parametrize("number", [2, 2.5, True, 1j])
def test_python_numbers_are_weak_as_in_numpy(number):
    for dtype in (
        np.bool_,
        np.int8,
        np.uint8,
        np.int32,
        np.int64,
        np.float16,
        np.float32,
        np.float64,
        np.complex64,
    ):
        a = np.ones(2, dtype)
        expected = a * number
        for found in (
            tf.constant(a) * number,
            number * tf.constant(a),
            tf.multiply(a, number),
            tf.constant(a) * [number],
        ):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found.numpy(), expected)


def test_integer_overflow_is_numpys():
    with pytest.raises(OverflowError):
        tf.constant([1], dtype=tf.int8) + 1000


@pytest.mark.parametrize("large", [2**53 + 1, 2**70, -(2**60) - 1])
def test_large_python_integers(large):
    assert (tf.constant(1.0, dtype=tf.float64) * large).numpy() == float(large)
    assert (tf.constant([1.0]) * large).numpy()[0] == np.float32(large)


def test_number_of_operands():
    with pytest.raises(TypeError):
        tf.math.sin()
    with pytest.raises(TypeError):
        tf.math.sin(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="unknown: w"):
        tf.math.add(x=1.0, y=1.0, w=2.0)
    assert tf.math.add(x=1.0, y=2.0, name="sum").numpy() == 3.0


def test_warnings_of_numpy_are_not_raised():
    with np.errstate(all="raise"):
        assert np.isnan(tf.math.log(tf.constant(-1.0)).numpy())
        assert np.isinf((1.0 / tf.constant([0.0, 1.0])).numpy()[0])
        assert np.isinf(tf.exp(tf.constant(100.0, dtype=tf.float16)).numpy())
