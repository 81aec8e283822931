"""`sparse_jacobian` and `sparse_hessian`: values, when patterns are found anew, forms of arguments, errors."""

import pickle

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import scipy.sparse.linalg
from shared import rosenbrock
from test_sparse_pattern import EXACT, laplacian

import tapegrad
import tapegrad as tf

BANDED = np.diag(np.arange(1.0, 7.0)) + np.diag(np.full(4, 2.0), 2)


def dense(f, x, *more):
    jacobian = np.asarray(tapegrad.jacobian(f)(x, *more))
    return jacobian.reshape(-1, np.size(x))


@pytest.mark.parametrize("name", EXACT)
def test_is_the_jacobian(name, rng):
    f, shape = EXACT[name]
    jacobian = tapegrad.sparse_jacobian(f, check=True)
    for _ in range(3):
        x = rng.normal(size=shape)
        found = jacobian(x)
        assert isinstance(found, scipy.sparse.csr_array)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found.toarray(), dense(f, x), rtol=1e-12, atol=1e-12)


FUNCTIONS = {
    "Rosenbrock": (rosenbrock, (9,)),
    "arrow": (lambda x: x[0] * np.sum(np.sin(x)) + np.sum(x**4), (8,)),
    "arrow pointing down": (lambda x: x[-1] * np.sum(np.sin(x)), (8,)),
    "separable": (lambda x: np.sum(np.exp(x) * x), (4, 3)),
    "linear": (lambda x: np.sum(3.0 * x) - x[0], (5,)),
    "grid": (lambda u: np.sum(laplacian(u) ** 2), (4, 5)),
    "minimal surface": (lambda u: np.sum(np.sqrt(1.0 + np.diff(u, axis=0)[:, 1:] ** 2 + np.diff(u)[1:] ** 2)), (4, 4)),
    "least squares": (lambda x: np.sum((BANDED @ np.sin(x) - 1.0) ** 2), (6,)),
    "branches": (lambda x: np.sum(tf.where(x > 0.0, x**3, x * x[::-1])), (6,)),
    "full": (lambda x: np.linalg.norm(x) ** 3, (5,)),
    "sorted": (lambda x: np.sum(np.sort(x)[:2] ** 3) * x[3], (6,)),
    "spectrum": (lambda x: np.sum(abs(np.fft.rfft(x)) ** 4), (6,)),
    "a number": (lambda x: np.exp(x) * x, ()),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_the_hessian(name, rng):
    f, shape = FUNCTIONS[name]
    hessian = tapegrad.sparse_hessian(f, check=True)
    for _ in range(3):
        x = rng.normal(size=shape)
        found = hessian(x)
        assert isinstance(found, scipy.sparse.csr_array)
        np.testing.assert_allclose(
            found.toarray(), np.reshape(tapegrad.hessian(f)(x), (x.size, x.size)), rtol=1e-11, atol=1e-11
        )


def directions(function):
    """How many directions the last call of a sparse Jacobian or Hessian took."""
    return function._last[1].count


def test_few_directions_are_taken(rng):
    hessian = tapegrad.sparse_hessian(rosenbrock)
    found = hessian(rng.normal(size=1000))
    assert found.nnz == 2998
    assert directions(hessian) == 3
    arrow = tapegrad.sparse_hessian(lambda x: x[0] * np.sum(np.sin(x)))
    assert arrow(rng.normal(size=200)).nnz == 3 * 200 - 2
    assert directions(arrow) == 2
    tall = tapegrad.sparse_jacobian(lambda x: tf.concat([x[0] * x, x[1] * x], 0))
    tall(rng.normal(size=50))
    assert directions(tall) == 3  # columns x[0], x[1], and all others
    wide = tapegrad.sparse_jacobian(lambda x: tf.stack([np.sum(x[:30]), np.sum(x[20:])]) ** 2)
    wide(rng.normal(size=50))
    assert directions(wide) == 2


def test_many_directions_go_in_parts(monkeypatch, rng):
    monkeypatch.setattr("tapegrad.sparse.compression._MOST_ELEMENTS", 40)
    x = rng.normal(size=9)
    for f in (lambda x: np.cumsum(x**2), lambda x: np.sum(x) * x[:5], lambda x: np.sum(x[:5]) * x):
        np.testing.assert_allclose(tapegrad.sparse_jacobian(f)(x).toarray(), dense(f, x))


def found_anew(monkeypatch):
    """A list that grows by one with each pattern that is found."""
    from tapegrad.sparse import derivatives

    calls = []
    original = derivatives.pattern
    monkeypatch.setattr(derivatives, "pattern", lambda *args: calls.append(args) or original(*args))
    return calls


def test_a_pattern_is_found_once(monkeypatch, rng):
    calls = found_anew(monkeypatch)
    mixing = np.arange(12.0).reshape(3, 4) - 3.0
    jacobian = tapegrad.sparse_jacobian(
        lambda x, c: tf.concat([np.roll(x * c, 1), mixing @ tf.gather(x, [0, 2, 2, 1]), x[np.array([True] * 5)]], 0)
    )
    for _ in range(3):
        jacobian(rng.normal(size=5), 3.0)
    assert len(calls) == 1
    jacobian(rng.normal(size=5), np.arange(1.0, 6.0))
    assert len(calls) == 1
    hessian = tapegrad.sparse_hessian(rosenbrock)
    hessian(np.zeros(4))
    hessian(np.ones(4))
    assert len(calls) == 2
    hessian(np.ones(5))
    assert len(calls) == 3


def masked(x):
    y = x * 1.0
    y[x < 0] = 0.0
    return y * y


def branching(x):
    a, b = x[1] * x[2], x[3] * x[4]
    return a if x[0] > 0 else b


OTHER_PROGRAMS = {
    "a mask that is written to": masked,
    "a mask that is written to, with values": lambda x: x.at[x < 0].set(x[::-1][x < 0]),
    "a mask that is read": lambda x: x[x > 0] ** 2,
    "indices": lambda x: tf.gather(x * x, np.argsort(tf.constant(x).numpy())),
    "an index": lambda x: x[int(np.argmax(x.numpy()))] ** 2,
    "an index of a vector": lambda x: x[int(np.argmax(x.numpy())) :][:1] ** 2,
    "which result": branching,
    "which argument": lambda x: x[int(x[0] > 0)] * 2.0,
    "zeros of a matrix": lambda x: np.where(x.numpy() > 0, np.eye(5), np.eye(5)[::-1]) @ x,
    "zeros in einsum": lambda x: np.einsum("ij,j->i", np.where(x.numpy() > 0, np.eye(5), np.eye(5)[::-1]), x),
    "a shift": lambda x: np.roll(x, int(abs(x[0].numpy()) * 10)) ** 2,
    "distinct values": lambda x: np.unique(x) ** 2,
    "np.piecewise": lambda x: np.piecewise(x, [x.numpy() > 0], [lambda t: t * t, lambda t: t**3]),
    "sort": lambda x: np.sort(x) ** 2,
    "a loop of another length": lambda x: sum(x[k : k + 2] ** 2 for k in range(1 + (x[0].numpy() > 0))),
}


@pytest.mark.parametrize("name", OTHER_PROGRAMS)
def test_programs_that_look_at_values(name, rng):
    f = OTHER_PROGRAMS[name]
    jacobian = tapegrad.sparse_jacobian(f)
    for _ in range(8):
        x = rng.normal(size=5)
        np.testing.assert_allclose(jacobian(x).toarray(), dense(f, x), rtol=1e-12)


def test_the_result_is_the_callers(rng):
    jacobian = tapegrad.sparse_jacobian(lambda x: x[1:] * x[:-1])
    x = rng.normal(size=4)
    first = jacobian(x)
    expected = first.toarray()
    first.data[:] = 0
    first.eliminate_zeros()
    np.testing.assert_array_equal(jacobian(x).toarray(), expected)


def test_zeros_in_the_pattern_are_stored():
    assert tapegrad.sparse_jacobian(lambda x: x * x)(np.zeros(3)).nnz == 3


def test_directions_do_not_meet_infinite_partials():
    found = tapegrad.sparse_jacobian(lambda x: np.sqrt(x) * 2.0)(np.array([0.0, 1.0, 4.0]))
    np.testing.assert_array_equal(found.toarray(), np.diag([np.inf, 1.0, 0.5]))


@pytest.mark.parametrize(
    ("of_argument", "dtype"), [(np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64)]
)
def test_dtype_is_the_arguments(of_argument, dtype):
    x = np.array([1.0, 2.0, 3.0], of_argument)
    assert tapegrad.sparse_jacobian(lambda x: x[1:] * x[:-1])(x).dtype == dtype
    assert tapegrad.sparse_hessian(lambda x: np.sum(x * x * x))(x).dtype == dtype
    assert tapegrad.sparse_jacobian(lambda x: tf.cast(x, tf.float64) ** 2, check=True)(x).dtype == dtype


def test_other_arguments_and_keywords(rng):
    def f(a, x, *, scale):
        return a * x[::-1] * scale

    x = rng.normal(size=3)
    expected = np.fliplr(np.diag([2.0, 4.0, 6.0]))
    for jacobian in (tapegrad.sparse_jacobian(f, 1), tapegrad.sparse_jacobian(f, argnum=-1)):
        np.testing.assert_array_equal(jacobian(np.array([1.0, 2.0, 3.0]), x, scale=2.0).toarray(), expected)
    by_name = tapegrad.sparse_jacobian(lambda a, x: a * x, 1)
    np.testing.assert_array_equal(by_name(a=np.ones(2), x=np.ones(2)).toarray(), np.eye(2))


def test_tensors_and_variables():
    expected = np.diag([2.0, 4.0])
    for x in (tf.constant([1.0, 2.0]), tf.Variable([1.0, 2.0])):
        found = tapegrad.sparse_jacobian(lambda x: x * x)(x)
        assert isinstance(found, scipy.sparse.csr_array)
        np.testing.assert_array_equal(found.toarray(), expected)


@pytest.mark.parametrize("transform", [tapegrad.sparse_jacobian, tapegrad.sparse_hessian])
def test_what_a_tape_records_is_refused(transform):
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape(), pytest.raises(TypeError, match="could not be followed"):
        transform(lambda x: np.sum(x**3))(v)
    with pytest.raises(TypeError, match="could not be followed"):
        tapegrad.grad(lambda c: tapegrad.sparse_jacobian(lambda x: c * x)(np.ones(2)).sum())(2.0)


@pytest.mark.parametrize(
    "given",
    [np.eye(3), np.eye(3, dtype=bool), np.eye(3).tolist(), scipy.sparse.coo_array(np.eye(3)), scipy.sparse.eye(3)],
    ids=["floats", "booleans", "lists", "sparse array", "sparse matrix"],
)
def test_a_given_pattern(given, monkeypatch):
    calls = found_anew(monkeypatch)
    opaque = tf.custom_gradient(lambda x: (x * x, lambda g: 2.0 * x * g))
    x = np.array([1.0, 2.0, 3.0])
    jacobian = tapegrad.sparse_jacobian(opaque, pattern=given, check=True)
    np.testing.assert_array_equal(jacobian(x).toarray(), np.diag(2.0 * x))
    assert directions(jacobian) == 1
    assert not calls
    with pytest.raises(ValueError, match=r"\(3, 3\), but it must be \(4, 4\)"):
        jacobian(np.ones(4))


def test_half_of_a_hessians_pattern_is_enough():
    upper = scipy.sparse.diags_array([1, 1], offsets=[0, 1], shape=(5, 5), dtype=bool)
    found = tapegrad.sparse_hessian(rosenbrock, pattern=upper, check=True)(np.zeros(5))
    np.testing.assert_array_equal(found.toarray(), tapegrad.hessian(rosenbrock)(np.zeros(5)))


def test_the_check_finds_a_pattern_that_is_too_small():
    def f(x):
        return x * x[::-1]

    unchecked = tapegrad.sparse_jacobian(f, pattern=np.eye(4))(np.ones(4))
    assert unchecked.nnz == 4
    with pytest.raises(ValueError, match=r"outside of its pattern: row 0, and 3 more"):
        tapegrad.sparse_jacobian(f, pattern=np.eye(4), check=True)(np.arange(1.0, 5.0))
    with pytest.raises(ValueError, match=r"sparse_hessian: .* outside"):
        tapegrad.sparse_hessian(rosenbrock, pattern=np.eye(4), check=True)(np.ones(4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tapegrad.sparse_jacobian(3.0), "a function is needed"),
        (lambda: tapegrad.sparse_jacobian(np.sin, (0, 1)), "argnum must be one integer"),
        (lambda: tapegrad.sparse_jacobian(np.sin)(np.arange(3)), "int64"),
        (lambda: tapegrad.sparse_jacobian(np.sin)(np.ones(3, complex)), "must be real"),
        (lambda: tapegrad.sparse_jacobian(np.sin, 1)(np.ones(3)), "1 positional arguments"),
        (lambda: tapegrad.sparse_jacobian(lambda x: x["a"])({"a": np.ones(2)}), "one number or array"),
        (lambda: tapegrad.sparse_jacobian(lambda x: None)(np.ones(2)), "returned None"),
        (lambda: tapegrad.sparse_hessian(lambda x: x * x)(np.ones(2)), "must return a scalar"),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_empty_arguments(shape):
    assert tapegrad.sparse_jacobian(lambda x: x * x)(np.ones(shape)).shape == (0, 0)
    assert tapegrad.sparse_hessian(lambda x: np.sum(x * x))(np.ones(shape)).shape == (0, 0)
    assert tapegrad.sparse_jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)


def test_objects_can_be_pickled_before_and_after_a_call():
    for transform, f, x in (
        (tapegrad.sparse_hessian, rosenbrock, np.zeros(5)),
        (tapegrad.sparse_jacobian, laplacian, np.ones((3, 3))),
    ):
        function = transform(f)
        fresh = pickle.loads(pickle.dumps(function))
        expected = function(x).toarray()
        used = pickle.loads(pickle.dumps(function))
        np.testing.assert_array_equal(fresh(x).toarray(), expected)
        np.testing.assert_array_equal(used(x).toarray(), expected)
        assert directions(used) == directions(function)


def test_methods():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @tapegrad.sparse_jacobian
        def slopes(self, x):
            return self.scale * x[1:] ** 2

    with pytest.raises(TypeError):
        Model(1.0).slopes()
    assert tapegrad.sparse_jacobian(Model(2.0).slopes.__wrapped__)(np.ones(3)).toarray()[0, 1] == 4.0
    np.testing.assert_array_equal(Model(3.0).slopes(np.ones(2)).toarray(), [[0.0, 6.0]])


def test_trust_constr_takes_the_hessian():
    n = 30
    result = scipy.optimize.minimize(
        rosenbrock,
        np.zeros(n),
        method="trust-constr",
        jac=tapegrad.grad(rosenbrock),
        hess=tapegrad.sparse_hessian(rosenbrock),
        options={"maxiter": 300},
    )
    np.testing.assert_allclose(result.x, np.ones(n), atol=1e-5)


def test_least_squares_takes_the_jacobian():
    def residuals(x):
        return tf.concat([10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]], 0)

    result = scipy.optimize.least_squares(
        lambda x: residuals(x).numpy(), np.zeros(20), jac=tapegrad.sparse_jacobian(residuals), tr_solver="lsmr"
    )
    np.testing.assert_allclose(result.x, np.ones(20), atol=1e-6)


def test_newtons_method_on_a_grid():
    def residual(u):
        return laplacian(u) - 2.0 * u**3 - 1.0

    u = np.zeros((8, 8))
    jacobian = tapegrad.sparse_jacobian(residual)
    for _ in range(12):
        value = np.asarray(residual(u)).reshape(-1)
        u = u - scipy.sparse.linalg.spsolve(jacobian(u).tocsc(), value).reshape(u.shape)
    assert np.max(abs(residual(u))) < 1e-12
