"""Derivatives of elementwise operations: kernels against rules, rules against differences, higher orders."""

import mpmath
import numpy as np
import pytest
from optable import DIFFERENTIABLE, OPS, PARTIALS, evaluate, forward, identify

import tapegrad as tf
from tapegrad._native import from_numpy
from tapegrad.testing import check_grads

EVERY_OP = pytest.mark.parametrize("op", DIFFERENTIABLE, ids=identify)


def gradients_of(op, arrays, seed=None):
    """The gradients of an operation with respect to all operands, which are arrays."""
    operands = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as tape:
        tape.watch(operands)
        y = op.function(*operands)
    return tape.gradient(y, operands, output_gradients=seed)


def expected_gradient(op, k, arrays, seed):
    """The table's rule, evaluated by NumPy; a cotangent of zero gives zero."""
    partial = evaluate(op.partials[k], *arrays, out=forward(op, *arrays))
    with np.errstate(all="ignore"):
        return np.where(seed == 0, 0, seed * partial).astype(arrays[k].dtype)


@pytest.mark.parametrize(("op", "k"), PARTIALS, ids=lambda v: str(v))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestKernelsComputeTheRules:
    def check(self, op, k, arrays, seed):
        found = gradients_of(op, arrays, seed)[k]
        tolerance = 16 * np.finfo(seed.dtype).eps if "erf" in op.partials[k] else 0
        np.testing.assert_allclose(
            found.numpy(), expected_gradient(op, k, arrays, seed), rtol=tolerance, atol=tolerance
        )
        assert found.dtype == arrays[k].dtype

    def test_samples(self, op, k, dtype, rng):
        arrays = op.sample(rng, 3000, dtype=dtype)
        seed = rng.normal(size=3000).astype(dtype)
        seed[::7] = 0.0
        self.check(op, k, arrays, seed)

    def test_edges(self, op, k, dtype):
        edges = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 6.0, np.inf, -np.inf, np.nan, 1e-30, 1e30, 88.0, -104.0], dtype)
        arrays = [np.ascontiguousarray(grid).ravel() for grid in np.meshgrid(*[edges] * op.operands)]
        self.check(op, k, arrays, np.ones(arrays[0].shape, dtype))
        self.check(op, k, arrays, np.zeros(arrays[0].shape, dtype))

    def test_numbers(self, op, k, dtype, rng):
        for operands in zip(*op.sample(rng, 5, dtype=dtype), strict=True):
            # NumPy's vector kernels may differ in the last place from its own for single elements.
            found = gradients_of(op, operands)[k]
            expected = expected_gradient(op, k, [np.array([x]) for x in operands], np.ones(1, dtype))[0]
            np.testing.assert_allclose(found.numpy(), expected, rtol=16 * np.finfo(dtype).eps)
            assert type(found.numpy()) is dtype


@EVERY_OP
def test_differences(op, rng):
    check_grads(op.function, tuple(op.sample(rng, (2, 3))), order=2, atol=1e-5, rtol=1e-4)


@EVERY_OP
def test_differences_of_numbers(op, rng):
    check_grads(op.function, tuple(float(a) for a in op.sample(rng, ())), order=2, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.operands > 1], ids=identify)
@pytest.mark.parametrize("shapes", [((3, 1), (4,), ()), ((), (2, 3), (3,)), ((2, 1, 3), (1, 2, 1), (3,))])
def test_differences_with_broadcasting(op, shapes, rng):
    check_grads(op.function, tuple(op.sample(rng, *shapes[: op.operands])), order=2, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("op", [op for op in OPS if op.complex_rule != "-"], ids=identify)
def test_differences_of_complex_numbers(op, rng):
    arrays = op.sample(rng, 4, dtype=np.complex128)
    check_grads(op.function, tuple(arrays), order=2, atol=1e-5, rtol=1e-4)
    # and if only one operand is complex
    for k in range(op.operands if op.operands > 1 else 0):
        mixed = [a if j == k else np.ascontiguousarray(a.real) for j, a in enumerate(arrays)]
        check_grads(op.function, tuple(mixed), order=1, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.complex_rule == "-"], ids=identify)
def test_complex_numbers_without_a_rule(op, rng):
    x = tf.constant(op.sample(rng, 4, dtype=np.complex128)[0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError):
            op.function(*[x] * op.operands)


@EVERY_OP
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_lower_precision_agrees(op, dtype, rng):
    narrow = op.sample(rng, 50, dtype=dtype)
    wide = [a.astype(np.float64) for a in narrow]
    for found, expected in zip(gradients_of(op, narrow), gradients_of(op, wide), strict=True):
        if expected is None:
            assert found is None
            continue
        assert found.dtype == dtype
        scale = np.maximum(np.abs(expected.numpy()), 1.0)
        np.testing.assert_allclose(
            found.numpy() / scale, expected.numpy() / scale, rtol=0, atol=300 * np.finfo(dtype).eps
        )


@EVERY_OP
def test_layouts(op, rng):
    for arrange in (
        lambda a: a[::2, ::-1, 1:4],
        lambda a: a.T,
        lambda a: np.asfortranarray(a),
        lambda a: a[:, :1],
        lambda a: a[:0],
        lambda a: np.broadcast_to(a[0, 0], (4, 5)),
    ):
        arrays = [arrange(a) for a in op.sample(rng, (7, 6, 5))]
        operands = [from_numpy(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(operands)
            y = op.function(*operands)
        found = tape.gradient(y, operands)
        expected = gradients_of(op, [np.ascontiguousarray(a) for a in arrays])
        for g, e in zip(found, expected, strict=True):
            if e is not None:
                np.testing.assert_array_equal(g.numpy(), e.numpy())


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.operands > 1], ids=identify)
def test_the_same_operand_twice(op, rng):
    (x,) = op.sample(rng, 5)[:1]
    x = np.abs(x) + 0.3
    check_grads(lambda x: op.function(*[x + 0.1 * k for k in range(op.operands)]), (x,), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("op", [op for op in OPS if not any(op.partials)], ids=identify)
def test_no_gradient(op, rng):
    assert gradients_of(op, op.sample(rng, 3)) == [None] * op.operands


@EVERY_OP
def test_recorded_and_native_sweeps_agree(op, rng):
    arrays = op.sample(rng, 20)
    operands = [tf.constant(a) for a in arrays]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(operands)
        y = op.function(*operands)
    native = tape.gradient(y, operands)
    with tf.GradientTape():
        recorded = tape.gradient(y, operands)
    for a, b in zip(native, recorded, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-14)


CLOSED_FORMS = {
    "exp": mpmath.exp, "exp2": lambda x: mpmath.mpf(2) ** x, "expm1": mpmath.expm1, "log": mpmath.log,
    "log2": lambda x: mpmath.log(x, 2), "log10": mpmath.log10, "log1p": lambda x: mpmath.log(1 + x),
    "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan, "arcsin": mpmath.asin, "arccos": mpmath.acos,
    "arctan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
    "arcsinh": mpmath.asinh, "arccosh": mpmath.acosh, "arctanh": mpmath.atanh, "sqrt": mpmath.sqrt, "cbrt": mpmath.cbrt,
    "reciprocal": lambda x: 1 / x, "square": lambda x: x * x, "erf": mpmath.erf, "erfc": mpmath.erfc,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "log_sigmoid": lambda x: -mpmath.log(1 + mpmath.exp(-x)), "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_three_orders_against_exact_arithmetic(name):
    (op,) = (op for op in OPS if op.name == name)
    points = {"above1": [1.2, 3.5]}.get(op.domains[0], [0.3, 0.85])
    for point in points:
        x = tf.constant(point, dtype=tf.float64)
        with tf.GradientTape() as third:
            third.watch(x)
            with tf.GradientTape() as second:
                second.watch(x)
                with tf.GradientTape() as first:
                    first.watch(x)
                    y = op.function(x)
                dy = first.gradient(y, x)
            ddy = second.gradient(dy, x)
        dddy = third.gradient(ddy, x)
        with mpmath.workdps(40):
            for order, found in enumerate([y, dy, ddy, dddy]):
                expected = float(mpmath.diff(CLOSED_FORMS[name], mpmath.mpf(point), order))
                given = 0.0 if found is None else float(found)
                assert given == pytest.approx(expected, rel=2e-13, abs=2e-14), f"{name}, order {order}, at {point}"
