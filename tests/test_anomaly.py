"""`detect_anomaly`: the first NaN or infinity is found, forward and backward, and nothing else is."""

import inspect
import threading

import numpy as np
import pytest

import tapegrad as tf


def here():
    """The line that calls this."""
    return inspect.currentframe().f_back.f_lineno


def caught(run):
    """The error that `run` raises inside a block, and what the block leaves behind: nothing."""
    with pytest.raises(tf.AnomalyError) as details, tf.detect_anomaly():
        run()
    with tf.GradientTape() as tape:
        x = tf.Variable(-1.0)
        tf.log(x)
    assert tape.observer is None
    return details.value


FORWARD = {
    "log": lambda: tf.log(tf.Variable([1.0, -1.0])),
    "divide": lambda: tf.Variable([1.0, 0.0]) / tf.Variable([1.0, 0.0]),
    "exp": lambda: tf.exp(tf.Variable(1000.0)),
    "multiply": lambda: tf.Variable(1e30) * 1e30,
    "matmul": lambda: tf.Variable([[1e30]]) @ tf.Variable([[1e30]]),
    "sum": lambda: tf.reduce_sum(tf.Variable([3e38, 3e38])),
    "arccosh": lambda: np.arccosh(tf.Variable(0.5)),
}


@pytest.mark.parametrize("name", FORWARD)
def test_forward(name):
    def run():
        with tf.GradientTape():
            FORWARD[name]()

    error = caught(run)
    assert (error.op, error.phase) == (name, "forward")
    assert str(error).startswith(f"{name} gave ")
    assert error.where.file == __file__


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_element_types(dtype):
    def run():
        with tf.GradientTape():
            x = tf.Variable(np.zeros(2, dtype))
            x / x

    assert caught(run).op == "divide"


def test_forward_message():
    lines = []

    def run():
        with tf.GradientTape():
            x = tf.Variable([[1.0, 2.0], [-3.0, -4.0]])
            lines.append(here() + 1)
            tf.log(x * 2.0)

    error = caught(run)
    assert str(error).splitlines() == [
        f"log gave nan at [1, 0] (2 of 4 elements are not finite), at {__file__}:{lines[0]} in run",
        "    tf.log(x * 2.0)",
        "  operand 0: shape (2, 2), float32, finite",
    ]
    assert isinstance(error, ArithmeticError)


def test_operand_that_was_not_finite():
    def run():
        with tf.GradientTape():
            tf.Variable([1.0, 2.0]) + tf.constant([0.0, np.inf])

    text = str(caught(run))
    assert "operand 0: shape (2,), float32, finite" in text
    assert "operand 1: shape (2,), float32, already inf at [1] (1 of 2 elements are not finite)" in text


def test_operations_that_the_tape_does_not_follow():
    def run():
        with tf.GradientTape():
            tf.log(tf.constant(-1.0))

    assert caught(run).op == "log"


def test_backward():
    lines = []

    def run():
        x = tf.Variable([1.0, 0.0])
        with tf.GradientTape() as tape:
            lines.append(here() + 1)
            y = tf.sqrt(x)
            z = tf.reduce_sum(y)
        tape.gradient(z, x)

    error = caught(run)
    assert (error.op, error.phase) == ("sqrt", "backward")
    assert (error.where.file, error.where.line) == (__file__, lines[0])
    assert str(error).splitlines() == [
        "the derivative of sqrt with respect to its operand 0 gave inf at [1] (1 of 2 elements are not finite), "
        f"at {__file__}:{lines[0]} in run",
        "    y = tf.sqrt(x)",
        "  the operand: shape (2,), float32; the cotangent of the result was finite",
    ]


def test_backward_of_a_custom_rule():
    @tf.custom_gradient
    def broken(x):
        return x * 2.0, lambda upstream: upstream * np.nan

    def run():
        x = tf.Variable([1.0, 0.0])
        with tf.GradientTape() as tape:
            y = broken(x)
        tape.gradient(y, x)

    error = caught(run)
    assert error.op.endswith("broken")
    assert error.phase == "backward"


def test_bad_seed():
    def run():
        x = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            y = tf.exp(x)
        tape.gradient(y, x, output_gradients=tf.constant(np.inf, tf.float32))

    assert "the cotangent of the result already held inf" in str(caught(run))


def test_jacobian_is_looked_at():
    def run():
        x = tf.Variable([1.0, 0.0])
        with tf.GradientTape() as tape:
            y = tf.sqrt(x)
        tape.jacobian(y, x)

    assert caught(run).op == "sqrt"


def test_second_order_names_the_forward_operation():
    def run():
        x = tf.Variable([1.0, 0.0])
        with tf.GradientTape(), tf.GradientTape() as inner:
            y = tf.sqrt(x)
            inner.gradient(y, x)

    error = caught(run)
    assert (error.op, error.phase) == ("sqrt", "backward")


def test_tape_entered_before_the_block():
    x = tf.Variable(0.0)
    with tf.GradientTape(persistent=True) as tape:
        with pytest.raises(tf.AnomalyError, match="log gave -inf"), tf.detect_anomaly():
            tf.log(x)
        assert tape.observer is None
        y = tf.sqrt(x)
    with pytest.raises(tf.AnomalyError, match="its line is not known"), tf.detect_anomaly():
        tape.gradient(y, x)
    assert np.isinf(tape.gradient(y, x).numpy())


def test_sound_programs_pass():
    x = tf.Variable([4.0, 0.0, -1.0])
    with tf.detect_anomaly():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                y = tf.reduce_sum(tf.where(x > 1.0, tf.math.divide_no_nan(tf.exp(x), x), tf.abs(x)))
            g = tape.gradient(y, x)
        h = outer.gradient(g, x)
    assert np.isfinite(g.numpy()).all()
    assert np.isfinite(h.numpy()).all()


def test_infinite_partial_without_cotangent_is_none():
    # The partial of sqrt at 0 is infinite, and its cotangent zero: their product is zero, by a select.
    x = tf.Variable([4.0, 0.0])
    with tf.detect_anomaly():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                y = tf.sqrt(x)[0]
            g = tape.gradient(y, x)
        outer.gradient(g, x)
    np.testing.assert_allclose(g.numpy(), [0.25, 0.0])


def test_blocks_nest():
    x = tf.Variable(-1.0)
    with tf.detect_anomaly():
        with tf.detect_anomaly():
            pass
        with pytest.raises(tf.AnomalyError), tf.GradientTape():
            tf.log(x)
        with pytest.raises(ZeroDivisionError), tf.detect_anomaly():
            raise ZeroDivisionError
        with pytest.raises(tf.AnomalyError), tf.GradientTape():
            tf.log(x)
    with tf.GradientTape():
        tf.log(x)


def test_other_threads_are_left_alone():
    results = []

    def work():
        with tf.GradientTape():
            results.append(tf.log(tf.Variable(-1.0)).numpy())

    with tf.detect_anomaly():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert np.isnan(results).all()
    assert len(results) == 1


def test_block_as_a_decorator():
    @tf.detect_anomaly()
    def run():
        with tf.GradientTape():
            tf.log(tf.Variable(-1.0))

    for _ in range(2):
        with pytest.raises(tf.AnomalyError):
            run()


def test_tape_stays_usable():
    x = tf.Variable(4.0)
    with tf.GradientTape() as tape:
        y = x * x
        with pytest.raises(tf.AnomalyError), tf.detect_anomaly():
            tf.log(x - 4.0)
        z = y * x
    assert tape.gradient(z, x).numpy() == 48.0


def test_all_tapes_record_before_one_complains():
    x = tf.Variable(4.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        with pytest.raises(tf.AnomalyError), tf.detect_anomaly():
            tf.log(x - 4.0)
        y = x * x
    assert outer.gradient(y, x).numpy() == inner.gradient(y, x).numpy() == 8.0


def test_observer_leaves_with_the_block():
    tape = tf.GradientTape(persistent=True)
    x = tf.Variable(-1.0)
    with tf.detect_anomaly(), tape:
        y = x * x
    with tape:
        assert tape.observer is None
        z = tf.log(x) + y
    assert np.isnan(z.numpy())
