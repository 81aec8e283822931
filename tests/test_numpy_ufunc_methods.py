"""The methods of ufuncs on tensors: reduce, accumulate, reduceat, outer, at."""

import numpy as np
import pytest
from ufuncs import BINARY, X, Y, same, source

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad._native import is_watched
from tapegrad.testing import check_grads


class TestMethods:
    @pytest.mark.parametrize("name", [name for name in BINARY if name not in ("power", "arctan2")])
    @pytest.mark.parametrize("axis", [0, 1])
    def test_reduce(self, tape, name, axis):
        ufunc = getattr(np, name)
        result = ufunc.reduce(source(tape, X), axis=axis)
        assert is_watched(result)
        same(result, ufunc.reduce(X, axis=axis))
        same(ufunc.reduce(tf.constant(X), axis=axis), ufunc.reduce(X, axis=axis))

    @pytest.mark.parametrize("name", ["power", "arctan2"])
    def test_reduce_where_numpy_can_be_wrong(self, tape, name):
        ufunc = getattr(np, name)
        right = ufunc.accumulate(X, axis=1)[:, -1]
        np.testing.assert_allclose(right, ufunc(ufunc(X[:, 0], X[:, 1]), X[:, 2]))
        same(ufunc.reduce(source(tape, X), axis=1), right)
        same(ufunc.reduce(tf.constant(X), axis=1), right)
        from_start = ufunc.accumulate(np.insert(X, 0, 1.5, axis=1), axis=1)[:, -1:]
        same(ufunc.reduce(tf.constant(X), axis=-1, keepdims=True, initial=1.5), from_start)

    @pytest.mark.parametrize("name", BINARY)
    def test_gradient_of_reduce(self, name):
        check_grads(lambda x: getattr(np, name).reduce(x, axis=1, keepdims=True), (X + 1.0,))

    @pytest.mark.parametrize("name", ["add", "multiply", "maximum", "fmin", "logaddexp", "hypot"])
    def test_reduce_with_everything(self, tape, name):
        ufunc = getattr(np, name)
        x = source(tape, X)
        options = {"axis": (0, 1), "keepdims": True, "initial": 0.5}
        same(ufunc.reduce(x, **options), ufunc.reduce(X, **options))
        check_grads(lambda x, start: ufunc.reduce(x, axis=None, initial=start), (X, 0.5))
        options = {"initial": 0.5, "where": X > 0.8}
        same(ufunc.reduce(x, **options), ufunc.reduce(X, **options))
        check_grads(lambda x: ufunc.reduce(x, **options), (X,))

    def test_reduce_of_nothing(self, tape):
        x = source(tape, np.zeros((0, 3)))
        same(np.logaddexp.reduce(x), np.full(3, -np.inf))
        same(np.add.reduce(x), np.zeros(3))
        with pytest.raises(ValueError, match="identity"):
            np.subtract.reduce(x)

    def test_reduce_out_and_type(self, tape):
        x = source(tape, X)
        out = tf.zeros(3, tf.float32)
        assert np.add.reduce(x, dtype="f4", out=out) is out
        same(out, np.add.reduce(X, dtype="f4"))
        assert is_watched(out)

    @pytest.mark.parametrize("name", BINARY)
    def test_accumulate(self, tape, name):
        ufunc = getattr(np, name)
        result = ufunc.accumulate(source(tape, X), axis=1)
        assert is_watched(result)
        same(result, ufunc.accumulate(X, axis=1))
        check_grads(lambda x: ufunc.accumulate(x), (X.T + 1.0,))

    @pytest.mark.parametrize("name", ["add", "multiply", "maximum", "logaddexp", "subtract"])
    def test_reduceat(self, tape, name):
        ufunc = getattr(np, name)
        values = np.arange(1.0, 15.0).reshape(2, 7) ** 1.1
        places = [0, 4, 1, 5, 5]
        result = ufunc.reduceat(source(tape, values), places, axis=1)
        assert is_watched(result)
        same(result, ufunc.reduceat(values, places, axis=1))
        check_grads(lambda x: ufunc.reduceat(x, places, axis=1), (values / 4,))

    @pytest.mark.parametrize("name", BINARY)
    def test_outer(self, tape, name):
        ufunc = getattr(np, name)
        x = source(tape, X)
        for result, reference in (
            (ufunc.outer(x, Y[0]), ufunc.outer(X, Y[0])),
            (ufunc.outer(Y[0], x), ufunc.outer(Y[0], X)),
        ):
            assert is_watched(result)
            same(result, reference)

    @pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "power", "logaddexp"])
    def test_at(self, tape, name):
        ufunc = getattr(np, name)
        places = (np.array([0, 1, 0, 0]), np.array([1, 2, 1, 0]))
        values = np.array([1.5, 0.7, 2.5, 1.1])
        x, v = source(tape, X), source(tape, values)
        y = tnp.copy(x)
        ufunc.at(y, places, v)
        reference = X.copy()
        ufunc.at(reference, places, values)
        same(y, reference)

        def function(x, v):
            y = tnp.copy(x)
            ufunc.at(y, places, v)
            return y

        check_grads(function, (X, values))

    def test_unary_at(self, tape):
        x = source(tape, X)
        y = tnp.copy(x)
        np.exp.at(y, (0, [1, 1]))
        reference = X.copy()
        np.exp.at(reference, (0, [1, 1]))
        same(y, reference)
        np.testing.assert_allclose(tape.gradient(y, x).numpy()[0, 1], np.exp(np.exp(X[0, 1])) * np.exp(X[0, 1]))

    def test_at_of_an_array(self, tape):
        x, values = np.zeros(3), np.array([1.0, 2.0])
        with pytest.raises(TypeError, match=r"tapegrad\.numpy\.array"):
            np.add.at(x, [0, 1], source(tape, values))
        np.add.at(x, [0, 0], tf.constant(values))
        np.testing.assert_array_equal(x, [3.0, 0.0, 0.0])

    def test_piecewise_constant_methods(self, tape):
        x = source(tape, X)
        for result, reference in (
            (np.logical_and.reduce(x), np.logical_and.reduce(X)),
            (np.less.outer(x, Y), np.less.outer(X, Y)),
            (np.logical_or.accumulate(x), np.logical_or.accumulate(X)),
        ):
            assert not is_watched(result)
            same(result, reference)

    def test_generalised(self, tape):
        a, b = X, np.arange(12.0).reshape(2, 3, 2)
        x, y = source(tape, a), source(tape, b)
        for result, reference in (
            (np.matmul(x, y), np.matmul(a, b)),
            (np.matmul(y, x, axes=[(1, 2), (0, 1), (1, 0)]), np.matmul(b, a, axes=[(1, 2), (0, 1), (1, 0)])),
            (np.vecdot(x, x, axis=0), np.vecdot(a, a, axis=0)),
            (np.vecdot(x, x, keepdims=True), np.vecdot(a, a, keepdims=True)),
            (np.matvec(y, x[:, :2]), np.matvec(b, a[:, :2])),
            (np.vecmat(x, y), np.vecmat(a, b)),
        ):
            assert is_watched(result)
            same(result, reference)

    @pytest.mark.parametrize("name", ["matmul", "vecdot", "matvec", "vecmat"])
    def test_gradients_of_generalised(self, name, rng):
        shapes = {
            "matmul": ((2, 3), (5, 3, 2)),
            "vecdot": ((3,), (2, 3)),
            "matvec": ((5, 2, 3), (3,)),
            "vecmat": ((2,), (5, 2, 3)),
        }
        for kind in (0, 1j):
            operands = [rng.normal(size=shape) + kind * rng.normal(size=shape) for shape in shapes[name]]
            check_grads(getattr(np, name), tuple(operands))
