"""`tf.debugging`: what passes, what raises, and what the messages say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

D = tf.debugging
X = tf.constant([[1.0, 2.0], [3.0, 4.0]])
Y = tf.ones((3, 2))
FAILED = tf.errors.InvalidArgumentError

PASSING: dict[str, Callable[[], Any]] = {
    "equal": lambda: D.assert_equal([1, 2], [1, 2]),
    "equal, broadcast": lambda: D.assert_equal([[1, 1]], 1),
    "equal, empty": lambda: D.assert_equal([], [1.0]),
    "none equal": lambda: D.assert_none_equal([1, 2], [2, 1]),
    "less": lambda: D.assert_less([1, 2], [2, 3]),
    "less equal": lambda: D.assert_less_equal([1, 2], [1, 3]),
    "greater": lambda: D.assert_greater(2.0, [1.0, 1.5]),
    "greater equal": lambda: D.assert_greater_equal([1, 2], [1, 2]),
    "near": lambda: D.assert_near(X, X.numpy() * np.float32(1.000001)),
    "near, infinite": lambda: D.assert_near([math.inf, 1.0], [math.inf, 1.0]),
    "near, tolerance": lambda: D.assert_near([1.0, 100.0], [1.1, 101.0], atol=0.11, rtol=0.01),
    "near, integers": lambda: D.assert_near(tf.constant([1, 2], tf.uint8), tf.constant([2, 1], tf.uint8), atol=1),
    "positive": lambda: D.assert_positive([1.0, 2.0]),
    "positive, empty": lambda: D.assert_positive([]),
    "negative": lambda: D.assert_negative([-1, -2]),
    "non-negative": lambda: D.assert_non_negative([0, 2]),
    "non-positive": lambda: D.assert_non_positive([0.0, -2.0]),
    "Assert": lambda: tf.Assert(tf.constant([True, True]), [X]),
    "rank": lambda: D.assert_rank(X, tf.constant(2)),
    "rank at least": lambda: D.assert_rank_at_least(X, 1),
    "rank in": lambda: D.assert_rank_in(X, [0, 2]),
    "scalar": lambda: D.assert_scalar(1.0),
    "type": lambda: D.assert_type(X, tf.float32),
    "type of a number": lambda: D.assert_type(1.0, "float32"),
    "integer": lambda: D.assert_integer([1, 2]),
    "iterable": lambda: D.assert_proper_iterable([1, 2]),
    "shapes": lambda: D.assert_shapes([(X, ("N", "D")), (Y, ("M", "D"))]),
    "shapes, letters": lambda: D.assert_shapes([(X, "ND"), (Y, "MD")]),
    "shapes, sizes": lambda: D.assert_shapes([(X, (2, None)), (Y, (".", 2)), (Y, None)]),
    "shapes, inner": lambda: D.assert_shapes([(X, (..., 2)), (Y, ("*", "N")), (X, ["*", "M", "N"])]),
    "shapes, scalars": lambda: D.assert_shapes([(1.0, ()), (2.0, (1,)), ([3.0], ())]),
    "shapes, dictionary": lambda: D.assert_shapes({1.0: ()}),
    "shapes, TensorShape": lambda: D.assert_shapes([(X, tf.TensorShape([2, None]))]),
}


@pytest.mark.parametrize("name", PASSING)
def test_nothing_happens_if_all_is_well(name: str) -> None:
    assert PASSING[name]() is None


FAILING: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "equal": (
        lambda: D.assert_equal([1, 2, 3, 4, 5], [1, 2, 4, 4, 6]),
        FAILED,
        "Condition x == y did not hold.\nIndices of first 2 different values:\n[[2]\n [4]]\n"
        "Corresponding x values:\n[3 5]\n"
        "Corresponding y values:\n[4 6]\nFirst 3 elements of x:\n[1 2 3]\nFirst 3 elements of y:\n[1 2 4]",
    ),
    "equal, with a message": (
        lambda: D.assert_equal([1, 2], [1, 3], message="hey", summarize=1),
        FAILED,
        "hey\nCondition x == y did not hold.\nIndices of first 1 different values:\n[[1]]\n"
        "Corresponding x values:\n[2]\n"
        "Corresponding y values:\n[3]\nFirst 1 elements of x:\n[1]\nFirst 1 elements of y:\n[1]",
    ),
    "equal, broadcast": (
        lambda: D.assert_equal([1, 2], 2),
        FAILED,
        "Condition x == y did not hold.\nFirst 2 elements of x:\n[1 2]\nFirst 1 elements of y:\n[2]",
    ),
    "equal, shapes": (lambda: D.assert_equal(X, Y, "m"), FAILED, "m\nIncompatible shapes: (2, 2) vs. (3, 2)"),
    "none equal": (lambda: D.assert_none_equal([1, 2], [2, 2]), FAILED, "Condition x != y did not hold."),
    "less": (lambda: D.assert_less([1, 2], [2, 2]), FAILED, "Condition x < y did not hold."),
    "less, nan": (lambda: D.assert_less([1.0, math.nan], 2.0), FAILED, "Condition x < y did not hold."),
    "less equal": (lambda: D.assert_less_equal([1, 2], [2, 1]), FAILED, "Condition x <= y did not hold."),
    "greater": (lambda: D.assert_greater([1, 2], [0, 2]), FAILED, "Condition x > y did not hold."),
    "greater equal": (lambda: D.assert_greater_equal(X, 1.5), FAILED, "Condition x >= y did not hold."),
    "near": (
        lambda: D.assert_near([1.0, 2.0], [1.0, 2.5], atol=0.25, rtol=0.0, message="m"),
        FAILED,
        "m\nx and y not equal to tolerance rtol = 0.0, atol = 0.25\nx (shape=(2,) dtype=float32) = 1.0, 2.0\n"
        "y (shape=(2,) dtype=float32) = 1.0, 2.5",
    ),
    "near, nan": (lambda: D.assert_near([math.nan], [math.nan]), FAILED, "not equal to tolerance"),
    "near, unsigned": (
        lambda: D.assert_near(tf.constant([1], tf.uint8), tf.constant([3], tf.uint8), atol=1),
        FAILED,
        "not equal to tolerance",
    ),
    "positive": (
        lambda: D.assert_positive([1, 0, 2, 3]),
        FAILED,
        "Condition x > 0 did not hold element-wise:\nx (shape=(4,) dtype=int32) = 1, 0, 2, ...",
    ),
    "negative": (lambda: D.assert_negative([-1, 0]), FAILED, "Condition x < 0 did not hold"),
    "non-negative": (lambda: D.assert_non_negative([1, -1], "u"), FAILED, "u\nCondition x >= 0 did not hold"),
    "non-positive": (lambda: D.assert_non_positive([-1, math.nan]), FAILED, "Condition x <= 0 did not hold"),
    "Assert": (
        lambda: tf.Assert(False, [X, "no", 3]),
        FAILED,
        "Expected 'False' to be true. Summarized data: 1.0, 2.0, 3.0, ...\nno\n3",
    ),
    "Assert, some": (lambda: D.Assert(tf.constant([True, False]), [], summarize=1), FAILED, "to be true"),
    "rank": (
        lambda: D.assert_rank(X, 1, message="mm"),
        ValueError,
        "mm. Tensor must have rank 1. Received rank 2, shape (2, 2)",
    ),
    "rank at least": (lambda: D.assert_rank_at_least(X, 3), ValueError, "must have rank at least 3. Received rank 2"),
    "rank in": (lambda: D.assert_rank_in(X, (1, 3)), ValueError, "must have rank in (1, 3). Received rank 2"),
    "scalar": (lambda: D.assert_scalar(X), ValueError, "Expected scalar shape, saw shape: (2, 2)."),
    "type": (
        lambda: D.assert_type(X, tf.int32, message="q"),
        TypeError,
        "q. tensor must be of type tf.int32; got tf.float32",
    ),
    "integer": (
        lambda: D.assert_integer(X),
        TypeError,
        'Expected "x" to be integer type. Found: tensor of dtype tf.fl',
    ),
    "iterable, tensor": (lambda: D.assert_proper_iterable(X), TypeError, 'to be a "proper" iterable'),
    "iterable, array": (lambda: D.assert_proper_iterable(np.ones(2)), TypeError, 'to be a "proper" iterable'),
    "iterable, string": (lambda: D.assert_proper_iterable("ab"), TypeError, 'to be a "proper" iterable'),
    "iterable, number": (lambda: D.assert_proper_iterable(1), TypeError, "to be iterable. Found: <class 'int'>"),
    "shapes": (
        lambda: D.assert_shapes([(X, ("N", "M")), (Y, ("N", "M"))], message="msg"),
        ValueError,
        "msg. Specified by Tensor shape=(2, 2) dtype=float32 dimension 0. "
        "Tensor shape=(3, 2) dtype=float32 dimension 0 must have size 2. Received size 3, shape (3, 2)",
    ),
    "shapes, size": (
        lambda: D.assert_shapes([(X, (2, "3"))]),
        ValueError,
        "Specified explicitly. Tensor shape=(2, 2) dtype=float32 dimension 1 must have size 3. Received size 2",
    ),
    "shapes, within one": (lambda: D.assert_shapes([(Y, "NN")]), ValueError, "dimension 1 must have size 3"),
    "shapes, rank": (lambda: D.assert_shapes([(X, "N")]), ValueError, "must have rank 1. Received rank 2"),
    "shapes, inner rank": (
        lambda: D.assert_shapes([(X, (..., 2, 2, 2))]),
        ValueError,
        "must have rank at least 3. Received rank 2",
    ),
    "shapes, inner size": (lambda: D.assert_shapes([(X, (..., 3))]), ValueError, "dimension 1 must have size 3"),
    "shapes, two ellipses": (lambda: D.assert_shapes([(X, (2, "*"))]), ValueError, "only allowed as the first entry"),
    "shapes, number": (lambda: D.assert_shapes([(X, 3)]), ValueError, "Specified shape must be an iterable: 3"),
    "float types": (
        lambda: D.assert_same_float_dtype([X, tf.constant(1.0, tf.float64)]),
        ValueError,
        "type=tf.float64, must be of the same type (tf.float32)",
    ),
    "float type": (lambda: D.assert_same_float_dtype([X], tf.float64), ValueError, "(tf.float64)"),
    "not floats": (lambda: D.assert_same_float_dtype([tf.constant(1)]), ValueError, "Expected floating point type"),
    "numerics, nan": (lambda: D.check_numerics([math.nan, 1.0], "m"), FAILED, "m : Tensor had NaN values (shape=(2,)"),
    "numerics, both": (
        lambda: D.assert_all_finite([math.nan, -math.inf], "m"),
        FAILED,
        "m : Tensor had Inf and NaN values (shape=(2,) dtype=float32): [ nan -inf]",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_says_why(name: str) -> None:
    call, kind, message = FAILING[name]
    with pytest.raises(kind) as raised:
        call()
    assert type(raised.value) is kind
    assert message in str(raised.value)


def test_the_exception_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="did not hold") as raised:
        D.assert_equal(1, 2)
    assert raised.value.message == str(raised.value)  # type: ignore[attr-defined]


def test_types_in_common() -> None:
    assert D.assert_same_float_dtype([X, Y]) is tf.float32
    assert D.assert_same_float_dtype([tf.constant(1.0, tf.float64)], "float64") is tf.float64
    assert D.assert_same_float_dtype() is tf.float32
    answers = [D.is_numeric_tensor(x) for x in (X, tf.Variable(1), tf.constant(True), 3, np.ones(2))]
    assert answers == [True, True, False, False, False]


def test_numerics_pass_and_are_checked_on_the_way_back() -> None:
    np.testing.assert_array_equal(D.check_numerics([1.0, 2.0], "m"), [1.0, 2.0])
    check_grads(lambda x: D.assert_all_finite(x, "m") ** 2, (np.array([1.0, 2.0]),))
    x = tf.Variable([0.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        y = tf.sqrt(D.check_numerics(x, "the roots"))
    with pytest.raises(FAILED, match=r"detected in gradient. the roots : Tensor had Inf values"):
        tape.gradient(y, x)
    # A cotangent of zero contributes zero, whatever the slope.
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=tf.constant([0.0, 1.0])), [0.0, 0.25])


def test_names_at_the_top() -> None:
    assert (tf.Assert, tf.assert_equal, tf.assert_less) == (D.Assert, D.assert_equal, D.assert_less)
    assert (tf.assert_greater, tf.assert_rank) == (D.assert_greater, D.assert_rank)
    assert [name for name in D.__all__ if not callable(getattr(D, name))] == []
