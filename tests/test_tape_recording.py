"""What a tape records: reads of variables, watched tensors, and everything computed from them."""

import logging

import numpy as np
import pytest

import tapegrad as tf


def slope(function, x, **kwargs):
    """The gradient of function(x), where x is a variable or a tensor that is watched."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x, **kwargs)


def test_operations_outside_the_block_are_not_recorded():
    x = tf.Variable(3.0)
    before = x * x
    with tf.GradientTape(persistent=True) as tape:
        inside = before * x
    after = inside * x
    assert tape.gradient(inside, x).numpy() == 9.0
    assert tape.gradient(before, x) is None
    assert tape.gradient(after, x) is None


def test_tensors_are_not_watched_by_themselves():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None


def test_watching_is_not_retroactive():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(x)
        z = y * x
    assert tape.gradient(z, x).numpy() == 9.0


def test_watching_twice_changes_nothing():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        tape.watch([x, x])
        y = x * x
    assert tape.gradient(y, x).numpy() == 6.0


def test_watching_a_result_that_is_recorded_already():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(y)
        z = y * y
    assert [g.numpy() for g in tape.gradient(z, [x, y])] == [108.0, 18.0]


def test_watching_structures():
    a, b, c = tf.constant(1.0), tf.constant(2.0), tf.Variable(3.0, trainable=False)
    with tf.GradientTape() as tape:
        assert tape.watch({"a": a, "rest": (b, [c])}) is None
        tape.watch([])
        y = a * b * c
    assert tape.gradient(y, [a, b, c]) == [6.0, 3.0, 2.0]


@pytest.mark.parametrize("x", [3.0, np.ones(2), np.float32(1), "text", None, [1.0, 2.0], 3])
def test_only_tensors_and_variables_can_be_watched(x):
    with (
        tf.GradientTape() as tape,
        pytest.raises(ValueError, match=r"Passed in object .* of type '.*', not tf\.Tensor"),
    ):
        tape.watch(x)


def test_message_names_object_and_type():
    with (
        tf.GradientTape() as tape,
        pytest.raises(ValueError, match=r"Passed in object 3\.0 of type 'float', not tf\.Tensor or tf\.Variable"),
    ):
        tape.watch(3.0)


def test_variables_read_while_stopped_are_not_watched():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        with tape.stop_recording():
            y = x * x
        assert tape.watched_variables() == ()
        z = y * 2.0
    assert tape.gradient(z, x) is None


def test_stopping_affects_one_tape():
    x = tf.Variable(3.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        with inner.stop_recording():
            y = x * x
        z = y * x
    assert inner.gradient(z, x).numpy() == 9.0
    assert outer.gradient(z, x).numpy() == 27.0


def test_value_at_the_time_of_reading_counts():
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = v * v
        v.assign(5.0)
    assert tape.gradient(y, v).numpy() == 4.0


def test_all_reads_belong_to_the_same_source():
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        a = 3.0 * v
        v.assign(5.0)
        b = v * v
        y = a + b
    assert tape.gradient(y, v).numpy() == 13.0


def test_value_read_before_an_assignment_stays():
    v = tf.Variable([2.0, 3.0])
    with tf.GradientTape() as tape:
        before = v.read_value()
        v.assign_add([1.0, 1.0])
        v[0].assign(100.0)
        v.scatter_nd_add([[1]], [7.0])
        y = before * before
    np.testing.assert_array_equal(before.numpy(), [2.0, 3.0])
    np.testing.assert_array_equal(tape.gradient(y, v).numpy(), [4.0, 6.0])


def test_assignment_is_a_stop():
    u, v, r = tf.Variable(3.0), tf.Variable(1.0), tf.constant(2.0)
    with tf.GradientTape() as tape:
        v.assign(u * 2.0)
        y = r * v * v
    assert tape.gradient(y, [u, v]) == [None, 24.0]


def test_state_that_is_assigned_is_constant():
    x0, x1 = tf.Variable(3.0), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        x1.assign_add(x0)
        y = x1**2
    assert tape.gradient(y, x0) is None


def test_rebinding_makes_a_tensor():
    x = tf.Variable(2.0)
    found = []
    for _ in range(2):
        with tf.GradientTape() as tape:
            y = x + 1
        found.append((type(x), tape.gradient(y, x)))
        x = x + 1
    assert found == [(tf.Variable, 1.0), (tf.Tensor, None)]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * np.array([2.0, 3.0], np.float32),
        lambda x: np.array([2.0, 3.0], np.float32) * x,
        lambda x: x * [2.0, 3.0],
        lambda x: [2.0, 3.0] * x,
        lambda x: x * (2, 3),
        lambda x: x * tf.constant([2.0, 3.0]),
        lambda x: tf.Variable([2.0, 3.0]) * x,
        lambda x: x * [np.float32(2.0), 3],
    ],
)
@pytest.mark.parametrize("kind", [tf.constant, tf.Variable])
def test_operands_of_every_kind_on_either_side(function, kind):
    gradient = slope(function, kind([1.0, 1.0]))
    assert gradient.dtype == tf.float32
    np.testing.assert_array_equal(gradient.numpy(), [2.0, 3.0])


@pytest.mark.parametrize("scalar", [2, 2.0, np.float32(2.0), np.float64(2.0), np.int64(2), True + 1])
@pytest.mark.parametrize("left", [False, True])
def test_scalars_on_either_side(scalar, left):
    gradient = slope((lambda x: scalar * x) if left else (lambda x: x * scalar), tf.constant(3.0))
    assert gradient.numpy() == 2.0
    assert gradient.dtype == tf.float32


def test_promotion_is_recorded():
    x = tf.constant([1.0, 2.0])
    wide = np.array([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * wide
    assert y.dtype == tf.float64
    gradient = tape.gradient(y, x)
    assert gradient.dtype == tf.float32
    np.testing.assert_array_equal(gradient.numpy(), [3.0, 4.0])


def test_gradient_has_the_dtype_of_the_source_across_casts():
    gradient = slope(lambda x: tf.cast(x, tf.float64) * 2.0, tf.constant(1.0))
    assert gradient.dtype == tf.float32
    assert gradient.numpy() == 2.0


def test_cast_through_integers_cuts():
    assert slope(lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32) * 2.0, tf.constant(1.0)) is None


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64, tf.uint8, tf.bool])
def test_watching_what_carries_no_gradient(dtype, caplog):
    x = tf.cast(tf.constant([1, 0]), dtype)
    with caplog.at_level(logging.WARNING, "tapegrad"), tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(x, tf.float32) * 2.0
    assert f"The dtype of the watched tensor must be floating (e.g. tf.float32), got tf.{dtype.name}" in caplog.text
    assert "3.0" in caplog.text  # the fix
    assert tape.gradient(y, x) is None


def test_integer_variable_has_no_gradient(caplog):
    v = tf.Variable(3)
    with tf.GradientTape() as tape:
        y = tf.cast(v, tf.float32) * 2.0
    with caplog.at_level(logging.WARNING, "tapegrad"):
        assert tape.gradient(y, v) is None
    assert "The dtype of the source tensor must be floating (e.g. tf.float32)" in caplog.text
    assert "got tf.int32" in caplog.text
    assert "dtype=tf.float32" in caplog.text  # the fix


@pytest.mark.parametrize(
    "function",
    [
        tf.floor,
        tf.math.ceil,
        tf.round,
        tf.math.rint,
        tf.argmax,
        lambda x: tf.cast(x > 0.0, tf.float32),
        lambda x: x // 2.0,
    ],
)
def test_piecewise_constant_functions_are_not_differentiable(function):
    x = tf.constant([1.5, -0.5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    assert tape.gradient(y, x) is None


def test_sign_has_slope_zero():
    np.testing.assert_array_equal(slope(tf.sign, tf.constant([1.5, -0.5])).numpy(), [0.0, 0.0])


def test_data_is_copied_in():
    values = np.array([1.0, 2.0])
    x, v = tf.constant(values), tf.Variable(values)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * values * v
        values[:] = 100.0
    np.testing.assert_array_equal(x.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [1.0, 4.0])


@pytest.mark.parametrize(
    "use",
    [
        lambda x, a: x @ a,
        lambda x, a: tf.where([True, False], x, a) * a,
        lambda x, a: tf.concat([x, a], 0) * tf.concat([a, a], 0),
        lambda x, a: tf.tensordot(x, a, 1),
        lambda x, a: tf.pow(x, a),
        lambda x, a: tf.einsum("i,i->", x, a),
    ],
)
def test_changing_an_operand_afterwards_does_not_matter(use):
    x = tf.constant([1.0, 2.0], dtype=tf.float64)
    gradients = []
    for change in (False, True):
        a = np.array([3.0, 4.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = use(x, a)
        if change:
            a[:] = 100.0
        gradients.append(tape.gradient(y, x).numpy())
    np.testing.assert_array_equal(*gradients)


def test_changing_an_index_afterwards_does_not_matter():
    x = tf.constant([1.0, 2.0, 3.0])
    where = np.array([0, 0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.gather(x, where) + x[where]
        where[:] = 2
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [4.0, 0.0, 0.0])


def test_packing_a_list_of_tensors_is_recorded():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = tf.convert_to_tensor([x, x * x, 2.0]) * [1.0, 10.0, 100.0]
    assert tape.gradient(y, x).numpy() == 61.0


def test_reading_through_methods_is_recorded():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        values = [x.read_value(), x.value(), tf.identity(x), tf.convert_to_tensor(x), x[:], +x]
    for value in values:
        np.testing.assert_array_equal(tape.gradient(value, x).numpy(), [1.0, 1.0])


def test_converting_to_numpy_is_not_recorded():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = tf.constant(x.numpy()) * float(x) * 2.0
    assert tape.watched_variables() == ()
    assert tape.gradient(y, x) is None


def test_loops_and_functions():
    x = tf.Variable(1.1)

    def power(x, n):
        result = tf.constant(1.0)
        for _ in range(n):
            result = result * x
        return result

    with tf.GradientTape() as tape:
        y = power(x, 10)
    assert tape.gradient(y, x).numpy() == pytest.approx(10 * 1.1**9, rel=1e-5)
