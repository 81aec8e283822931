"""Tests of how structural operations are declared: what is saved, what is asked for, what fails."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops.declare import linear, silent, structural


def _gradient(f: Any, *args: tf.Tensor) -> list[Any]:
    with tf.GradientTape() as tape:
        for arg in args:
            tape.watch(arg)
        result = f(*args)
    gradients: list[Any] = tape.gradient(result, list(args))
    return gradients


def test_a_rule_gets_what_its_parameters_name() -> None:
    seen: dict[str, Any] = {}

    def rule(g: Any, b: Any, out: Any, a_shape: Any, out_shape: Any, factor: Any) -> Any:
        seen.update(b=b, out=out, a_shape=a_shape, out_shape=out_shape, factor=factor)
        return tf.reduce_sum(g * b * factor, 0)

    scaled = structural("scaled", lambda a, b, *, factor: a * b * factor, a=rule)
    a, b = tf.constant([1.0, 2.0]), tf.constant([[3.0, 4.0], [5.0, 6.0]])
    (da,) = _gradient(lambda a: scaled(a, b, factor=2.0), a)
    np.testing.assert_array_equal(da, [16.0, 20.0])
    np.testing.assert_array_equal(seen["b"], b)
    np.testing.assert_array_equal(seen["out"], a.numpy() * b.numpy() * 2)
    assert (seen["a_shape"], seen["out_shape"], seen["factor"]) == ((2,), (2, 2), 2.0)


def test_an_operand_without_a_rule_has_no_gradient() -> None:
    scaled = structural("scaled", lambda a, b: a * b, a=lambda g, b: g * b)
    da, db = _gradient(scaled, tf.constant(2.0), tf.constant(3.0))
    assert float(da) == 3.0
    assert db is None


def test_only_what_the_wanted_rules_need_is_saved() -> None:
    product = structural("product", lambda a, b: a * b, a=lambda g, b: g * b, b=lambda g, a: g * a)
    a, b = tf.constant(2.0), tf.constant(3.0)

    def saved(*watched: tf.Tensor) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            product(a, b)
        return [tape._rule(slot)[1] for slot, kind, *_ in tape._nodes() if kind == "external"]

    assert saved() == []
    assert saved(a) == [(None, b)]
    assert saved(b) == [(a, None)]
    assert saved(a, b) == [(a, b)]


def test_several_operands_and_results() -> None:
    def apart(gs: Any, values_shape: Any, out_shape: Any) -> list[Any]:
        assert out_shape == values_shape
        return [None if g is None else 2.0 * g for g in gs]

    doubled = structural("doubled", lambda *values: tuple([2 * x for x in values]), values=apart)
    x, y = tf.constant(1.0), tf.constant([2.0, 3.0])
    dx, dy = _gradient(lambda x, y: doubled(x, y)[1], x, y)
    assert dx is None
    np.testing.assert_array_equal(dy, [2.0, 2.0])
    dx, dy = _gradient(lambda x, y: list(doubled(x, y)), x, y)
    assert float(dx) == 2.0


def test_a_saved_result_has_its_place_on_outer_tapes() -> None:
    exponential = structural("exponential", lambda x: np.exp(x), x=lambda g, out: g * out)
    x = tf.constant(1.0, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        (first,) = _gradient(exponential, x)
    assert float(outer.gradient(first, x)) == pytest.approx(np.e, rel=1e-15)


def test_linear_takes_the_transpose() -> None:
    total = linear("total", lambda a: np.sum(a), transpose=lambda g, a_shape: tf.broadcast_to(g, a_shape))
    (da,) = _gradient(total, tf.constant([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(da, [1.0, 1.0, 1.0])


def test_errors_of_numpy_name_the_operation_and_the_shapes() -> None:
    add = structural("sum of two", lambda a, b: a + b)
    with pytest.raises(ValueError, match=r"sum of two: .*\(operand shapes: \(2,\), \(3,\)\)"):
        add(tf.ones(2), tf.ones(3))


def test_a_rule_for_no_operand_is_refused() -> None:
    with pytest.raises(TypeError, match=r"rules for \['c'\], but its operands are \['a', 'b'\]"):
        structural("sum", lambda a, b: a + b, c=lambda g: g)
    with pytest.raises(TypeError, match="must be the only one"):
        structural("sum", lambda a, *b: a)


def test_a_parameter_that_the_rule_needs() -> None:
    scaled = structural("scaled", lambda a, *, factor=2.0: a * factor, a=lambda g, factor: g * factor)
    x = tf.constant([1.0, 3.0])
    np.testing.assert_array_equal(scaled(x), [2.0, 6.0])
    (dx,) = _gradient(lambda x: scaled(x, factor=2.0), x)
    np.testing.assert_array_equal(dx, [2.0, 2.0])
    with pytest.raises(TypeError, match="scaled: the parameter 'factor' must be given"):
        _gradient(scaled, x)


def test_an_operation_says_what_it_is() -> None:
    scaled = structural("scaled", lambda a, *, factor: a * factor, a=lambda g, factor: g * factor)
    assert repr(scaled) == "<recorded operation 'scaled'>"
    assert str(inspect.signature(scaled)) == "(a, *, factor)"
    assert copy.deepcopy(scaled) is scaled
    assert (scaled.__name__, scaled.__module__) == ("scaled", __name__)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'factor'"):
        scaled(1.0)


class TestSilent:
    def test_a_forward_that_overflows(self) -> None:
        loud = structural("exp", lambda x: np.exp(x), x=lambda g, out: g * out)
        quiet = structural("exp", silent(lambda x: np.exp(x)), x=lambda g, out: g * out)
        x = tf.constant(1000.0, tf.float64)
        with pytest.raises(RuntimeWarning, match="overflow"):
            loud(x)
        assert float(quiet(x)) == np.inf
        with pytest.raises(RuntimeWarning, match="overflow"):
            np.exp(1000.0)

    def test_what_numpy_does_about_errors_is_as_before(self) -> None:
        @silent
        def fails(x: Any) -> Any:
            """Its text."""
            with np.errstate(over="raise"):
                return np.exp(x)

        with np.errstate(all="ignore", divide="raise"):
            before = np.geterr()
            with pytest.raises(FloatingPointError):
                fails(1000.0)
            assert np.geterr() == before
        assert (fails.__name__, fails.__doc__) == ("fails", "Its text.")

    def test_a_numpy_that_keeps_its_settings_elsewhere(self) -> None:
        program = """
        import numpy as np
        np.seterr = lambda **settings: None  # sets nothing that tapegrad could find
        import warnings
        import tapegrad as tf
        warnings.simplefilter("error")
        print(float(np.prod(tf.constant([1e200, 1e200], tf.float64))), np.geterr()["over"])
        """
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
        )
        assert run.stdout.split() == ["inf", "warn"]
