"""Branches, loops, maps and scans; functions that TensorFlow would compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])


def never() -> Any:
    raise AssertionError("the other branch was called")


def test_cond_calls_one_branch() -> None:
    x = tf.constant(3.0)
    assert tf.cond(x > 0.0, lambda: "positive", never) == "positive"
    assert tf.cond(x < 0.0, never, lambda: [x]) == [x]
    assert tf.cond(True, lambda: (), never) == ()
    check_grads(lambda x: tf.cond(x > 0.0, lambda: x**3, lambda: -x), (2.0,))


def test_case_takes_the_first_true_one() -> None:
    x = tf.constant(3.0)
    pairs = [(x < 0.0, never), (x > 1.0, lambda: 1), (x > 2.0, never)]
    assert tf.case(pairs) == 1
    assert tf.case([(x < 0.0, never)], default=lambda: 2) == 2
    assert tf.case({False: never, True: lambda: 3}, exclusive=True) == 3
    with pytest.raises(tf.errors.InvalidArgumentError, match="none of the predicates is true"):
        tf.case([(x < 0.0, never)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="several predicates are true, but they must be exclusive"):
        tf.case(pairs, exclusive=True)


def test_switch_case() -> None:
    branches: list[Callable[[], int]] = [lambda: 10, lambda: 11]
    assert [tf.switch_case(tf.constant(k), branches) for k in (0, 1, 5, -1)] == [10, 11, 11, 11]
    assert tf.switch_case(7, {7: branches[0], 9: branches[1]}) == 10
    assert tf.switch_case(8, [(7, branches[0]), (9, never)], default=lambda: 12) == 12


def test_while_loop_keeps_the_structure() -> None:
    i, state = tf.while_loop(
        lambda i, state: i < 3, lambda i, state: [i + 1, {"x": state["x"] * 2.0}], (0, {"x": tf.constant([1.0, 3.0])})
    )
    assert int(i) == 3
    np.testing.assert_array_equal(state["x"], [8.0, 24.0])
    (i,) = tf.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)], maximum_iterations=tf.constant(4))
    assert int(i) == 4
    (unchanged,) = tf.while_loop(lambda x: False, never, (1.5,))
    assert isinstance(unchanged, tf.Tensor)
    check_grads(lambda x: tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * tf.sin(x)), (0, x))[1], (X,))


MAPS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "map_fn": (lambda x: tf.map_fn(lambda row: row * row[0], x), lambda x: x * x[:, :1]),
    "map_fn of a pair": (
        lambda x: tf.map_fn(lambda pair: pair[0] * pair[1][0], (x, x), fn_output_signature=tf.float64),
        lambda x: x * x[:, :1],
    ),
    "map_fn to a dictionary": (
        lambda x: tf.map_fn(lambda row: {"a": row[0], "b": row**2}, x, dtype={"a": tf.float64, "b": tf.float64})["b"],
        lambda x: x**2,
    ),
    "vectorized_map": (
        lambda x: tf.vectorized_map(lambda pair: pair["u"] * pair["v"][0], {"u": x, "v": x[:1]}),
        lambda x: x * x[0, 0],
    ),
    "vectorized_map to a pair": (
        lambda x: tf.vectorized_map(lambda row: (row[0], tf.reduce_sum(row)), x)[1],
        lambda x: x.sum(1),
    ),
    "foldl": (lambda x: tf.foldl(lambda value, row: value * row + 1.0, x), lambda x: (x[0] * x[1] + 1) * x[2] + 1),
    "foldl from a value": (
        lambda x: tf.foldl(lambda value, row: value * row + 1.0, x, initializer=x[0]),
        lambda x: ((x[0] * x[0] + 1) * x[1] + 1) * x[2] + 1,
    ),
    "foldl of a pair": (
        lambda x: tf.foldl(lambda value, rows: value + rows[0] * rows[1], (x, x), initializer=0.0),
        lambda x: (x * x).sum(0),
    ),
    "foldr": (lambda x: tf.foldr(lambda value, row: value * row + 1.0, x), lambda x: (x[2] * x[1] + 1) * x[0] + 1),
    "scan": (lambda x: tf.scan(lambda value, row: value * row, x), lambda x: np.cumprod(x, 0)),
    "scan, reverse": (
        lambda x: tf.scan(lambda value, row: value * row, x, reverse=True),
        lambda x: np.cumprod(x[::-1], 0)[::-1],
    ),
    "scan from a pair": (
        lambda x: tf.scan(
            lambda value, row: (value[0] + row, value[1] * row[0]), x, initializer=(tf.zeros(2, tf.float64), x[0, 1])
        )[1],
        lambda x: x[0, 1] * np.cumprod(x[:, 0]),
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_values_and_gradients(name: str) -> None:
    function, reference = MAPS[name]
    np.testing.assert_allclose(function(tf.constant(X)), reference(X), rtol=1e-15)
    check_grads(function, (X / 3.0,))


def test_types_of_results() -> None:
    x = tf.constant(X, tf.float32)
    assert tf.map_fn(lambda row: 1, x).dtype is tf.float32
    assert tf.map_fn(lambda row: tf.cast(row, tf.int32), x, fn_output_signature=tf.int32).dtype is tf.int32
    assert tf.map_fn(lambda row: row[0], x, fn_output_signature=tf.TensorSpec([])).shape == (3,)
    assert tf.scan(lambda value, row: 2.0, x[:, 0]).numpy().tolist() == [1.0, 2.0, 2.0]
    assert tf.vectorized_map(lambda row: 3.0, x).numpy().tolist() == [3.0] * 3
    # A number to begin with does not hold the result to float32.
    assert tf.foldl(lambda value, row: value + row, X, initializer=0.0).dtype is tf.float64


def test_no_elements() -> None:
    nothing = tf.zeros((0, 3))
    assert tf.map_fn(lambda row: row, nothing).shape == (0,)
    assert tf.map_fn(lambda row: row, nothing, fn_output_signature=tf.TensorSpec([5], tf.int32)).shape == (0, 5)
    assert tf.scan(lambda value, row: value, nothing, initializer=tf.zeros((4,))).shape == (0, 4)
    assert float(tf.foldl(lambda value, row: value, nothing, initializer=2.0)) == 2.0
    for function in (tf.foldl, tf.foldr, tf.scan):
        with pytest.raises(ValueError, match="without elements an initializer is needed"):
            function(lambda value, row: value, nothing)
    with pytest.raises(ValueError, match="without elements there is nothing to stack"):
        tf.vectorized_map(lambda row: row, nothing)


@pytest.mark.parametrize("decorate", [tf.function, tf.function(jit_compile=True, reduce_retracing=True), tf.function()])
def test_function_leaves_functions_as_they_are(decorate: Any) -> None:
    def square(x: Any) -> Any:
        return x * x

    assert decorate(square) is square


def test_function_decorates_methods() -> None:
    class Scale(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def __call__(self, x: Any) -> Any:
            return self.factor * x

    scale = Scale()
    with tf.GradientTape() as tape:
        y = scale(tf.constant(3.0))
    assert float(tape.gradient(y, scale.factor)) == 3.0
    assert tf.executing_eagerly()


def test_python_functions() -> None:
    x = tf.Variable([1.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        y = tf.py_function(lambda x: x * x, [x], tf.float32)
        root, two = tf.py_function(lambda x: (tf.sqrt(x), 2), [x], [tf.float32, tf.int32])
        constant = tf.numpy_function(np.sqrt, [x], tf.float32)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 8.0])
    np.testing.assert_array_equal(tape.gradient(root, x), [0.5, 0.25])
    assert tape.gradient(constant, x) is None
    assert (two.dtype, constant.dtype) == (tf.int32, tf.float32)
    np.testing.assert_array_equal(constant, [1.0, 2.0])
    assert tf.py_function(lambda x: None, [x], []) == []


def test_numpy_functions_get_arrays_of_their_own() -> None:
    def halve(values: Any) -> Any:
        values /= 2
        return values, 1

    x = tf.constant([2.0, 4.0])
    half, one = tf.numpy_function(halve, [x], [tf.float64, tf.int64])
    np.testing.assert_array_equal(half, np.array([1.0, 2.0]), strict=True)
    assert one.dtype is tf.int64
    np.testing.assert_array_equal(x, [2.0, 4.0])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tf.cond(True, 1, never), TypeError, "'true_fn' must be callable"),
        (lambda: tf.cond(True, never), TypeError, "'false_fn' must be callable"),
        (lambda: tf.case([True]), TypeError, "must be pairs of a predicate and a function"),
        (lambda: tf.case([], default=1), TypeError, "'default' must be callable"),
        (lambda: tf.switch_case(1.5, [never]), TypeError, "An integer is needed, not 1.5"),
        (lambda: tf.switch_case(0, [(1, never), (1, never)]), TypeError, "each with a number of its own"),
        (lambda: tf.while_loop(1, never, [0]), TypeError, "'cond' must be callable"),
        (lambda: tf.while_loop(never, 1, [0]), TypeError, "'body' must be callable"),
        (lambda: tf.while_loop(never, never, []), ValueError, "'loop_vars' must be provided"),
        (lambda: tf.while_loop(lambda i, a: True, lambda i, a: i, (0, 1)), ValueError, "same number of elements"),
        (lambda: tf.map_fn(lambda x: x, 1.0), ValueError, r"1\+ dimensional Tensors, not scalars"),
        (lambda: tf.map_fn(lambda x: x, []), ValueError, "does not contain any Tensors"),
        (lambda: tf.map_fn(lambda x: x, (X, X[:2])), ValueError, r"different sizes: \[2, 3\]"),
        (lambda: tf.map_fn(lambda x: (x, x), X), ValueError, "have the same nested structure"),
        (lambda: tf.map_fn(lambda x: x[: int(x[0])], X), ValueError, "stack: the tensors must have one shape"),
        (lambda: tf.scan(1, X), TypeError, "scan: 1 is not callable"),
        (lambda: tf.scan(lambda a, x: (a, x), X), ValueError, "have the same nested structure"),
        (lambda: tf.py_function(None, [1.0], tf.float32), TypeError, "py_function: a function is needed"),
        (lambda: tf.numpy_function(None, [1.0], tf.float32), TypeError, "numpy_function: a function is needed"),
        (lambda: tf.py_function(lambda: 1, [], [tf.int32] * 2), ValueError, "returned 1 values, but `Tout` names 2"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
