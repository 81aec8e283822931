"""tapegrad.scipy: SciPy's solvers get exact derivatives, for vectors, arrays and structures."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize
from shared import Counted, rosenbrock

import tapegrad as tf
import tapegrad.scipy as ts
from tapegrad.scipy.constraints import with_derivatives
from tapegrad.scipy.functions import Unknowns


@dataclass
class Params:
    a: object
    b: object


class TestMinimize:
    @pytest.mark.parametrize(
        "method",
        [
            None,
            "BFGS",
            "L-BFGS-B",
            "CG",
            "TNC",
            "SLSQP",
            "Newton-CG",
            "trust-ncg",
            "trust-krylov",
            "trust-exact",
            "trust-constr",
        ],
    )
    def test_methods(self, method):
        result = ts.minimize(
            rosenbrock, [-1.0, 0.5, 0.8], method=method, options={"maxfun": 500} if method == "TNC" else None
        )
        np.testing.assert_allclose(result.x, np.ones(3), atol=0.02)
        assert result.fun < 1e-4

    @pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA"])
    def test_methods_without_gradient(self, method):
        result = ts.minimize(lambda x: np.sum((x - 1.0) ** 2), np.zeros(2), method=method)
        np.testing.assert_allclose(result.x, np.ones(2), atol=1e-3)

    def test_dogleg(self):
        result = ts.minimize(lambda x: np.sum(np.cosh(x - 1.0)), np.zeros(2), method="dogleg")
        np.testing.assert_allclose(result.x, np.ones(2), atol=1e-6)

    def test_value_and_gradient_take_one_call(self):
        f = Counted(rosenbrock)
        result = ts.minimize(f, np.zeros(5), method="L-BFGS-B")
        assert f.calls == result.nfev

    @pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-exact"])
    def test_second_derivatives_are_exact(self, method):
        found = ts.minimize(rosenbrock, np.zeros(4), method=method)
        expected = optimize.minimize(
            optimize.rosen, np.zeros(4), method=method, jac=optimize.rosen_der, hess=optimize.rosen_hess
        )
        assert found.nit == expected.nit
        np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)

    def test_given_second_derivatives_are_used(self):
        hess = Counted(lambda x: np.eye(2))
        ts.minimize(lambda x: 0.5 * np.sum(x**2), np.ones(2), method="trust-exact", hess=hess)
        assert hess.calls > 0
        hessp = Counted(lambda x, p: p)
        ts.minimize(lambda x: 0.5 * np.sum(x**2), np.ones(2), method="Newton-CG", hessp=hessp)
        assert hessp.calls > 0

    @pytest.mark.parametrize("args", [(2.0, "label"), (2.0,)])
    @pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "trust-exact", "Nelder-Mead"])
    def test_args(self, args, method):
        def f(x, target, label="label"):
            assert label == "label"
            return np.sum((x - target) ** 2)

        np.testing.assert_allclose(ts.minimize(f, np.zeros(2), args, method).x, [2.0, 2.0], atol=1e-4)

    def test_one_argument(self):
        assert ts.minimize(lambda x, k: np.sum((x - k) ** 2), np.zeros(1), 3.0).x == pytest.approx(3.0)

    @pytest.mark.parametrize(
        "x0",
        [0.0, np.zeros((2, 2)), {"b": np.zeros(2), "a": 0.0}, (np.zeros(2), 0.0), Params(0.0, np.zeros((1, 2)))],
        ids=repr,
    )
    def test_forms(self, x0):
        def f(x):
            return sum(np.sum((leaf - 1.0) ** 2) for leaf in tf.nest.flatten(x))

        result = ts.minimize(f, x0)
        tf.nest.assert_same_structure(result.x, x0)
        for x, g, start in zip(*map(tf.nest.flatten, (result.x, result.jac, x0)), strict=True):
            assert np.shape(x) == np.shape(g) == np.shape(start)
            np.testing.assert_allclose(x, 1.0, atol=1e-6)
            assert x.dtype == np.float64

    def test_integers_and_float32_as_start(self):
        for x0 in ([0, 0], np.zeros(2, np.float32), tf.Variable([0.0, 0.0])):
            result = ts.minimize(lambda x: np.sum((x - 1.0) ** 2), x0)
            assert result.x.dtype == np.float64
            np.testing.assert_allclose(result.x, 1.0)

    def test_functions_of_tensors(self):
        result = ts.minimize(lambda x: tf.reduce_sum((x - 1.0) ** 2), np.zeros(2), method="Nelder-Mead")
        np.testing.assert_allclose(result.x, 1.0, atol=1e-3)

    @pytest.mark.parametrize(
        ("x0", "bounds", "expected"),
        [
            (np.zeros(2), [(0.0, 0.5), (None, None)], [0.5, 1.0]),
            (np.zeros(2), optimize.Bounds([0.0, -1.0], [0.5, 0.25]), [0.5, 0.25]),
            ({"a": 0.0, "b": np.zeros(2)}, ({"a": None, "b": [[0.0]]}, 0.5), None),
        ],
    )
    def test_bounds_of_vectors(self, x0, bounds, expected):
        if expected is None:
            bounds = ({"a": None, "b": 0.0}, {"a": 0.5, "b": np.array([0.25, 2.0])})
        result = ts.minimize(lambda x: sum(np.sum((leaf - 1.0) ** 2) for leaf in tf.nest.flatten(x)), x0, bounds=bounds)
        if expected is None:
            assert result.x["a"] == pytest.approx(0.5)
            expected, found = [0.25, 1.0], result.x["b"]
        else:
            found = result.x
        np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_bounds_of_a_number(self):
        assert ts.minimize(lambda x: (x - 1.0) ** 2, 0.0, bounds=(None, 0.5)).x == pytest.approx(0.5)
        result = ts.minimize(lambda x: np.sum((x["a"] - 1.0) ** 2), {"a": np.zeros(2)}, bounds=(0.0, 0.5))
        np.testing.assert_allclose(result.x["a"], 0.5)

    def test_callback(self):
        seen, results = [], []
        ts.minimize(lambda p: p["a"] ** 2, {"a": 1.0}, callback=seen.append)
        ts.minimize(
            lambda p: p["a"] ** 2,
            {"a": 1.0},
            callback=lambda intermediate_result: results.append(intermediate_result.x["a"]),
        )
        ts.minimize(lambda p: p["a"] ** 2, {"a": 1.0}, method="trust-constr", callback=lambda x, state: seen.append(x))
        ts.minimize(lambda x: np.sum(x**2), np.ones(1), callback=lambda x: seen.append({"a": x}))
        assert all(set(x) == {"a"} for x in seen)
        assert results[-1] == pytest.approx(0.0, abs=1e-6)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (
                lambda: ts.minimize(lambda x: x, np.ones(2)),
                TypeError,
                r"must return a scalar, but its result has shape \(2,\)",
            ),
            (lambda: ts.minimize(rosenbrock, np.ones(2) * 1j), TypeError, "the unknowns must be real numbers"),
            (
                lambda: ts.minimize(lambda p: p["a"], {"a": 1.0}, bounds=[(0, 1)]),
                ValueError,
                r"a pair \(lower, upper\)",
            ),
            (
                lambda: ts.minimize(lambda p: p["a"], {"a": 1.0}, bounds=({"a": 1.0, "b": 2.0}, None)),
                ValueError,
                "a bound has 2 values for 1 unknowns",
            ),
            (lambda: ts.minimize(rosenbrock, np.ones(2), constraints=3), TypeError, "constraints are dictionaries"),
        ],
    )
    def test_wrong(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


def circle(x):
    return x[0] ** 2 + x[1] ** 2


class TestConstraints:
    CONSTRAINTS = {  # noqa: RUF012
        "dict": {"type": "ineq", "fun": lambda x: 2.0 - circle(x)},
        "dict of an array": {"type": "ineq", "fun": lambda x: np.stack([2.0 - circle(x), 10.0 + x[0]])},
        "dict with args": {"type": "ineq", "fun": lambda x, r: r - circle(x), "args": (2.0,)},
        "nonlinear": optimize.NonlinearConstraint(circle, -np.inf, 2.0),
        "list": [
            optimize.NonlinearConstraint(circle, -np.inf, 2.0),
            optimize.LinearConstraint([[1.0, 1.0]], -10.0, 10.0),
        ],
    }

    @pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
    @pytest.mark.parametrize("constraints", CONSTRAINTS.values(), ids=CONSTRAINTS)
    def test_on_a_circle(self, constraints, method):
        result = ts.minimize(lambda x: x[0] + x[1], np.array([0.5, 0.1]), method=method, constraints=constraints)
        np.testing.assert_allclose(result.x, [-1.0, -1.0], atol=2e-3)

    @pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
    def test_structures(self, method):
        constraint = optimize.NonlinearConstraint(lambda p: p["x"] ** 2 + p["y"] ** 2, -np.inf, 2.0)
        result = ts.minimize(lambda p: p["x"] + p["y"], {"x": 0.5, "y": 0.1}, method=method, constraints=constraint)
        assert result.x["x"] == pytest.approx(-1.0, abs=2e-3)

    def test_functions_are_called_with_exact_derivatives(self):
        constraint = optimize.NonlinearConstraint(lambda x: x**3, 0.0, 1.0)
        prepared = with_derivatives(constraint, Unknowns("minimize", np.ones(2)), second=True)
        x, v = np.array([2.0, 3.0]), np.array([1.0, 10.0])
        np.testing.assert_array_equal(prepared.jac(x), np.diag([12.0, 27.0]))
        np.testing.assert_array_equal(prepared.hess(x, v), np.diag([12.0, 180.0]))

    def test_given_derivatives_are_used(self):
        jac, hess = Counted(lambda x: [2.0 * x[0], 2.0 * x[1]]), Counted(lambda x, v: 2.0 * v[0] * np.eye(2))
        constraint = optimize.NonlinearConstraint(circle, -np.inf, 2.0, jac=jac, hess=hess)
        ts.minimize(lambda x: x[0] + x[1], np.array([0.5, 0.1]), method="trust-constr", constraints=constraint)
        assert jac.calls
        assert hess.calls
        jac.calls = 0
        constraint = {"type": "ineq", "fun": lambda x: 2.0 - circle(x), "jac": lambda x: -np.array(jac(x))}
        ts.minimize(lambda x: x[0] + x[1], np.array([0.5, 0.1]), method="SLSQP", constraints=constraint)
        assert jac.calls


T = np.linspace(0.0, 2.0, 30)
DATA = 3.0 * np.exp(-1.5 * T) + 0.5


class TestLeastSquares:
    @pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
    def test_vector(self, method):
        result = ts.least_squares(lambda p: p[0] * np.exp(p[1] * T) + p[2] - DATA, [1.0, -1.0, 0.0], method=method)
        np.testing.assert_allclose(result.x, [3.0, -1.5, 0.5], rtol=1e-7)

    def test_structure_args_and_bounds(self):
        def residuals(p, data):
            return {"all": np.reshape(p["a"] * np.exp(p["k"] * T) + p["c"] - data, (3, 10)), "prior": p["c"] * 0.0}

        result = ts.least_squares(
            residuals, {"a": 1.0, "k": -1.0, "c": 0.1}, DATA, bounds=({"a": 0.0, "c": None, "k": -1.2}, None)
        )
        assert result.x["k"] == pytest.approx(-1.2)
        assert isinstance(result.x["a"], float)

    def test_bounds_of_a_vector(self):
        result = ts.least_squares(lambda x: x - 1.0, np.zeros(2), bounds=(-1.0, [0.5, 2.0]))
        np.testing.assert_allclose(result.x, [0.5, 1.0], atol=1e-6)


class TestRoot:
    @pytest.mark.parametrize("method", ["hybr", "lm", "broyden1", "krylov", "df-sane"])
    def test_methods(self, method):
        result = ts.root(lambda x, k: np.cos(x) - k * x, np.full(2, 0.7), 1.0, method)
        np.testing.assert_allclose(result.x, 0.7390851332151607, rtol=1e-5)

    def test_structure(self):
        result = ts.root(lambda p: [p["x"] + p["y"] - 3.0, p["x"] * p["y"] - 2.0], {"x": 3.0, "y": 0.5}, tol=1e-12)
        assert result.x == pytest.approx({"x": 2.0, "y": 1.0})

    def test_square_array(self):
        result = ts.root(lambda x: x @ x - np.array([[5.0, 4.0], [4.0, 5.0]]), np.array([[2.0, 0.5], [0.5, 2.0]]))
        np.testing.assert_allclose(result.x, [[2.0, 1.0], [1.0, 2.0]], rtol=1e-7)

    def test_with_implicit_solve(self):
        def f(x, a):
            return np.cos(x) - a * x

        solution = tf.implicit_solve(f, lambda a: ts.root(f, np.float64(0.7), a, tol=1e-13).x)
        x = solution(1.0)
        assert tf.grad(solution)(1.0) == pytest.approx(-x / (np.sin(x) + 1.0), rel=1e-10)


class TestCurveFit:
    def test_fit(self):
        def model(t, a, k, c):
            return a * np.exp(k * t) + c

        start = (1.0, -1.0, 0.0)
        params, covariance = ts.curve_fit(model, T, DATA, start)
        np.testing.assert_allclose(params, [3.0, -1.5, 0.5], rtol=1e-7)
        expected = optimize.curve_fit(model, T, DATA, start)[1]
        np.testing.assert_allclose(covariance, expected, atol=1e-12)

    def test_options(self):
        found = ts.curve_fit(
            lambda t, a, k: a * t**k,
            T[1:],
            2.0 * T[1:] ** 1.5,
            [1.0, 1.0],
            bounds=([0.0, 0.0], [5.0, 1.2]),
            sigma=T[1:],
        )[0]
        assert found[1] == pytest.approx(1.2)


def test_fun_and_jac():
    value, gradient = ts.fun_and_jac(rosenbrock)(np.array([1.0, 2.0]))
    assert value == 100.0
    np.testing.assert_array_equal(gradient, [-400.0, 200.0])
    result = optimize.minimize(ts.fun_and_jac(rosenbrock), np.zeros(3), jac=True)
    np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_without_scipy():
    program = """
        import sys
        sys.modules["scipy"] = sys.modules["scipy.optimize"] = None
        import tapegrad
        try:
            tapegrad.scipy
        except ImportError as error:
            print(error)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert "pip install tapegrad[scipy]" in result.stdout
