"""Primitives with autograd's rules: given one by one or together, missing, replaced, complex, and of structures."""

from __future__ import annotations

import ctypes

import numpy as onp
import pytest
from numpy.testing import assert_allclose
from sparse_cotangent import second

import tapegrad as tf
import tapegrad.compat.autograd.numpy as np
from tapegrad.compat.autograd import grad, hessian, jacobian, make_jvp, make_vjp
from tapegrad.compat.autograd.core import def_linear
from tapegrad.compat.autograd.extend import (
    JVPNode,
    VSpace,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
    primitive,
    register_notrace,
    vspace,
)
from tapegrad.compat.autograd.numpy.numpy_vjps import match_complex, repeat_to_match_shape, unbroadcast, unbroadcast_f
from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata
from tapegrad.compat.autograd.scipy import linalg
from tapegrad.compat.autograd.test_util import check_grads
from tapegrad.compat.autograd.util import toposort

X = onp.array([0.3, 0.7, 1.2])


def power_with(define):
    """A primitive x**n, with rules that `define` gives."""

    @primitive
    def power(x, n, *, scale=1.0):
        assert isinstance(x, (float, onp.ndarray))
        return scale * x**n

    define(power)
    return power


def by_argument(power):
    defvjp(power, lambda ans, x, n, scale=1.0: lambda g: g * scale * n * x ** (n - 1.0), None)
    defjvp(power, lambda g, ans, x, n, scale=1.0: g * scale * n * x ** (n - 1.0), None)


def slope(args, kw):
    return kw.get("scale", 1.0) * args[1] * args[0] ** (args[1] - 1)


def by_number(power):
    defvjp_argnum(power, lambda k, ans, args, kw: lambda g: g * slope(args, kw))
    defjvp_argnum(power, lambda k, g, ans, args, kw: g * slope(args, kw))


def together(power):
    defvjp_argnums(power, lambda argnums, ans, args, kw: lambda g: (g * slope(args, kw),))
    defjvp_argnums(power, lambda argnums, gs, ans, args, kw: gs[0] * slope(args, kw))


@pytest.mark.parametrize("define", [by_argument, by_number, together])
def test_rules_in_every_form(define):
    power = power_with(define)
    first, second = 2.0 * 3.0 * X**2, 2.0 * 6.0 * X

    def f(x):
        return np.sum(power(x, 3.0, scale=2.0))

    assert_allclose(grad(f)(X), first)
    assert_allclose(make_jvp(f)(X)(X), (f(X), onp.sum(first * X)))
    assert_allclose(hessian(f)(X), onp.diag(second))
    assert_allclose(jacobian(lambda x: power(x, 3.0, scale=2.0))(X), onp.diag(first))
    assert_allclose(grad(lambda x: grad(power)(x, 3.0))(0.5), 3.0)
    assert power(2.0, 3.0) == 8.0
    assert power.__name__ == "power"


def test_forward_mode_without_a_rule_transposes():
    power = power_with(lambda power: defvjp(power, lambda ans, x, n: lambda g: g * n * x ** (n - 1.0)))
    assert_allclose(make_jvp(lambda x: power(x, 3.0))(X)(X)[1], 3.0 * X**3)


def test_missing_rules_are_named():
    power = power_with(by_argument)
    assert grad(power, 1)(2.0, 3.0) == 0.0  # None
    assert_allclose(grad(grad(lambda x: power(x, x + 1.0)))(2.0), 16.0 + 12.0 * onp.log(2.0))
    defvjp(power, lambda ans, x, n: lambda g: g, argnums=[1])
    with pytest.raises(NotImplementedError, match="VJP of power wrt argnum 0 not defined"):
        grad(power)(2.0, 3.0)
    assert grad(power, 1)(2.0, 3.0) == 1.0
    defjvp(power, "same", argnums=[1])
    with pytest.raises(NotImplementedError, match="JVP of power wrt argnum 0 not defined"):
        make_jvp(power)(2.0, 3.0)(1.0)
    linear = primitive(lambda x: 2.0 * x)
    def_linear(linear)
    assert make_jvp(linear)(3.0)(1.0) == (6.0, 2.0)
    with pytest.raises(NotImplementedError, match="not defined"):
        grad(linear)(3.0)


def test_rules_are_for_primitives_and_positional_arguments():
    with pytest.raises(TypeError, match="no primitive"):
        defvjp(onp.sin, lambda ans, x: lambda g: g)
    with pytest.raises(TypeError, match="given by keyword"):
        grad(lambda s: power_with(by_argument)(2.0, 3.0, scale=s))(1.0)


def test_only_the_rules_that_are_wanted_run():
    wanted = []

    @primitive
    def product(a, b):
        return a * b

    def maker(k):
        def of_call(ans, a, b):
            wanted.append(k)
            return lambda g: g * (b, a)[k]

        return of_call

    defvjp(product, maker(0), maker(1))
    assert grad(product, 1)(2.0, 3.0) == 2.0
    assert wanted == [1]


def test_compiled_code_is_called_with_plain_numbers():
    c_sqrt = ctypes.CDLL(None).sqrt
    c_sqrt.restype, c_sqrt.argtypes = ctypes.c_double, [ctypes.c_double]
    root = primitive(lambda x: c_sqrt(x))
    defvjp(root, lambda ans, x: lambda g: g / (2.0 * root(x)))
    assert_allclose(grad(root)(4.0), 0.25)
    assert_allclose(grad(grad(root))(4.0), -1.0 / 32.0)


def test_rules_of_library_functions_are_replaced_one_argument_at_a_time():
    power, original = np.float_power, np.float_power.rules
    before = original.vjp
    try:
        defvjp(power, lambda ans, x, y: lambda g: 100.0 * g, argnums=[0])
        assert grad(power)(2.0, 3.0) == 100.0
        assert_allclose(grad(power, 1)(2.0, 3.0), 8.0 * onp.log(2.0))  # its own rule
        assert_allclose(make_jvp(power)(2.0, 3.0)(1.0)[1], 100.0)
        assert grad(onp.float_power)(2.0, 3.0) == 12.0  # NumPy's function is not autograd's
    finally:
        original.vjp = before
    assert grad(power)(2.0, 3.0) == 12.0


def test_rules_for_library_functions_that_have_none():
    matrix = onp.array([[2.0, 0.5], [0.5, 1.0]])
    with pytest.raises(NotImplementedError, match="VJP of cosm wrt argnum 0 not defined"):
        grad(lambda a: np.trace(linalg.cosm(a)))(matrix)
    assert_allclose(linalg.cosm(matrix), linalg.cosm.fun(matrix))
    try:
        defvjp(linalg.cosm, lambda ans, a: lambda g: -np.dot(linalg.sinm(a).T, g))
        assert_allclose(grad(lambda a: np.trace(linalg.cosm(a)))(matrix), -linalg.sinm(matrix).T)
    finally:
        linalg.cosm.rules.vjp = None


def test_constants_by_decoration_and_by_registration():
    steps = notrace_primitive(lambda x, *, at: float(round(float(x))) + at["by"])
    assert grad(lambda x: steps(x, at={"by": x}) * x)(2.6) == 3.0 + 2.6
    size = primitive(lambda x: float(x.size))
    register_notrace(JVPNode, size)
    assert_allclose(grad(lambda x: size(x) * np.sum(x))(X), [3.0] * 3)
    assert_allclose(make_jvp(lambda x: size(x) * np.sum(x))(X)(X), (3.0 * X.sum(), 3.0 * X.sum()))


def test_complex_primitives():
    @primitive
    def cube(z):
        return z**3

    defvjp(cube, lambda ans, z: lambda g: g * 3.0 * z**2)
    defjvp(cube, lambda g, ans, z: g * 3.0 * z**2)
    z, v = 0.5 + 1.0j, 0.3 - 2.0j
    assert_allclose(make_vjp(cube)(z)[0](v), 3 * z**2 * v)
    assert_allclose(make_jvp(cube)(z)(v)[1], 3 * z**2 * v)
    for made in (lambda c: lambda z: np.real(c(z)), lambda c: lambda z: np.abs(c(z) + z) ** 2):
        given, wanted = made(cube), made(lambda z: z**3)
        assert_allclose(grad(given)(z), grad(wanted)(z))
        along = [grad(lambda x, f=f: f(x + 2.0j))(0.3) for f in (given, wanted)]
        assert_allclose(*along)
    check_grads(lambda z: np.abs(cube(z)) ** 2)(z)
    # A real argument whose rule gives a complex cotangent gets its real part.
    turned = primitive(lambda x: x * 1j)
    defvjp(turned, lambda ans, x: lambda g: g * 1j)
    assert_allclose(grad(lambda x: np.imag(turned(x) * x))(3.0), 6.0)


def test_primitives_of_structures():
    @primitive
    def energy(parameters, names):
        assert names == ("a", "b")
        return sum(onp.sum(parameters[name][0] ** 2) for name in names)

    defvjp(energy, lambda ans, p, names: lambda g: {name: [2.0 * g * p[name][0], None] for name in names})

    def f(x):
        return energy({"b": [x**2, "text"], "a": [3.0 * x, 5.0]}, ("a", "b"))

    assert_allclose(grad(f)(X), 18.0 * X + 4.0 * X**3)
    assert_allclose(make_jvp(f)(X)(X)[1], onp.sum((18.0 * X + 4.0 * X**3) * X))
    assert_allclose(hessian(f)(X), onp.diag(18.0 + 12.0 * X**2))

    @primitive
    def parts(x):
        return {"square": x**2, "list": [x, onp.sum(x)]}

    defvjp(parts, lambda ans, x: lambda g: 2.0 * x * g["square"] + g["list"][0] + g["list"][1])
    assert_allclose(grad(lambda x: np.sum(parts(x)["square"]) * parts(x)["list"][1])(X), 2 * X * X.sum() + (X**2).sum())


def test_sparse_cotangents():
    assert_allclose(grad(lambda x: 3.0 * second(x))(X), [0.0, 3.0, 0.0])


def test_tools_for_rules():
    meta = metadata(onp.ones((1, 3)))
    assert_allclose(unbroadcast(onp.ones((4, 2, 3)), meta), [[8.0, 8.0, 8.0]])
    assert_allclose(unbroadcast(onp.ones((2, 4, 3)), metadata(onp.ones((2, 3))), 1), 4.0 * onp.ones((2, 3)))
    assert unbroadcast(onp.ones(3) * (1.0 + 1.0j), metadata(1.0)) == 3.0
    product = primitive(lambda a, b: a * b)
    defvjp(
        product,
        lambda ans, a, b: unbroadcast_f(a, lambda g: g * b),
        lambda ans, a, b: unbroadcast_f(b, lambda g: g * a),
    )
    check_grads(lambda a, b: np.sum(product(a, b) ** 2), [0, 1], modes=["rev"])(onp.ones((2, 1)), X)
    repeated, count = repeat_to_match_shape(X, (2, 3), onp.dtype(float), (0,), False)
    assert_allclose(repeated, [X, X])
    assert count == 2
    assert repeat_to_match_shape(3.0, (), onp.dtype(float), None, False) == (3.0, 1)
    assert match_complex(1j, 2.0) == 2.0 + 0j
    graph = {"loss": ["a", "b"], "a": ["x"], "b": ["a", "x"], "x": []}
    order = list(toposort("loss", graph.get))
    assert order == ["loss", "b", "a", "x"]


def test_vector_spaces():
    space = vspace({"a": [X, 1.0], "b": 1.0 + 2.0j})
    assert space.size == 6
    assert len(list(space.standard_basis())) == 6
    value = {"a": [X, 2.0], "b": 1.0j}
    assert_allclose(space.inner_prod(value, value), onp.sum(X**2) + 5.0)
    assert space.covector(value)["b"] == -1.0j
    total = space.add(value, space.scalar_mul(value, 2.0))
    assert_allclose(total["a"][0], 3.0 * X)
    assert space.add(None, value) is value
    assert_allclose(space.mut_add(None, value)["a"][0], X)
    assert vspace(space.randn()) == vspace(space.ones()) == space
    assert vspace(X) != vspace(onp.ones(2))
    assert repr(vspace(X)).startswith("ArrayVSpace")

    class Interval:
        low = high = 1.0

    class IntervalSpace(VSpace):
        def __init__(self, value):
            self.size = 2

    IntervalSpace.register(Interval)
    assert vspace(Interval()).size == 2
    assert grad(lambda x: x * vspace(x).size)(3.0) == 1.0


def test_primitives_take_tensors_that_no_tape_records():
    power = power_with(by_argument)
    found = power(tf.constant([1.0, 2.0], tf.float64), 2.0)
    assert type(found) is onp.ndarray
    assert_allclose(found, [1.0, 4.0])
