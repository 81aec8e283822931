"""The special functions that are no ufuncs: polygamma, zeta, lambertw, logsumexp, combinatorics, spherical Bessel."""

import numpy as np
import pytest
import scipy.special

import tapegrad as tf
from tapegrad import special
from tapegrad.testing import check_grads

TOLERANCE = {"atol": 1e-5, "rtol": 1e-4}
X = np.array([0.6, 1.7, 2.9])
Z = X + np.array([0.4j, -0.3j, 1.1j])


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("x", [X, -X, Z, -Z], ids=["positive", "negative", "complex", "complex left"])
def test_polygamma(n, x):
    check_grads(lambda x: special.polygamma(n, x), (x,), atol=1e-5, rtol=1e-3)
    if x.dtype.kind == "f":
        np.testing.assert_array_equal(special.polygamma(n, x).numpy(), scipy.special.polygamma(n, x))


def test_polygamma_of_several_orders():
    orders = np.array([0, 1, 2])
    np.testing.assert_array_equal(special.polygamma(orders, X).numpy(), scipy.special.polygamma(orders, X))
    check_grads(lambda x: special.polygamma(orders, x), (X,), **TOLERANCE)
    with pytest.raises(ValueError, match="must be an integer from 0"):
        special.polygamma(0.5, X)
    with pytest.raises(ValueError, match="must be one integer"):
        special.polygamma(orders, Z)


def test_gamma_of_complex_numbers_twice():
    """The second derivative takes the complex trigamma function, which SciPy does not have."""
    check_grads(special.gamma, (Z,), order=2, **TOLERANCE)
    check_grads(special.loggamma, (-Z,), order=2, **TOLERANCE)


def test_zeta():
    np.testing.assert_array_equal(special.zeta(X + 1.0, X).numpy(), scipy.special.zeta(X + 1.0, X))
    check_grads(special.zeta, (X + 1.0, X), **TOLERANCE)
    check_grads(special.zeta, (np.array([-3.3, -1.2, -0.2, 0.3, 1.5, 8.0]),), **TOLERANCE)


@pytest.mark.parametrize("k", [0, 1, -1])
def test_lambertw(k):
    np.testing.assert_array_equal(special.lambertw(Z, k).numpy(), scipy.special.lambertw(Z, k))
    check_grads(lambda z: special.lambertw(z, k), (Z,), **TOLERANCE)
    check_grads(lambda z: special.lambertw(z, k), (X,), **TOLERANCE)


def test_multigammaln():
    assert float(special.multigammaln(3.5, 3)) == scipy.special.multigammaln(3.5, 3)
    check_grads(lambda a: special.multigammaln(a, 3), (X + 1.5,), **TOLERANCE)


class TestCombinatorics:
    @pytest.mark.parametrize("name", ["comb", "perm"])
    def test_pairs(self, name):
        function, scipys = getattr(special, name), getattr(scipy.special, name)
        n, k = np.array([5.0, 4.5, 3.0, 2.0, -1.0]), np.array([2.0, 1.5, 0.0, 3.0, 1.0])
        np.testing.assert_array_equal(function(n, k).numpy(), scipys(n, k))
        check_grads(function, (n[:3], np.array([2.0, 1.5, 0.4])), **TOLERANCE)
        assert function(6, 3, exact=True) == scipys(6, 3, exact=True)

    def test_impossible_pairs_have_slope_zero(self):
        n = tf.constant([2.0, -1.0], dtype=tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(n)
            y = special.comb(n, [3.0, 1.0])
        assert tape.gradient(y, n).numpy().tolist() == [0.0, 0.0]

    def test_repetition(self):
        n, k = np.array([5.0, 4.5]), np.array([2.0, 0.0])
        expected = scipy.special.comb(n, k, repetition=True)
        np.testing.assert_array_equal(special.comb(n, k, repetition=True).numpy(), expected)
        check_grads(lambda n, k: special.comb(n, k, repetition=True), (n, np.array([2.0, 1.3])), **TOLERANCE)

    def test_factorial(self):
        x = np.array([0.5, 3.0, -1.0])
        np.testing.assert_array_equal(special.factorial(x).numpy(), scipy.special.factorial(x))
        check_grads(special.factorial, (x[:2],), **TOLERANCE)
        assert special.factorial(np.array([3, 4])).numpy().tolist() == [6.0, 24.0]
        assert special.factorial(30, exact=True) == scipy.special.factorial(30, exact=True)
        with pytest.raises(TypeError, match="exact=True computes with integers"), tf.GradientTape():
            special.factorial(tf.Variable(3.0), exact=True)


@pytest.mark.parametrize("kind", ["jn", "yn", "in", "kn"])
@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("derivative", [False, True])
def test_spherical(kind, n, derivative):
    function, scipys = getattr(special, f"spherical_{kind}"), getattr(scipy.special, f"spherical_{kind}")
    for z in (X, Z):
        np.testing.assert_array_equal(function(n, z, derivative).numpy(), scipys(n, z, derivative))
        check_grads(lambda z: function(n, z, derivative), (z,), **TOLERANCE)


@pytest.mark.parametrize("name", ["jvp", "yvp", "ivp", "kvp", "h1vp", "h2vp"])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_derivatives_of_bessel_functions(name, n):
    function = getattr(special, name)
    np.testing.assert_array_equal(function(1.3, X, n).numpy(), getattr(scipy.special, name)(1.3, X, n))
    check_grads(lambda z: function(1.3, z, n), (X,), **TOLERANCE)
    with pytest.raises(ValueError, match="must be 0 or greater"):
        function(1.3, X, -1)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_diric(n):
    x = np.array([0.0, 0.3, 2.0 * np.pi, 5.0])
    np.testing.assert_array_equal(special.diric(x, n).numpy(), scipy.special.diric(x, n))
    check_grads(lambda x: special.diric(x, n), (x,), **TOLERANCE)


def test_small_ones():
    for function, scipys in ((special.sinc, scipy.special.sinc), (special.softplus, lambda x: np.logaddexp(0, x))):
        np.testing.assert_array_equal(function(X).numpy(), scipys(X))
        check_grads(function, (X,), **TOLERANCE)
    np.testing.assert_array_equal(special.assoc_laguerre(X, 2, 0.5).numpy(), scipy.special.assoc_laguerre(X, 2, 0.5))
    check_grads(lambda x: special.assoc_laguerre(x, 2, 0.5), (X,), **TOLERANCE)


WATCHED = [
    ("polygamma", lambda v: special.polygamma(v, 1.0), "the order"),
    ("lambertw", lambda v: special.lambertw(1.0, v), "the branch"),
    ("multigammaln", lambda v: special.multigammaln(5.0, v), "the dimension"),
    ("diric", lambda v: special.diric(1.0, v), "n"),
    ("spherical_jn", lambda v: special.spherical_jn(v, 1.0), "the order"),
    ("jvp", lambda v: special.jvp(v, 1.0), "the order"),
]


@pytest.mark.parametrize(("name", "call", "what"), WATCHED, ids=[case[0] for case in WATCHED])
def test_arguments_without_a_rule(name, call, what):
    variable = tf.Variable(2.0)
    with tf.GradientTape(), pytest.raises(TypeError, match=f"{name} is not differentiable in {what}, which is watched"):
        call(variable)


class TestLogsumexp:
    @pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
    @pytest.mark.parametrize("keepdims", [False, True])
    def test_plain_and_weighted(self, axis, keepdims, rng):
        a, b = rng.normal(size=(3, 4)), rng.uniform(0.5, 2.0, (3, 1))
        options = {"axis": axis, "keepdims": keepdims}
        for weights in ({}, {"b": b}):
            expected = scipy.special.logsumexp(a, **options, **weights)
            np.testing.assert_array_equal(special.logsumexp(a, **options, **weights).numpy(), expected)
        check_grads(lambda a: special.logsumexp(a, **options), (a,))
        check_grads(lambda a, b: special.logsumexp(a, b=b, **options), (a, b))
        check_grads(lambda a: special.logsumexp(a, **options), (a + 1j * rng.normal(size=a.shape),), **TOLERANCE)

    def test_signs(self, rng):
        a, b = rng.normal(size=(3, 4)), rng.normal(size=4)
        found = special.logsumexp(a, 1, b, return_sign=True)
        expected = scipy.special.logsumexp(a, 1, b, return_sign=True)
        for f, e in zip(found, expected, strict=True):
            np.testing.assert_array_equal(f.numpy(), e)
        check_grads(lambda a, b: special.logsumexp(a, 1, b, return_sign=True)[0], (a, b), **TOLERANCE)
        assert np.isnan(special.logsumexp([0.0, 1.0], b=[1.0, -1.0]).numpy())
        with pytest.raises(TypeError, match="sign of a complex sum"):
            special.logsumexp(a + 1j, return_sign=True)

    def test_the_sign_alone_has_slope_zero(self):
        a = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(a)
            _, sign = special.logsumexp(a, return_sign=True)
        g = tape.gradient(sign, a)
        assert g is None or g.numpy().tolist() == [0.0, 0.0]

    @pytest.mark.parametrize(
        ("a", "b", "in_a", "in_b"),
        [
            ([1000.0, 0.0], [0.0, 2.0], [0.0, 1.0], [np.inf, 0.5]),
            ([-np.inf, 0.0], [3.0, 2.0], [0.0, 1.0], [0.0, 0.5]),
            ([800.0, 800.0], [3.0, 1.0], [0.75, 0.25], [0.25, 0.25]),
        ],
    )
    def test_weights_at_edges(self, a, b, in_a, in_b):
        operands = [tf.constant(a, dtype=tf.float64), tf.constant(b, dtype=tf.float64)]
        with tf.GradientTape() as tape:
            tape.watch(operands)
            y = special.logsumexp(operands[0], b=operands[1])
        for found, expected in zip(tape.gradient(y, operands), (in_a, in_b), strict=True):
            np.testing.assert_allclose(found.numpy(), expected)

    def test_a_number(self):
        assert float(special.logsumexp(1.5)) == 1.5
        check_grads(special.logsumexp, (1.5,))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_softmax(name, axis, rng):
    x = rng.normal(size=(3, 4))
    function = getattr(special, name)
    np.testing.assert_allclose(function(x, axis).numpy(), getattr(scipy.special, name)(x, axis), rtol=1e-15)
    check_grads(lambda x: function(x, axis), (x,))
    assert function(2.0).shape == ()
    with pytest.raises(TypeError, match="is for real values"):
        function(1j * x)
