"""The attributes and methods of NumPy's arrays on tensors."""

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._native import is_watched

X = np.array([[0.7, -1.3, 0.4], [2.1, 0.9, -1.7]])

CALLS = {
    "T": None,
    "mT": None,
    "real": None,
    "imag": None,
    "nbytes": None,
    "itemsize": None,
    "sum": [(), (0,), {"axis": 1, "keepdims": True}],
    "mean": [(), (1,)],
    "std": [{"axis": 0, "ddof": 1}],
    "max": [(0,)],
    "argmax": [(1,)],
    "reshape": [(3, 2), ((6,),), (-1,)],
    "transpose": [(), (1, 0), ((1, 0),)],
    "flatten": [(), ("F",)],
    "astype": [(np.float32,)],
    "clip": [(-1, 1)],
    "dot": [(X.T,)],
    "round": [(), (1,)],
    "take": [([0, 1], 1)],
    "compress": [([True, False], 0)],
    "swapaxes": [(0, 1)],
    "item": [(4,)],
    "tolist": [()],
    "cumsum": [(1,)],
    "any": [()],
}


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in CALLS.items() for call in calls or [None]], ids=str
)
def test_values_are_numpys(name, call):
    results = [getattr(tf.constant(X), name), getattr(X, name)]
    if call is not None:
        results = [f(**call) if isinstance(call, dict) else f(*call) for f in results]
    result, right = results
    if not isinstance(right, (np.ndarray, np.generic)):
        assert result == right
        return
    assert isinstance(result, tf.Tensor)
    assert result.dtype == right.dtype
    np.testing.assert_array_equal(result, right, strict=isinstance(right, np.ndarray))


def test_variables_have_them_and_they_are_recorded():
    v = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = v.T.dot(v)
        assert is_watched(y)
    np.testing.assert_allclose(tape.gradient(y, v), 2 * X.sum(axis=1, keepdims=True) * np.ones(3))


def test_methods_that_write():
    x = tf.constant(X)
    x.sort(axis=1)
    np.testing.assert_array_equal(x, np.sort(X, axis=1))
    x.fill(2.5)
    np.testing.assert_array_equal(x, np.full((2, 3), 2.5))
    x.put([0], 1.0)
    assert x.numpy()[0, 0] == 1.0


def test_casting_rule_of_astype():
    with pytest.raises(TypeError, match="Cannot cast"):
        tf.constant(X).astype(np.int64, casting="safe")


def test_unknown_attributes():
    with pytest.raises(AttributeError, match=r"no attribute 'ctypes'.*x\.numpy"):
        _ = tf.constant(X).ctypes
    with pytest.raises(AttributeError, match=r"no attribute 'foo'$"):
        _ = tf.constant(X).foo
