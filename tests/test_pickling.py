"""Pickles and copies: what a program sends to other processes or writes to disk comes back as it was.

The rule for tensors: a pickle holds the value. Which tapes follow it, and what was recorded, stays behind.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import _native
from tapegrad._ops.elementwise import elementwise
from tapegrad.keras import layers, losses, metrics, optimizers

DUPLICATES: dict[str, Callable[[Any], Any]] = {
    **{f"pickle {k}": lambda x, k=k: pickle.loads(pickle.dumps(x, k)) for k in range(2, pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(params=DUPLICATES)
def duplicate(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return DUPLICATES[request.param]


@pytest.fixture(params=[name for name in DUPLICATES if name != "copy"])
def deep(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return DUPLICATES[request.param]


def cube(x: Any) -> Any:
    return x * x * x


def pair(x: Any, y: Any) -> Any:
    return x * x * y


@tf.custom_gradient
def doubled(x: Any) -> Any:
    return x + 0.0, lambda g: 2.0 * g


@tf.primitive(vjp=lambda g, out, x: 3.0 * g)
def tripled(x: Any) -> Any:
    return x * 1.0


@tf.grad
def decorated(x: Any) -> Any:
    return x * x


class TestTensors:
    @pytest.mark.parametrize("dtype", tf.dtypes.DTYPES, ids=str)
    @pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
    def test_values(self, duplicate: Callable[[Any], Any], dtype: tf.DType, shape: tuple[int, ...]) -> None:
        x = tf.cast(tf.fill(shape, 1), dtype)
        again = duplicate(x)
        assert type(again) is tf.Tensor
        assert (again.dtype, again.shape) == (dtype, shape)
        np.testing.assert_array_equal(again.numpy(), x.numpy())

    def test_a_pickle_of_a_watched_tensor_is_its_value(self, deep: Callable[[Any], Any]) -> None:
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
            again, result = deep(x), deep(y)
            z = again * result
            assert not _native.is_watched(again)
        np.testing.assert_array_equal(result.numpy(), [1.0, 4.0])
        assert tape.gradient(z, [x, again]) == [None, None]
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [2.0, 4.0])

    def test_a_shallow_copy_is_followed(self) -> None:
        """It stays in the program, where nothing may leave a tape without a word."""
        x = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as tape:
            y = copy.copy(x * x) * 3.0
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [6.0, 12.0])

    def test_a_copy_owns_its_memory(self) -> None:
        a = np.ones(3)
        again = pickle.loads(pickle.dumps(tf.from_numpy(a)))
        a[:] = 7.0
        np.testing.assert_array_equal(again.numpy(), 1.0)


class TestVariables:
    def test_what_they_are(self, duplicate: Callable[[Any], Any]) -> None:
        v = tf.Variable([1.0, 2.0], name="weights", trainable=False, dtype=tf.float64)
        again = duplicate(v)
        assert (again.name, again.trainable, again.dtype) == (v.name, False, tf.float64)
        again.assign([3.0, 4.0])
        np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])

    def test_a_copy_is_watched_for_itself(self, deep: Callable[[Any], Any]) -> None:
        v = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            again = deep(v)
            y = v * again * again
        assert [float(g) for g in tape.gradient(y, [v, again])] == [9.0, 18.0]

    def test_one_variable_stays_one(self, deep: Callable[[Any], Any]) -> None:
        v = tf.Variable(3.0)
        first, second = deep([v, v])
        assert first is second


class TestFunctions:
    @pytest.mark.parametrize(
        ("function", "point", "expected"),
        [
            (tf.grad(cube), (2.0,), 12.0),
            (tf.grad(tf.grad(cube)), (2.0,), 12.0),
            (tf.grad(pair, argnum=1), (2.0, 3.0), 4.0),
            (tf.value_and_grad(cube), (2.0,), (8.0, 12.0)),
            (tf.elementwise_grad(cube), (np.array([1.0, 2.0]),), [3.0, 12.0]),
            (tf.jacobian(cube), (np.array([2.0]),), [[12.0]]),
            (tf.hessian(cube), (2.0,), 12.0),
            (tf.hvp(cube), (2.0, 3.0), 36.0),
            (tf.grad(doubled), (5.0,), 2.0),
            (tf.grad(tripled), (5.0,), 3.0),
            (tf.recompute_grad(cube), (2.0,), 8.0),
            (tf.grad(tf.exp), (0.0,), 1.0),
            (tf.grad(np.exp), (0.0,), 1.0),
            (decorated, (2.0,), 4.0),
        ],
        ids=lambda value: repr(value)[:50] if callable(value) else None,
    )
    def test_derivatives(
        self, duplicate: Callable[[Any], Any], function: Callable[..., Any], point: tuple[Any, ...], expected: Any
    ) -> None:
        for f in (function, duplicate(function)):
            np.testing.assert_allclose(np.asarray(f(*point), dtype=float), expected)

    @pytest.mark.parametrize("name", sorted(vars(elementwise)))
    def test_elementwise_functions_are_found_by_name(self, deep: Callable[[Any], Any], name: str) -> None:
        function = getattr(tf, name)
        assert deep(function) is function

    def test_solvers(self, deep: Callable[[Any], Any]) -> None:
        f = deep(tf.implicit_solve(residual, solve=np.cbrt))
        assert tf.grad(f)(8.0) == pytest.approx(1.0 / 12.0)

    def test_lambdas_are_refused_by_pickle(self) -> None:
        with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
            pickle.dumps(tf.grad(lambda x: x * x))


def residual(x: Any, a: Any) -> Any:
    return x * x * x - a


class TestTapes:
    @pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_they_stay_where_they_are(self, duplicate: Callable[[Any], Any]) -> None:
        with pytest.raises(TypeError, match=r"GradientTape cannot be pickled or copied.*gradient"):
            duplicate(tf.GradientTape())

    def test_pullbacks_hold_one(self) -> None:
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(tf.vjp(cube, 2.0)[1])

    def test_accumulators(self) -> None:
        with pytest.raises(TypeError, match="cannot"):
            pickle.dumps(tf.autodiff.ForwardAccumulator(tf.constant(1.0), tf.constant(1.0)))


def network() -> tf.keras.Sequential:
    return tf.keras.Sequential(
        [
            layers.Conv2D(2, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(4, activation=tf.nn.tanh),
            layers.Dense(2),
        ]
    )


class TestTraining:
    IMAGES = np.linspace(0.0, 1.0, 128, dtype=np.float32).reshape(2, 8, 8, 1)
    LABELS = np.array([0, 1])

    def step(self, model: Any, optimizer: Any) -> float:
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        with tf.GradientTape() as tape:
            value = loss(self.LABELS, model(self.IMAGES))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return float(value)

    @pytest.mark.parametrize("make", [optimizers.SGD, optimizers.Adam, optimizers.RMSprop, optimizers.Adagrad])
    def test_training_goes_on_as_if_nothing_had_happened(self, deep: Callable[[Any], Any], make: Any) -> None:
        tf.random.set_seed(3)
        model, optimizer = network(), make(0.05)
        for _ in range(2):
            self.step(model, optimizer)
        again, also = deep((model, optimizer))
        there = [self.step(again, also) for _ in range(3)]
        here = [self.step(model, optimizer) for _ in range(3)]
        assert here == there
        assert len(set(here)) == 3
        for v, w in zip(model.trainable_variables, again.trainable_variables, strict=True):
            assert v is not w
            np.testing.assert_array_equal(v.numpy(), w.numpy())

    def test_layers_before_they_are_built(self, deep: Callable[[Any], Any]) -> None:
        layer = deep(layers.Dense(3, kernel_initializer="ones"))
        np.testing.assert_array_equal(layer(np.ones((1, 2), np.float32)).numpy(), 2.0)

    def test_modules(self, deep: Callable[[Any], Any]) -> None:
        module = tf.Module()
        module.weights = [tf.Variable(2.0), {"b": tf.Variable(3.0)}]  # type: ignore[attr-defined]
        assert [float(v) for v in deep(module).trainable_variables] == [2.0, 3.0]

    def test_losses_and_metrics(self, deep: Callable[[Any], Any]) -> None:
        mean = metrics.Mean()
        mean.update_state([1.0, 3.0])
        again = deep(mean)
        again.update_state([8.0])
        assert (float(mean.result()), float(again.result())) == (2.0, 4.0)
        assert float(deep(losses.MeanSquaredError())([1.0], [3.0])) == 4.0


def test_errors(deep: Callable[[Any], Any]) -> None:
    error = deep(tf.errors.InvalidArgumentError("wrong"))
    assert isinstance(error, tf.errors.InvalidArgumentError)
    assert "wrong" in str(error)
