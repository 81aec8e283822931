"""Ufuncs of other packages as recorded operations: rules as texts, functions and numbers; types; what is refused."""

import inspect
import threading

import numpy as np
import pytest
import scipy.special

import tapegrad as tf
from tapegrad._native import UFUNC_OPERATIONS
from tapegrad._ops import registered
from tapegrad.testing import check_grads

ERFC_SLOPE = -1.1283791670955126
SIGMOID = "out * (1.0 - out)"


@pytest.fixture
def nothing_registered(monkeypatch):
    """The tables without SciPy's ufuncs, put back in the end."""
    import tapegrad.special  # noqa: F401 (enters them)

    before, names = dict(UFUNC_OPERATIONS), dict(registered._REGISTERED)
    for ufunc in before:
        if getattr(scipy.special, ufunc.__name__, None) is ufunc:
            del UFUNC_OPERATIONS[ufunc]
    registered._REGISTERED.clear()
    yield
    for table, contents in ((UFUNC_OPERATIONS, before), (registered._REGISTERED, names)):
        table.clear()
        table.update(contents)


pytestmark = pytest.mark.usefixtures("nothing_registered")


def gradient(function, *values):
    tensors = [tf.constant(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        y = function(*tensors)
    return tape.gradient(y, tensors)


class TestRules:
    def test_a_text(self):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        check_grads(f, (np.array([-1.0, 0.3]),))

    def test_a_function(self):
        f = tf.register_ufunc(scipy.special.expit, [lambda out: out * (1.0 - out)])
        check_grads(f, (np.array([-1.0, 0.3]),))

    def test_numbers(self):
        f = tf.register_ufunc(scipy.special.radian, [np.pi / 180, np.pi / 10800, np.pi / 648000])
        check_grads(f, (10.0, 20.0, 30.0))

    def test_calls_of_numpys_names_and_where(self):
        f = tf.register_ufunc(
            scipy.special.huber, ["where(abs(y) <= x, 0.0, abs(y) - x)", "where(abs(y) <= x, y, x * sign(y))"]
        )
        check_grads(f, (np.array([1.0, 1.0]), np.array([0.5, -2.0])))

    def test_own_name(self):
        f = tf.register_ufunc(scipy.special.jv, [None, "0.5 * (jv(x - 1.0, y) - jv(x + 1.0, y))"])
        check_grads(lambda y: f(1.5, y), (np.array([0.5, 3.0]),))

    def test_own_name_after_replacement(self):
        tf.register_ufunc(scipy.special.exp10, ["0.0"])
        f = tf.register_ufunc(scipy.special.exp10, ["2.302585092994046 * exp10(x)"], replace=True)
        check_grads(f, (0.3,))

    def test_names_of_registered_ufuncs(self):
        tf.register_ufunc(scipy.special.expit, [SIGMOID])
        f = tf.register_ufunc(scipy.special.log_expit, ["expit(-x)"])
        check_grads(f, (np.array([-1.0, 0.3]),))

    def test_given_names(self):
        def slope(x):
            return ERFC_SLOPE * tf.exp(-x * x)

        f = tf.register_ufunc(scipy.special.erfc, ["factor * slope(x)"], names={"slope": slope, "factor": 1.0})
        check_grads(f, (np.array([-1.0, 0.3]),))

    def test_a_given_ufunc_means_its_operation(self):
        tf.register_ufunc(scipy.special.expit, [SIGMOID])
        f = tf.register_ufunc(scipy.special.log_expit, ["logistic(-x)"], names={"logistic": scipy.special.expit})
        check_grads(f, (0.3,))

    def test_several_results(self):
        f = tf.register_ufunc(scipy.special.sici, [["sin(x) / x"], ["cos(x) / x"]])
        check_grads(f, (np.array([0.5, 2.0]),))
        check_grads(lambda x: f(x)[1], (np.array([0.5, 2.0]),))

    def test_several_results_in_each_others_rules(self):
        f = tf.register_ufunc(
            scipy.special.airy, [["out1"], ["x * out0"], [lambda out3: out3], [lambda x, out2: x * out2]]
        )
        check_grads(f, (np.array([-1.0, 2.0]),))

    def test_four_operands(self):
        f = tf.register_ufunc(
            scipy.special.hyp2f1,
            [None, None, None, "x * y / z * hyp2f1(x + 1.0, y + 1.0, z + 1.0, w)"],
        )
        check_grads(lambda w: f(0.5, 1.5, 2.5, w), (np.array([0.1, -0.4]),))

    def test_piecewise_constant(self):
        f = tf.register_ufunc(scipy.special.gammasgn, ["-"])
        assert gradient(f, np.array([1.5])) == [None]

    def test_slope_zero_is_connected(self):
        f = tf.register_ufunc(scipy.special.gammasgn, ["0.0"])
        assert gradient(f, np.array([1.5]))[0].numpy() == [0.0]

    def test_a_zero_cotangent_contributes_zero(self):
        f = tf.register_ufunc(scipy.special.entr, ["-1.0 - log(x)"])
        (g,) = gradient(lambda x: tf.where(x > 0.0, f(x), 0.0), np.array([0.0, 1.0]))
        assert g.numpy().tolist() == [0.0, -1.0]

    def test_rules_keep_their_meaning(self):
        """A later registration under a name does not change the rules that mention it."""
        tf.register_ufunc(scipy.special.expit, [SIGMOID])
        f = tf.register_ufunc(scipy.special.log_expit, ["expit(-x)"])
        tf.register_ufunc(np.frompyfunc(lambda x: x, 1, 1), ["1.0"])
        registered._REGISTERED["expit"] = None
        check_grads(f, (0.3,))


class TestCalls:
    def test_the_ufunc_itself(self):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        x = np.array([0.5, -0.5])
        for function in (f, scipy.special.expit):
            (g,) = gradient(function, x)
            np.testing.assert_allclose(g.numpy(), scipy.special.expit(x) * scipy.special.expit(-x), rtol=1e-14)

    @pytest.mark.parametrize("shapes", [((), ()), ((3,), ()), ((2, 1), (3,)), ((0, 2), (2,)), ((1, 1), (4, 3))])
    def test_broadcasting(self, shapes, rng):
        f = tf.register_ufunc(scipy.special.xlogy, ["log(y)", "x / y"])
        x, y = (rng.uniform(0.5, 2.0, shape) for shape in shapes)
        np.testing.assert_array_equal(f(x, y).numpy(), scipy.special.xlogy(x, y))
        check_grads(f, (x, y))

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_float_types(self, dtype):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        x = np.array([0.5], dtype)
        assert f(x).dtype == scipy.special.expit(x).dtype
        assert gradient(f, x)[0].dtype == dtype

    def test_integers_become_floats(self):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        assert f(tf.constant([1, 2])).dtype == tf.float64
        assert gradient(f, np.array([1, 2])) == [None]

    def test_mixed_types_are_computed_in_the_loops_type(self):
        f = tf.register_ufunc(scipy.special.xlogy, ["log(y)", "x / y"])
        narrow, wide = np.array([2.0], np.float32), np.array([1.0 + 1e-12])
        g = gradient(f, narrow, wide)
        assert [part.dtype for part in g] == [tf.float32, tf.float64]
        np.testing.assert_allclose(g[0].numpy(), np.log(wide), rtol=1e-6)

    @pytest.mark.parametrize("number", [2.0, 2, True])
    @pytest.mark.parametrize("ufunc", [scipy.special.xlogy, scipy.special.jv, scipy.special.eval_legendre])
    def test_numbers_give_way_as_they_do_for_arrays(self, number, ufunc):
        f = tf.register_ufunc(ufunc, ["0.0", "0.0"])
        x = np.array([0.3], np.float32)
        assert f(number, tf.constant(x)).dtype == ufunc(number, x).dtype

    def test_numbers_are_not_rounded(self):
        f = tf.register_ufunc(scipy.special.xlogy, ["log(y)", "x / y"])
        assert float(f(0.1, tf.constant(3.0, dtype=tf.float64))) == scipy.special.xlogy(0.1, 3.0)
        assert float(f(0.1, 3.0)) == scipy.special.xlogy(0.1, 3.0)

    def test_lists_variables_and_scalars(self):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        assert f([0.5, 1.0]).numpy().tolist() == scipy.special.expit([0.5, 1.0]).tolist()
        assert f(np.float32(0.5)).dtype == tf.float32
        variable = tf.Variable([0.5, 1.0])
        with tf.GradientTape() as tape:
            y = f(variable) + f([variable[0], 2.0])
        assert tape.gradient(y, variable).shape == (2,)

    def test_integer_loops_stay(self):
        f = tf.register_ufunc(scipy.special.eval_legendre, ["-", "0.0"])
        x = tf.constant([0.3], dtype=tf.float64)
        assert f(3, x).numpy() == scipy.special.eval_legendre(3, [0.3])
        assert f(tf.constant(3), x).numpy() == scipy.special.eval_legendre(3, [0.3])

    def test_objects(self):
        f = tf.register_ufunc(np.frompyfunc(lambda x: x * x, 1, 1), [lambda x: 2.0 * x])
        x = tf.constant([1.0, 3.0], dtype=tf.float32)
        assert f(x).dtype == tf.float32
        assert gradient(f, np.array([1.0, 3.0]))[0].numpy().tolist() == [2.0, 6.0]
        assert f(tf.constant([2])).dtype == tf.float64
        check_grads(f, (np.ones((2, 2)),))

    def test_objects_with_several_results(self):
        f = tf.register_ufunc(np.frompyfunc(lambda x: (x, x * x), 1, 2), [[1.0], ["2.0 * x"]])
        check_grads(f, (np.array([1.0, 3.0]),))

    def test_no_warnings(self):
        f = tf.register_ufunc(np.float_power, ["y * float_power(x, y - 1.0)", None], replace=True)
        assert np.isinf(f(np.array([1e300]), 2.0).numpy())

    def test_signature_and_documentation(self):
        f = tf.register_ufunc(scipy.special.xlogy, ["log(y)", None])
        assert str(inspect.signature(f)) == "(x, y, /)"
        assert f.__name__ == "xlogy"
        assert "d out/dx = log(y)" in f.__doc__
        assert "not differentiable in y" in f.__doc__


class TestComplex:
    def test_refused(self):
        f = tf.register_ufunc(scipy.special.erf, ["1.1283791670955126 * exp(-x * x)"])
        assert f(tf.constant([1j])).numpy() == scipy.special.erf(1j)
        with pytest.raises(TypeError, match="complex values have no rule"):
            gradient(f, np.array([1j]))

    def test_holomorphic(self):
        f = tf.register_ufunc(scipy.special.erf, ["1.1283791670955126 * exp(-x * x)"], holomorphic=True)
        check_grads(f, (np.array([0.3 + 0.2j, -1j]),))

    def test_a_real_operand_of_a_complex_result(self):
        f = tf.register_ufunc(scipy.special.wofz, ["-2.0 * x * out + 1.1283791670955126j"], holomorphic=True)
        check_grads(f, (np.array([0.3, -1.0]),))


class TestRefusals:
    def test_an_operand_without_a_rule(self):
        f = tf.register_ufunc(scipy.special.jv, [None, "-"], reason="orders are awkward")
        assert f(1.5, tf.constant([2.0])).shape == (1,)
        with pytest.raises(
            TypeError, match=r"jv is not differentiable in operand 0.*orders are awkward.*stop_gradient"
        ):
            gradient(f, 1.5, 2.0)
        with pytest.raises(TypeError, match="it has no rule"):
            gradient(tf.register_ufunc(scipy.special.yv, [None, None]), 1.5, 2.0)

    def test_a_variable_without_a_rule_outside_tapes(self):
        f = tf.register_ufunc(scipy.special.jv, [None, "-"])
        assert f(tf.Variable(1.5), 2.0).shape == ()

    @pytest.mark.parametrize("keywords", [{"where": True}, {"out": None}, {"x": 1.0}])
    def test_keywords(self, keywords):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        with pytest.raises(TypeError, match="by position"):
            f(1.0, **keywords)

    def test_number_of_operands(self):
        f = tf.register_ufunc(scipy.special.expit, [SIGMOID])
        with pytest.raises(TypeError, match="takes 1 operands"):
            f(1.0, 2.0)

    def test_shapes_that_do_not_fit(self):
        f = tf.register_ufunc(scipy.special.xlogy, ["log(y)", "x / y"])
        with pytest.raises(ValueError, match=r"xlogy.*\(2,\), \(3,\)"):
            f(tf.ones(2), tf.ones(3))


BAD = [
    (["out * zeta(x)"], ValueError, "mentions zeta.*It can name x, out"),
    (["out *"], ValueError, "is not an expression"),
    (["x.real"], ValueError, "holds 'x.real'"),
    (["[x]"], ValueError, "rules are made of names"),
    (["where(0.0 < x < 1.0, x, 0.0)"], ValueError, "product of two comparisons"),
    (["sqrt(x=x)"], ValueError, "give a function instead"),
    (["y"], ValueError, "mentions y"),
    (["1.0", "1.0"], ValueError, "has 1 operands, but 2 partials"),
    ([], ValueError, "has 1 operands, but 0 partials"),
    ("1.0", TypeError, "must be a sequence"),
    (None, TypeError, "must be a sequence"),
    ([lambda a: a], ValueError, "is a function of a; what there is: x, out"),
    ([b"1"], TypeError, "must be a text, a number, a function or None, not bytes"),
]


class TestRegistration:
    @pytest.mark.parametrize(("partials", "error", "message"), BAD)
    def test_bad_rules(self, partials, error, message):
        with pytest.raises(error, match=message):
            tf.register_ufunc(scipy.special.expit, partials)
        assert scipy.special.expit not in UFUNC_OPERATIONS

    def test_several_results_need_several_rows(self):
        with pytest.raises(ValueError, match="has 2 outputs and needs a sequence of partials for each"):
            tf.register_ufunc(scipy.special.sici, ["sin(x) / x", "cos(x) / x"])

    @pytest.mark.parametrize("ufunc", [np.sum, "sin", lambda x: x])
    def test_no_ufunc(self, ufunc):
        with pytest.raises(TypeError, match=r"a ufunc is needed.*custom_gradient"):
            tf.register_ufunc(ufunc, ["1.0"])

    def test_generalized_ufunc(self):
        with pytest.raises(TypeError, match="not elementwise"):
            tf.register_ufunc(np.vecdot, ["y", "x"])

    def test_needless_reason(self):
        with pytest.raises(ValueError, match=r"no partial of expit is None"):
            tf.register_ufunc(scipy.special.expit, [SIGMOID], reason="none")

    def test_unregistered_ufunc_among_the_names(self):
        with pytest.raises(ValueError, match=r"expit in names=.*register it first"):
            tf.register_ufunc(scipy.special.log_expit, ["e(-x)"], names={"e": scipy.special.expit})

    def test_twice(self):
        tf.register_ufunc(scipy.special.expit, ["1.0"])
        with pytest.raises(ValueError, match=r"has an operation already.*replace=True"):
            tf.register_ufunc(scipy.special.expit, [SIGMOID])
        tf.register_ufunc(scipy.special.expit, [SIGMOID], replace=True)
        check_grads(lambda x: scipy.special.expit(x), (0.3,))

    def test_numpys_own_are_taken(self):
        with pytest.raises(ValueError, match="sin has an operation already"):
            tf.register_ufunc(np.sin, ["cos(x)"])

    @pytest.mark.parametrize("hands_over_itself", [False, True])
    def test_what_holds_a_ufunc(self, hands_over_itself):
        """Numba's ufuncs hold a NumPy ufunc, but tensors are handed the holder."""

        class Holder:
            ufunc = scipy.special.expit

            def __call__(self, x):
                if hands_over_itself and isinstance(x, tf.Tensor):
                    return x.__array_ufunc__(self, "__call__", x)
                return self.ufunc(x)

        holder = Holder()
        f = tf.register_ufunc(holder, [SIGMOID])
        check_grads(f, (0.3,))
        check_grads(holder, (0.3,))

    def test_threads(self):
        """Of several threads that register one ufunc, one succeeds."""
        barrier, outcomes = threading.Barrier(8), []

        def register():
            barrier.wait()
            try:
                outcomes.append(tf.register_ufunc(scipy.special.expit, [SIGMOID]))
            except ValueError:
                outcomes.append(None)

        threads = [threading.Thread(target=register) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = [outcome for outcome in outcomes if outcome is not None]
        assert UFUNC_OPERATIONS[scipy.special.expit] is winner
