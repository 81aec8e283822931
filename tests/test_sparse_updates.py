"""Updates of some rows: variables and optimizers that take `IndexedSlices`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

optimizers = tf.keras.optimizers

ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
DENSE = np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [0.0, 0.0]])
OTHER = np.arange(8.0).reshape(4, 2)


def slices() -> tf.IndexedSlices:
    """What is `DENSE` as a whole."""
    return tf.IndexedSlices(ROWS, [2, 0, 2], (4, 2))


class TestVariables:
    @pytest.mark.parametrize(
        ("method", "ufunc"),
        [
            ("scatter_add", np.add),
            ("scatter_sub", np.subtract),
            ("scatter_mul", np.multiply),
            ("scatter_div", np.divide),
            ("scatter_max", np.maximum),
            ("scatter_min", np.minimum),
        ],
    )
    def test_scatters(self, method: str, ufunc: np.ufunc) -> None:
        v, expected = tf.Variable(OTHER), OTHER.copy()
        assert getattr(v, method)(slices(), use_locking=True, name="n") is v
        ufunc.at(expected, [2, 0, 2], ROWS)
        np.testing.assert_array_equal(v, expected)

    @pytest.mark.parametrize(("method", "ufunc"), [("scatter_nd_max", np.maximum), ("scatter_nd_min", np.minimum)])
    def test_extrema_at_positions(self, method: str, ufunc: np.ufunc) -> None:
        v, expected = tf.Variable(OTHER), OTHER.copy()
        assert getattr(v, method)([[2, 1], [0, 0], [2, 1]], [4.0, 4.0, 9.0]) is v
        ufunc.at(expected, ([2, 0, 2], [1, 0, 1]), [4.0, 4.0, 9.0])
        np.testing.assert_array_equal(v, expected)

    def test_update(self) -> None:
        v = tf.Variable(OTHER)
        v.scatter_update(slices())
        expected = OTHER.copy()
        expected[[2, 0, 2]] = ROWS
        np.testing.assert_array_equal(v, expected)

    def test_whole_assignments(self) -> None:
        v = tf.Variable(OTHER)
        v.assign_sub(slices())
        np.testing.assert_array_equal(v, OTHER - DENSE)

    def test_scatters_are_not_recorded_and_keep_what_a_tape_saved(self) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape() as tape:
            y = v * v
            v.scatter_add(slices())
        np.testing.assert_array_equal(tape.gradient(y, v), 2 * OTHER)

    @pytest.mark.parametrize(
        ("delta", "kind", "message"),
        [
            (ROWS, TypeError, "sparse_delta is not IndexedSlices"),
            (tf.IndexedSlices(np.ones((1, 3)), [0]), ValueError, r"updates have shape \(1, 2\), but .* \(1, 3\)"),
            (tf.IndexedSlices(np.ones((1, 2), np.float32), [0]), ValueError, "float64 for Tensor with dtype float32"),
            (tf.IndexedSlices(np.ones((1, 2)), [4]), IndexError, "4"),
        ],
    )
    def test_what_does_not_fit(self, delta: Any, kind: type[Exception], message: str) -> None:
        v = tf.Variable(OTHER)
        with pytest.raises(kind, match=message):
            v.scatter_add(delta)
        np.testing.assert_array_equal(v, OTHER)

    def test_reads(self) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(v.sparse_read([2, 0, 2]) * ROWS) + tf.reduce_sum(v.gather_nd([[1, 1]]))
        np.testing.assert_array_equal(v.sparse_read([[1]]), OTHER[[[1]]])
        expected = DENSE.copy()
        expected[1, 1] += 1.0
        np.testing.assert_array_equal(tf.convert_to_tensor(tape.gradient(y, v)), expected)


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: optimizers.SGD(0.1),
    "SGD with momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "SGD, nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": lambda: optimizers.Adam(0.1),
    "Adam, amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True),
    "RMSprop": lambda: optimizers.RMSprop(0.1),
    "RMSprop, centered with momentum": lambda: optimizers.RMSprop(0.1, centered=True, momentum=0.5),
    "Adagrad": lambda: optimizers.Adagrad(0.1),
}
# The rows of the gradients of successive steps of a table with 40: repeated, none, most of them, few again.
STEPS = [[1, 1, 2], [0, 2], [], [1, 5, 1], [39, 2], list(range(6, 35)), [2, 39]]


class TestOptimizers:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_a_step_is_that_of_the_whole_gradient(self, name: str, dtype: str) -> None:
        rng = np.random.default_rng(0)
        sparse, whole = OPTIMIZERS[name](), OPTIMIZERS[name]()
        start = rng.normal(size=(40, 3)).astype(dtype)
        x, y = tf.Variable(start), tf.Variable(start)
        for rows in STEPS:
            gradient = tf.IndexedSlices(rng.normal(size=(len(rows), 3)).astype(dtype), np.array(rows, int), (40, 3))
            sparse.apply_gradients([(gradient, x)])
            whole.apply_gradients([(gradient.to_dense(), y)])
            np.testing.assert_array_equal(x, y)
        assert int(sparse.iterations) == len(STEPS)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_slices_and_whole_gradients_alternate(self, name: str) -> None:
        rng = np.random.default_rng(1)
        sparse, whole = OPTIMIZERS[name](), OPTIMIZERS[name]()
        x, y = tf.Variable(np.ones((20, 2))), tf.Variable(np.ones((20, 2)))
        for step in range(6):
            gradient = tf.IndexedSlices(rng.normal(size=(2, 2)), rng.integers(0, 20, 2), (20, 2))
            sparse.apply_gradients([(gradient.to_dense() if step == 2 else gradient, x)])
            whole.apply_gradients([(gradient.to_dense(), y)])
        np.testing.assert_array_equal(x, y)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_rows_that_do_not_move_are_not_computed(self, name: str) -> None:
        """Not even a NaN in them matters."""
        optimizer = OPTIMIZERS[name]()
        start = np.ones((9, 2))
        start[4] = np.nan
        x = tf.Variable(start)
        seen: list[int] = []
        step = optimizer._step
        optimizer._step = lambda gradient, *rest: seen.append(gradient.shape[0]) or step(gradient, *rest)
        for rows in ([1], [2], [1]):
            optimizer.apply_gradients([(tf.IndexedSlices(np.ones((1, 2)), rows, (9, 2)), x)])
        remembers = name not in ("SGD", "Adagrad")
        assert seen == ([1, 2, 2] if remembers else [1, 1, 1])
        unchanged = [0, 3, 4, 5, 6, 7, 8]
        np.testing.assert_array_equal(x.numpy()[unchanged], start[unchanged])
        assert (x.numpy()[[1, 2]] < 1.0).all()

    def test_copies_go_on_alike(self) -> None:
        optimizer, x = optimizers.Adam(0.1), tf.Variable(np.ones((9, 2)))
        gradient = tf.IndexedSlices(np.ones((1, 2)), [3], (9, 2))
        optimizer.apply_gradients([(gradient, x)])
        copied, y = copy.deepcopy((optimizer, x))
        for each, variable in ((optimizer, x), (copied, y)):
            each.apply_gradients([(tf.IndexedSlices(np.ones((1, 2)), [5], (9, 2)), variable)])
        np.testing.assert_array_equal(x, y)
        assert x.numpy()[3, 0] < 0.9

    def test_the_shape_may_be_unknown_and_the_type_another(self) -> None:
        x = tf.Variable(tf.ones((3, 2)))
        optimizers.SGD(1.0).apply_gradients([(tf.IndexedSlices(np.ones((1, 2)), [1]), x)])
        assert x.numpy().tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]

    @pytest.mark.parametrize(
        ("gradient", "kind", "message"),
        [
            (
                tf.IndexedSlices(ROWS, [0, 1, 2], (5, 2)),
                ValueError,
                r"variable 'x:0' has shape \(5, 2\), but .* \(4, 2\)",
            ),
            (tf.IndexedSlices(np.ones((1, 3)), [0]), ValueError, r"'x:0' has shape \(4, 3\)"),
            (tf.IndexedSlices(ROWS, [0, 1, 4]), IndexError, r"'x:0' of shape \(4, 2\) has rows from 0 to 4"),
            (tf.IndexedSlices(ROWS, [0, 1, -1]), IndexError, "rows from -1 to 1"),
        ],
    )
    def test_messages_leave_everything_as_it_was(self, gradient: Any, kind: type[Exception], message: str) -> None:
        optimizer, x, y = optimizers.SGD(1.0), tf.Variable(OTHER, name="x"), tf.Variable(1.0)
        with pytest.raises(kind, match=message):
            optimizer.apply_gradients([(tf.constant(1.0), y), (gradient, x)])
        assert float(y) == 1.0
        assert int(optimizer.iterations) == 0
        np.testing.assert_array_equal(x, OTHER)

    @pytest.mark.parametrize("name", OPTIMIZERS)
    def test_training_an_embedding(self, name: str) -> None:
        ids, targets = np.array([[0, 3], [3, 2]]), np.arange(12.0).reshape(2, 2, 3)

        def train(look_up: Callable[[Any], Any]) -> Any:
            optimizer, table = OPTIMIZERS[name](), tf.Variable(np.ones((9, 3)))
            for _ in range(5):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum((look_up(table) - targets) ** 2)
                optimizer.apply_gradients([(tape.gradient(loss, table), table)])
            return table

        np.testing.assert_array_equal(train(lambda table: tf.gather(table, ids)), train(lambda table: table[ids]))
