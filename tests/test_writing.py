"""Writing to tensors: values, types and gradients against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops.indexing import Selection
from tapegrad.testing import check_grads

X = np.random.default_rng(3).permutation(60).reshape(3, 4, 5) / 7.0
MASK = X > 4.0

KEYS: dict[str, Any] = {
    "integer": 1,
    "NumPy integer": np.int64(-1),
    "integers": (1, -1, 2),
    "slices": (slice(None), slice(3, 0, -1), slice(1, None, 2)),
    "newaxis and ellipsis": (None, ..., 0, None),
    "ellipsis": ...,
    "empty slice": slice(2, 2),
    "list": [2, 0],
    "empty list": [],
    "integer array": np.array([[2], [0]]),
    "two arrays": (np.array([0, 2, 1]), np.array([1, 3, 1])),
    "arrays broadcast": (np.array([[0], [2]]), slice(None), np.array([1, 4])),
    "arrays apart": ([0, 2], slice(1, 3), [4, 0]),
    "array and integer apart": (0, slice(None), [1, 3]),
    "integer after array and slice": ([2, 0], slice(1, 3), 1),
    "array and newaxis": (None, [1, 2], ..., None),
    "mask": MASK,
    "mask of some axes": MASK[:, :, 0],
    "slice and mask": (slice(None), np.array([True, False, True, True]), slice(1, 2)),
    "mask and array apart": (np.array([True, False, True]), slice(2), [0, 1]),
    "boolean scalar": True,
}
REPEATING: dict[str, Any] = {
    "list": [2, 0, 2],
    "rows": (np.array([[0, 1], [1, 0]]), np.array([3, 3])),
    "arrays apart": ([2, 2, 0], slice(None), [1, 1, 1]),
    "negative": ([0, -3], [1, 1], [0, 0]),
}


def numpy_set(x: np.ndarray, key: Any, value: Any) -> np.ndarray:
    x = x.copy()
    x[key] = value
    return x


def values_for(key: Any) -> list[np.ndarray]:
    """Values that fit what the key selects: whole, broadcast, with further axes in front, one number."""
    rng = np.random.default_rng(4)
    shape = X[key].shape
    full = np.asarray(rng.normal(size=shape))
    return [full, full[:1], full[..., :1], np.asarray(rng.normal())] if full.ndim and full.size else [np.asarray(0.5)]


@pytest.mark.parametrize("name", KEYS)
def test_values_and_gradients(name: str) -> None:
    key = KEYS[name]
    for value in values_for(key):
        x = tf.constant(X)
        x[key] = value
        np.testing.assert_array_equal(x, numpy_set(X, key, value), strict=True)
        np.testing.assert_array_equal(tf.constant(X).at[key].set(value), x, strict=True)

        def program(x: Any, value: Any) -> Any:
            y = x * x
            y[key] = value * value
            return y * y

        check_grads(program, (X, value), order=2)


@pytest.mark.parametrize("name", REPEATING)
def test_the_last_of_several_values_counts(name: str) -> None:
    key = REPEATING[name]
    for value in values_for(key):
        np.testing.assert_array_equal(tf.constant(X).at[key].set(value), numpy_set(X, key, value), strict=True)
        check_grads(lambda x, value: (x * x).at[key].set(value * value) ** 2, (X, value), order=2)


def test_gradient_of_a_value_that_did_not_stay_is_zero() -> None:
    x, value = tf.zeros(3), tf.constant([1.0, 2.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(value)
        y = x.at[[1, 0, 1]].set(value)
    assert tape.gradient(y, value).numpy().tolist() == [0.0, 1.0, 1.0]


UFUNCS: dict[str, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
}


@pytest.mark.parametrize("key", [*KEYS.values(), *REPEATING.values()], ids=[*KEYS, *(f"{k}, twice" for k in REPEATING)])
@pytest.mark.parametrize("method", UFUNCS)
def test_every_value_is_applied(method: str, key: Any) -> None:
    start = X + 0.25  # away from ties with the values
    for value in values_for(key):
        value = np.abs(value) + 0.5
        expected = start.copy()
        if key is ...:
            expected[...] = UFUNCS[method](start, value)
        else:
            UFUNCS[method].at(expected, key, value)
        result = getattr(tf.constant(start).at[key], method)(value)
        np.testing.assert_allclose(result, expected, rtol=1e-14, strict=True)


@pytest.mark.parametrize("key", [KEYS["arrays apart"], KEYS["mask"], (1, slice(2)), *REPEATING.values()])
@pytest.mark.parametrize("method", UFUNCS)
def test_gradients_of_applied_values(method: str, key: Any) -> None:
    value = np.abs(values_for(key)[0]) + 0.5
    check_grads(lambda x, value: getattr((x * x).at[key], method)(value), (X / 4 + 0.6, value), order=2, rtol=1e-4)


def test_apply_and_get() -> None:
    x = tf.constant(X)
    np.testing.assert_array_equal(x.at[1:, 2].get(), X[1:, 2])
    np.testing.assert_array_equal(x.at[1:, 2].apply(tf.square), numpy_set(X, (slice(1, None), 2), X[1:, 2] ** 2))
    twice = tf.constant([2.0, 3.0]).at[[0, 0, 1]].apply(lambda element: element * element)
    assert twice.numpy().tolist() == [16.0, 9.0]
    check_grads(lambda x: x.at[[0, 0, 1]].apply(tf.square), (np.array([2.0, 3.0]),), order=2)


def test_augmented_writes() -> None:
    def program(x: Any, v: Any) -> Any:
        y = x * 1.0
        y[0] += v[:5]
        y[y > 5.0] *= 2.0
        y[:, 1] **= 2
        y[..., 0] -= v[0]
        return y

    y, v = X.copy(), np.arange(5.0)
    y[0] += v
    y[y > 5.0] *= 2.0
    y[:, 1] **= 2
    y[..., 0] -= v[0]
    np.testing.assert_array_equal(program(tf.constant(X), tf.constant(v)), y, strict=True)
    check_grads(program, (X, v), order=2)


def test_repeated_reads_and_writes_take_the_last_as_in_numpy() -> None:
    x = tf.constant([1.0, 2.0])
    x[[0, 0]] += [10.0, 20.0]
    assert x.numpy().tolist() == [21.0, 2.0]


def test_a_recurrence_in_a_loop() -> None:
    def program(a: Any) -> Any:
        x = tf.zeros(12, tf.float64)
        x[0] = 1.0
        for i in range(1, 12):
            x[i] = x[i - 1] * a
        return tf.reduce_sum(x)

    a = tf.constant(1.1, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(a)
        total = program(a)
    assert float(tape.gradient(total, a)) == pytest.approx(sum(i * 1.1 ** (i - 1) for i in range(12)), rel=1e-14)
    check_grads(program, (np.float64(1.1),), order=2)


def test_nested_tapes() -> None:
    x = tf.Variable([1.0, 2.0, 3.0], dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x**3
            y[1] = x[0] * x[2] ** 2
            total = tf.reduce_sum(y * y)
        first = inner.gradient(total, x)
        first[0] *= 2.0  # a gradient can be written to, and what is written is recorded
    # total = x0**6 + (x0 * x2**2)**2 + x2**6 at x0 = 1, x2 = 3
    np.testing.assert_allclose(first, [2 * (6 + 2 * 81), 0.0, 4 * 27 + 6 * 243])
    np.testing.assert_allclose(
        outer.gradient(first, x), [2 * (30 + 2 * 81) + 8 * 27, 0.0, 2 * 8 * 27 + 12 * 9 + 30 * 81]
    )


class TestTypes:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128", "int8", "bool"])
    @pytest.mark.parametrize(
        "value", [1, True, 2.75, np.float32(0.1), np.float64(0.1), [1, 0], np.array([2, 0], np.int16)]
    )
    def test_values_are_cast_as_in_numpy(self, dtype: str, value: Any) -> None:
        start = np.ones(2, dtype)
        x = tf.constant(start)
        x[:] = value
        np.testing.assert_array_equal(x, numpy_set(start, slice(None), value), strict=True)

    def test_python_floats_are_exact(self) -> None:
        x = tf.zeros(1, tf.float64)
        x[0] = 0.1
        assert x.numpy()[0] == 0.1
        assert x.at[0].add(0.2).numpy()[0] == 0.1 + 0.2
        assert x.at[0].multiply(0.7).numpy()[0] == 0.1 * 0.7

    @pytest.mark.parametrize("wide", [tf.float64, tf.float32])
    def test_casts_are_recorded(self, wide: Any) -> None:
        x = tf.constant([1.0, 2.0], tf.float16)
        value = tf.constant(3.0, wide)
        with tf.GradientTape() as tape:
            tape.watch(value)
            x[0] = value * 2.0
            y = x * x
        gradient = tape.gradient(y, value)
        assert gradient.dtype is wide
        assert float(gradient) == 24.0

    def test_real_into_complex(self) -> None:
        check_grads(lambda x, v: x.at[0].set(v), (np.array([1.0 + 2.0j, 3.0j]), np.float64(0.5)), order=2)

    def test_complex(self) -> None:
        x, v = np.array([1.0 + 2.0j, 3.0j, -1.0]), np.array([2.0 - 1.0j, 0.5j])
        check_grads(lambda x, v: (x * x).at[[2, 2]].multiply(v) + x.at[:2].set(v * v), (x, v), order=2)

    @pytest.mark.parametrize("value", [1j, [1j], np.array([1.0 + 0.0j]), tf.constant(1j)])
    def test_complex_into_real(self, value: Any) -> None:
        x = tf.constant([1.0, 2.0])
        with pytest.raises(TypeError, match="Complex values cannot be written to float32 elements"):
            x[:1] = value
        assert x.numpy().tolist() == [1.0, 2.0]

    @pytest.mark.parametrize("dtype", [tf.int32, tf.bool])
    def test_watched_values_into_what_has_no_derivative(self, dtype: Any) -> None:
        x, value = tf.zeros(2, dtype), tf.constant(1.5)
        with tf.GradientTape() as tape:
            tape.watch(value)
            with pytest.raises(TypeError, match=r"watched float32 value .* its gradient would be lost"):
                x[0] = value
            x[1] = value.numpy()
        assert x.numpy().tolist() == [0, 1]

    def test_a_list_of_tensors(self) -> None:
        def program(a: Any, b: Any) -> Any:
            x = tf.zeros((2, 2), tf.float64)
            x[1] = [a * b, 3.0]
            return x * x

        check_grads(program, (np.float64(2.0), np.float64(5.0)), order=2)

    @pytest.mark.parametrize("method", ["add", "multiply", "max"])
    def test_updates_of_another_kind(self, method: str) -> None:
        with pytest.raises(TypeError, match=f"{method}: the result would be of type float64, which int32 elements"):
            getattr(tf.constant([1, 2]).at[0], method)(1.5)
        with pytest.raises(TypeError, match=f"{method}: the result would be of type complex128"):
            getattr(tf.constant([1.0, 2.0]).at[0], method)(1j)

    def test_quotients_of_integers(self) -> None:
        with pytest.raises(TypeError, match="divide: the result would be of type float64"):
            tf.constant([4, 2]).at[0].divide(2)


class TestShapes:
    def test_without_dimensions(self) -> None:
        x = tf.constant(1.0)
        x[()] = 2.0
        x[...] += 1.0
        assert x.shape == ()
        assert float(x) == 3.0
        check_grads(lambda x, v: x.at[()].set(v * v) * 3.0, (np.float64(1.0), np.float64(2.0)), order=2)

    def test_empty(self) -> None:
        x = tf.zeros((0, 3))
        x[:, 1] = 5.0
        x[[]] = 1.0
        assert x.shape == (0, 3)

    def test_strided_and_broadcast(self) -> None:
        x = tf.transpose(tf.constant(X[0]))
        x[1] = 0.0
        y = tf.broadcast_to(tf.constant([1.0, 2.0]), (3, 2))
        y[1, 0] = 9.0
        np.testing.assert_array_equal(x, numpy_set(X[0].T, 1, 0.0))
        assert y.numpy().tolist() == [[1.0, 2.0], [9.0, 2.0], [1.0, 2.0]]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (slice(2), np.ones(3)),
            (0, np.ones(2)),
            (0, [1.0]),
            ([0, 1], np.ones((3, 1))),
            (np.array([True, True, False]), np.ones(3)),
        ],
    )
    def test_values_that_do_not_fit(self, key: Any, value: Any) -> None:
        x = tf.constant([1.0, 2.0, 3.0])
        with pytest.raises(ValueError):  # noqa: PT011 - NumPy's texts
            np.zeros(3)[key] = value
        with pytest.raises(ValueError, match="setitem: "):
            x[key] = value
        assert x.numpy().tolist() == [1.0, 2.0, 3.0]

    @pytest.mark.parametrize("key", [3, (0, 0), [0, 3], np.array([True, False]), (slice(None), [0])])
    def test_keys_out_of_range(self, key: Any) -> None:
        x = tf.constant([1.0, 2.0, 3.0])
        with pytest.raises(IndexError):
            x[key] = 0.0
        with pytest.raises(IndexError):
            x.at[key].multiply(2.0)
        assert x.numpy().tolist() == [1.0, 2.0, 3.0]

    @pytest.mark.parametrize("key", ["a", 1.0, [0.5], (0, 2.0)])
    def test_bad_keys(self, key: Any) -> None:
        with pytest.raises(TypeError, match="Only integers, slices"):
            tf.constant(X)[key] = 0.0


@pytest.mark.parametrize("name", [name for name in KEYS if isinstance(KEYS[name], tuple | list | np.ndarray)])
@pytest.mark.parametrize("lead", [(2,), (2, 3)])
def test_selections_of_stacks(name: str, lead: tuple[int, ...]) -> None:
    """`Selection` treats each array of a stack as it treats one."""
    key = KEYS[name]
    key = tuple(
        np.asarray(part) if isinstance(part, list) else part for part in (key if type(key) is tuple else (key,))
    )
    key = tuple(part.astype(np.intp) if isinstance(part, np.ndarray) and not part.size else part for part in key)
    for repeats in (None, True):
        at = Selection(key, X.shape, repeats)
        stack = np.random.default_rng(5).normal(size=(*lead, *X.shape))
        rows = stack.reshape(-1, *X.shape)
        chosen = at.of(stack)
        assert chosen.shape == (*lead, *at.selected)
        each = np.array([at.of(row) for row in rows])
        np.testing.assert_array_equal(chosen, each.reshape(chosen.shape))
        np.testing.assert_array_equal(at.without(stack).reshape(rows.shape), [at.without(row) for row in rows])
        scattered = at.scattered(chosen)
        assert scattered.shape == stack.shape
        np.testing.assert_array_equal(
            scattered.reshape(rows.shape), [at.scattered(np.asarray(at.of(row))) for row in rows]
        )
