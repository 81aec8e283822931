"""`tapegrad.extend`, as a library uses it; its ufuncs beside those of Numba and SciPy."""

from __future__ import annotations

import inspect
import math
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special

import tapegrad as tf
from tapegrad import extend
from tapegrad._native import IMPLEMENTATIONS, UFUNC_OPERATIONS, Loop, own
from tapegrad._ops import registered
from tapegrad.testing import check_grads

X = np.array([[0.5, -1.0, 1.5], [2.0, 0.7, -0.4]])


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    tables: list[dict[Any, Any]] = [IMPLEMENTATIONS, UFUNC_OPERATIONS, registered._REGISTERED]
    kept = [dict(table) for table in tables]
    yield
    for table, before in zip(tables, kept, strict=True):
        table.clear()
        table.update(before)


scaled = extend.structural(
    "scaled",
    forward=lambda a, b, *, factor: a * b * factor,
    a=lambda g, b, factor: g * b * factor,
    b=lambda g, a, factor: g * a * factor,
)

halves = extend.linear(
    "halves",
    forward=lambda a, *, axis: np.split(a, 2, axis)[0],
    transpose=lambda g, axis: np.concatenate([g, 0 * g], axis),
    axes="axis",
)


class TestOperations:
    def test_structural(self) -> None:
        check_grads(lambda a, b: scaled(a, b, factor=3.0), (X, X + 1.0))

    def test_linear(self) -> None:
        check_grads(lambda a: halves(a, axis=0), (X,))

    def test_what_they_are_recorded_by(self) -> None:
        assert isinstance(scaled.rule, extend.Rule)  # type: ignore[attr-defined]
        assert not isinstance(scaled.rule, extend.LinearRule)  # type: ignore[attr-defined]
        assert scaled.rule.saved_names == ["a", "b", "factor"]  # type: ignore[attr-defined]
        assert isinstance(halves.rule, extend.LinearRule)  # type: ignore[attr-defined]
        assert halves.rule.operation is halves  # type: ignore[attr-defined]

    def test_they_can_be_pickled(self) -> None:
        assert pickle.loads(pickle.dumps(scaled)) is scaled
        assert pickle.loads(pickle.dumps(tf.grad(scaled)))(2.0, 3.0, factor=2.0) == 6.0

    def test_the_public_names(self) -> None:
        aliases = {"Operation", "TensorLike"}  # of types
        for name in set(extend.__all__) - aliases:
            assert inspect.getdoc(getattr(extend, name)), name


def energy(x: Any) -> Any:
    """A library's function, which hands itself to what is no array."""
    if isinstance(x, np.ndarray):
        return float(x @ x)
    return x.__array_function__(energy, (type(x),), (x,), {})


class TestImplements:
    def test_a_librarys_function(self) -> None:
        with pytest.raises(TypeError, match="no derivative rule"):
            tf.grad(energy)(np.ones(2))
        extend.implements(energy)(lambda x: tf.reduce_sum(x * x))
        np.testing.assert_array_equal(tf.grad(energy)(np.array([1.0, 3.0])), [2.0, 6.0])

    def test_numpys_functions_are_taken(self) -> None:
        with pytest.raises(ValueError, match=r"in place of numpy.sinc already; pass replace=True"):
            extend.implements(np.sinc)

    def test_replacing(self) -> None:
        extend.implements("sinc", "not_in_this_numpy", replace=True)(lambda x: tf.identity(x) * 7.0)
        assert float(np.sinc(tf.constant(1.0))) == 7.0

    @pytest.mark.parametrize("wrong", [np.sin, 3])
    def test_what_is_not_dispatched(self, wrong: Any) -> None:
        with pytest.raises(TypeError, match=r"not dispatched by __array_function__; see register_ufunc"):
            extend.implements(wrong)


class TestLoops:
    """The core runs the inner loops of registered ufuncs."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("shapes", [((), ()), ((3,), ()), ((2, 1), (3,)), ((0, 2), (2,)), ((40_000,), (40_000,))])
    def test_values_are_the_ufuncs(self, dtype: Any, shapes: Any, rng: np.random.Generator) -> None:
        loop = Loop(scipy.special.xlogy, dtype)
        x, y = (rng.uniform(0.5, 2.0, shape).astype(dtype) for shape in shapes)
        result = loop(own(x), own(y)).numpy()
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, scipy.special.xlogy(x, y))

    def test_strided_operands(self) -> None:
        loop = Loop(scipy.special.expit, np.float64)
        x = np.arange(12.0).reshape(3, 4)[:, ::2]
        np.testing.assert_array_equal(loop(own(x)).numpy(), scipy.special.expit(x))

    @pytest.mark.parametrize(
        ("ufunc", "dtype"),
        [
            (scipy.special.expit, np.float16),
            (scipy.special.wofz, np.float64),
            (scipy.special.hyp2f1, np.float64),
            (scipy.special.sici, np.float64),
            (np.frompyfunc(lambda x: x, 1, 1), np.float64),
        ],
        ids=["float16", "complex", "four operands", "two results", "objects"],
    )
    def test_what_the_core_cannot_run(self, ufunc: Any, dtype: Any) -> None:
        with pytest.raises(TypeError, match="has no native loop"):
            Loop(ufunc, dtype)

    def test_wrong_operands(self) -> None:
        loop = Loop(scipy.special.xlogy, np.float64)
        x = tf.constant([1.0, 2.0], tf.float64)
        with pytest.raises(TypeError, match="takes 2 operands, got 1"):
            loop(x)
        with pytest.raises(TypeError, match="operand 1 is no tensor of the loop's type"):
            loop(x, tf.constant(1.0))
        with pytest.raises(ValueError, match=r"xlogy: operands of shapes \(2,\), \(3,\)"):
            loop(x, tf.ones(3, tf.float64))

    def test_errors_that_a_loop_raises(self) -> None:
        f = tf.register_ufunc(scipy.special.gammaln, ["digamma(x)"], names={"digamma": tf.math.digamma}, replace=True)
        with scipy.special.errstate(all="raise"), pytest.raises(scipy.special.SpecialFunctionError):
            f(tf.constant(-1.0, tf.float64))

    def test_long_arrays_let_other_threads_run(self) -> None:
        """Many threads at once give what one gives."""
        f = tf.register_ufunc(scipy.special.expit, ["expit(x) * expit(-x)"], replace=True)
        x = tf.constant(np.linspace(-5.0, 5.0, 100_000))
        expected, results = scipy.special.expit(x.numpy()), []
        threads = [threading.Thread(target=lambda: results.append(f(x).numpy())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            np.testing.assert_array_equal(result, expected)
        assert len(results) == 8


@pytest.fixture(scope="module")
def numba() -> Any:
    try:
        import numba
    except ImportError as error:
        pytest.skip(f"Numba cannot be used here: {error}")
    return numba


class TestNumba:
    """Ufuncs that Numba compiles; it is not needed otherwise, and may be late for a new NumPy."""

    def test_of_given_types(self, numba: Any) -> None:
        @numba.vectorize(["float32(float32)", "float64(float64)"])
        def soft(x: float) -> float:
            return math.log1p(math.exp(x))

        f = extend.register_ufunc(soft, ["sigmoid(x)"])
        check_grads(f, (X,))
        check_grads(soft, (X,))
        assert Loop(soft.ufunc, np.float64)(own(np.zeros(1))).numpy() == pytest.approx(math.log(2.0))
        assert f(tf.constant([0.0], tf.float32)).dtype == tf.float32

    def test_of_two_operands(self, numba: Any) -> None:
        @numba.vectorize(["float64(float64, float64)"])
        def kernel(x: float, y: float) -> float:
            return math.exp(-x * x * y)

        extend.register_ufunc(kernel, ["-2.0 * x * y * out", "-x * x * out"])
        check_grads(kernel, (X, np.array([0.5, 1.0, 2.0])))
        assert tf.grad(kernel)(1.0, 2.0) == pytest.approx(-4.0 * math.exp(-2.0))

    def test_compiled_when_called(self, numba: Any) -> None:
        @numba.vectorize
        def square(x: float) -> float:
            return x * x

        f = extend.register_ufunc(square, ["2.0 * x"])
        assert f(tf.constant(3.0, tf.float32)).dtype == tf.float32
        assert f(tf.constant(3.0, tf.float64)).dtype == tf.float64
        check_grads(square, (X,))

    def test_errors(self, numba: Any) -> None:
        @numba.vectorize(["float64(float64)"])
        def inverse(x: float) -> float:
            if x == 0.0:
                raise ValueError("no inverse")
            return 1.0 / x

        f = extend.register_ufunc(inverse, ["-out * out"])
        with pytest.raises(ValueError, match="no inverse"):
            f(tf.constant([1.0, 0.0], tf.float64))
        assert f(2.0).numpy() == 0.5
