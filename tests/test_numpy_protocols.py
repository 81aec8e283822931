"""The protocols `__array_ufunc__` and `__array_function__`: all of a ufunc's calls, and what cannot be recorded."""

import numpy as np
import pytest
import scipy.special
from numpy.lib.recfunctions import structured_to_unstructured
from optable import DIFFERENTIABLE
from ufuncs import BINARY, X, Y, same, source

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad._native import is_watched
from tapegrad.numpy._ufunc_calls import PIECEWISE_CONSTANT

UNARY = [op for op in DIFFERENTIABLE if op.operands == 1 and hasattr(np, op.name)]


class TestCalls:
    @pytest.mark.parametrize("op", UNARY, ids=str)
    def test_unary(self, tape, op, rng):
        (values,) = op.sample(rng, (4,))
        x = source(tape, values)
        for namespace in (np, tnp):
            result = getattr(namespace, op.name)(x)
            assert is_watched(result)
            same(result, getattr(np, op.name)(values))

    @pytest.mark.parametrize("name", BINARY)
    def test_binary_in_all_operand_orders(self, tape, name):
        ufunc = getattr(np, name)
        x = source(tape, X)
        number = np.float64(1.5)
        calls = [(x, Y), (Y, x), (x, x), (x, 1.5), (1.5, x), (x, number), (number, x), (x, Y.tolist()), (Y.tolist(), x)]
        for operands in calls:
            result = ufunc(*operands)
            assert is_watched(result)
            same(result, ufunc(*[X if operand is x else operand for operand in operands]))

    def test_operators_of_arrays_and_scalars(self, tape):
        x, a, s = source(tape, X), Y, np.float64(2.5)
        same(a + x, Y + X)
        same(a - x, Y - X)
        same(a * x, Y * X)
        same(a / x, Y / X)
        same(a**x, Y**X)
        same(a.T @ x, Y.T @ X)
        same(x @ a.T, X @ Y.T)
        same(s * x, s * X)
        same(s - x, s - X)
        same(x / s, X / s)
        same(Y.tolist() + x, Y + X)
        same([1.0, 2.0] @ x, np.array([1.0, 2.0]) @ X)
        same(a > x, Y > X)
        same(s < x, s < X)
        for result in (a + x, a.T @ x, s - x, Y.tolist() + x, [1.0, 2.0] @ x):
            assert is_watched(result)

    @pytest.mark.parametrize(
        "keywords", [{"dtype": "f4"}, {"signature": "ff->f"}, {"sig": ("f4", "f4", "f4")}, {"dtype": complex}]
    )
    def test_loop_type(self, tape, keywords):
        if "sig" in keywords:
            keywords = {"signature": keywords["sig"]}
        x = source(tape, X)
        result = np.multiply(x, Y, casting="same_kind", **keywords)
        assert is_watched(result)
        same(result, np.multiply(X, Y, casting="same_kind", **keywords))
        gradient = tape.gradient(result, x)
        assert gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, Y, rtol=1e-6)

    def test_loop_type_that_the_casting_rule_forbids(self, tape):
        with pytest.raises(TypeError, match="Cannot cast"):
            np.multiply(source(tape, X), Y, dtype="f4", casting="safe")

    def test_where_without_out_leaves_zeros(self, tape):
        x = source(tape, X)
        result = np.log(x, where=X > 1)
        np.testing.assert_array_equal(result.numpy(), np.where(X > 1, np.log(X), 0.0))
        np.testing.assert_allclose(tape.gradient(result, x).numpy(), np.where(X > 1, 1 / X, 0.0))

    def test_out_is_rebound(self, tape):
        x = source(tape, X)
        y = np.exp(x)
        z = y + 0.0
        result = np.multiply(y, Y, out=y)
        assert result is y
        same(y, np.exp(X) * Y)
        np.testing.assert_allclose(tape.gradient(y, x).numpy(), np.exp(X) * Y)
        np.testing.assert_allclose(tape.gradient(z, x).numpy(), np.exp(X))

    def test_out_with_where_keeps_the_other_elements(self, tape):
        x = source(tape, X)
        y = x * 2.0
        np.square(x, out=y, where=X > 1)
        np.testing.assert_array_equal(y.numpy(), np.where(X > 1, X**2, 2 * X))
        np.testing.assert_allclose(tape.gradient(y, x).numpy(), np.where(X > 1, 2 * X, 2.0))

    def test_out_of_another_type(self, tape):
        x = source(tape, X)
        y = tf.zeros(X.shape, tf.float32)
        np.exp(x, out=y)
        same(y, np.exp(X).astype(np.float32))
        with pytest.raises(TypeError, match="Cannot cast"):
            np.exp(x, out=tf.zeros(X.shape, tf.int64))

    def test_out_array_for_watched_operand(self, tape):
        out = np.zeros(X.shape)
        x = source(tape, X)
        with pytest.raises(TypeError, match=r"leave the\s+tape.*tapegrad\.numpy\.array"):
            np.exp(x, out=out)
        with pytest.raises(TypeError, match=r"x = x \+ y"):
            out += x
        np.testing.assert_array_equal(out, 0.0)

    def test_out_array_for_unwatched_operand(self):
        out = np.zeros(X.shape)
        assert np.exp(tf.constant(X), out=out) is out
        np.testing.assert_array_equal(out, np.exp(X))
        out += tf.constant(X)
        np.testing.assert_array_equal(out, np.exp(X) + X)

    def test_out_tensor_for_arrays(self):
        y = tf.zeros(X.shape, tf.float64)
        assert np.add(X, Y, out=y) is y
        same(y, X + Y)

    def test_out_that_a_tape_watches(self, tape):
        x = source(tape, X)
        with pytest.raises(TypeError, match="watches this tensor"):
            np.exp(x, out=x)

    def test_out_variable(self, tape):
        v = tf.Variable(X)
        with pytest.raises(TypeError, match="assign"):
            np.exp(source(tape, X), out=v)

    def test_out_of_another_shape(self, tape):
        with pytest.raises(ValueError, match="shape"):
            np.exp(source(tape, X), out=tf.zeros(2, tf.float64))

    def test_several_results(self, tape):
        x = source(tape, X)
        for ufunc in (np.modf, np.frexp):
            parts = ufunc(x)
            assert [is_watched(part) for part in parts] == [True, False]
            for part, reference in zip(parts, ufunc(X), strict=True):
                same(part, reference)
        for operand in (x, tf.constant(X)):
            outs = tf.zeros(X.shape, tf.float64), tf.zeros(X.shape, tf.float64)
            result = np.divmod(operand, 0.5, out=outs)
            assert all(a is b for a, b in zip(result, outs, strict=True))
            assert is_watched(outs[1]) == is_watched(operand)
            same(outs[1], np.divmod(X, 0.5)[1])
            first, rest = np.modf(operand, out=(None, outs[0]))
            assert rest is outs[0]
            same(first, np.modf(X)[0])

    @pytest.mark.parametrize("ufunc", sorted(PIECEWISE_CONSTANT - {np.isnat}, key=str), ids=str)
    def test_piecewise_constant(self, tape, ufunc):
        takes_floats = any(loop.startswith("d" * ufunc.nin) for loop in ufunc.types)
        values = (source(tape, np.array([3.5, -5.25]) if takes_floats else np.array([3, 5])),) * ufunc.nin
        result = ufunc(*values)
        assert not is_watched(result)
        same(result, ufunc(*[x.numpy() for x in values]))


class TestRefusals:
    def test_unknown_ufunc(self, tape):
        ufunc = np.frompyfunc(lambda x: x, 1, 1)
        with pytest.raises(TypeError, match="has no derivative rule in tapegrad"):
            ufunc(source(tape, X))

    def test_unwatched_unknown_ufunc(self):
        ufunc = np.frompyfunc(lambda x: x + 1.0, 1, 1)
        np.testing.assert_array_equal(ufunc(tf.constant(X)).astype(float), X + 1.0)

    def test_special_functions_record(self, tape):
        x = source(tape, X)
        y = scipy.special.gammaln(x)
        same(y, scipy.special.gammaln(X))
        np.testing.assert_allclose(tape.gradient(y, x).numpy(), scipy.special.digamma(X), rtol=1e-12)

    def test_function_without_rule(self, tape):
        x = source(tape, X)
        with pytest.raises(
            TypeError, match=r"structured_to_unstructured has no derivative rule in tapegrad.*stop_gradient"
        ):
            structured_to_unstructured(x)

    def test_lists_of_tensors_that_numpy_cannot_hand_over(self, tape):
        x = source(tape, np.array(1.5))
        with pytest.raises(TypeError, match=r"tapegrad\.stack.*tapegrad\.numpy"):
            np.mean([x, x + 2])
        with pytest.raises(TypeError, match=r"tapegrad\.stack"):
            np.array([x, x + 2])
        result = tnp.mean([x, x + 2])
        same(result, np.mean([1.5, 3.5]))
        np.testing.assert_array_equal(tape.gradient(result, x).numpy(), 1.0)

    def test_lists_of_constants(self):
        x = tf.constant(np.array(1.5))
        assert np.mean([x, x + 2]) == 2.5
        np.testing.assert_array_equal(np.array([x, 2.5]), [1.5, 2.5])


class TestQuestions:
    def test_answers_are_numpys(self, tape):
        x = source(tape, X)
        assert np.shape(x) == (2, 3)
        assert np.ndim(x) == 2
        assert np.size(x, 1) == 3
        assert np.result_type(x, np.float32) == np.float64
        assert np.can_cast(x.dtype, np.complex64) is False
        assert np.iscomplexobj(x) is False
        assert np.array_equal(x, X) is True
        assert np.allclose(x, X + 1e-12) is True
        assert np.array2string(x) == np.array2string(X)
        assert np.isscalar(x) is False
        assert np.issubdtype(x.dtype, np.floating)
        assert not isinstance(np.einsum_path("ij,ij->", x, Y)[0], tf.Tensor)

    def test_positions_and_tests_are_constants(self, tape):
        x = source(tape, X)
        for function in (np.argmax, np.round, np.isclose, np.nonzero, np.argsort, np.all):
            args = (x, 1.0) if function is np.isclose else (x,)
            result = function(*args)
            reference = function(X, *args[1:])
            for part, right in zip(*[r if isinstance(r, tuple) else (r,) for r in (result, reference)], strict=True):
                assert not is_watched(part)
                same(part, right)

    def test_constant_with_out(self, tape):
        x = source(tape, X)
        out = tf.zeros(X.shape, tf.float64)
        assert np.round(x, 0, out) is out
        same(out, np.round(X))
        out = tf.zeros(3, tf.int64)
        assert np.argmax(x, axis=0, out=out) is out
        same(out, np.argmax(X, axis=0))

    def test_saving_is_a_way_out(self, tape, tmp_path):
        np.save(tmp_path / "x.npy", source(tape, X))
        np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)


class TestLike:
    def test_creation_like_a_tensor(self, tape):
        x = source(tape, X)
        same(np.zeros((2, 2), like=x), np.zeros((2, 2)))
        same(np.arange(3, like=x), np.arange(3))
        same(np.eye(2, like=x), np.eye(2))
        stacked = np.array([x, x], like=x)
        assert is_watched(stacked)
        same(stacked, np.array([X, X]))
