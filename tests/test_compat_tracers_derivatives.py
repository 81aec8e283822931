"""Derivatives within traces that see calls, and such traces within derivatives."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as onp
import pytest
from numpy.testing import assert_allclose
from sparse_cotangent import second
from tracing import Call, names, seen, value_of

import tapegrad as tf
import tapegrad.compat.autograd.numpy as np
from tapegrad import nest
from tapegrad.compat import autograd as ag
from tapegrad.compat import install_as_autograd
from tapegrad.compat.autograd import core, grad, hessian, jacobian, make_jvp, make_vjp, value_and_grad
from tapegrad.compat.autograd.extend import (
    JVPNode,
    VJPNode,
    defjvp,
    defvjp,
    primitive,
)
from tapegrad.compat.autograd.misc import const_graph, flatten
from tapegrad.compat.autograd.numpy.numpy_vjps import unbroadcast_f
from tapegrad.compat.autograd.tracer import new_box, trace, trace_stack

X = onp.array([0.3, 0.7, 1.2])

with install_as_autograd():  # also where autograd itself is installed
    _programs = Path(__file__).with_name("compat_programs.py")
    _spec = importlib.util.spec_from_file_location("compat_programs_in_traces", _programs)
    compat_programs = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(compat_programs)


def test_the_calls_of_a_gradient_are_seen():
    value, calls = seen(grad(lambda x: np.sin(2.0 * x)), 1.0)
    assert_allclose(value, 2.0 * math.cos(2.0))
    assert [call.name for call in calls] == ["multiply", "sin", "vjp_of_sin", "vjp_of_multiply"]
    value, calls = seen(lambda x: make_jvp(lambda y: np.sin(x * y))(x)(1.0)[1], 1.0)
    assert_allclose(value, math.cos(1.0))
    assert [call.name for call in calls] == ["multiply", "jvp_of_multiply", "sin", "jvp_of_sin"]


def test_the_programs_rules_are_seen_in_their_steps():
    @primitive
    def scaled(x, scale):
        return scale * onp.sinh(x)

    defvjp(scaled, lambda ans, x, scale: unbroadcast_f(x, lambda g: g * scale * np.cosh(x)), None)
    assert names(lambda s: grad(scaled)(0.5, s), 2.0) == ["scaled", "multiply", "multiply"]
    assert_allclose(value_of(lambda s: grad(scaled)(0.5, s), 2.0), 2.0 * math.cosh(0.5))
    defjvp(scaled, lambda g, ans, x, scale: g * scale * np.cosh(x), None)
    assert_allclose(value_of(lambda s: make_jvp(scaled)(0.5, s)(1.0)[1], 2.0), 2.0 * math.cosh(0.5))
    assert value_of(lambda s: make_jvp(scaled, 1)(0.5, s)(1.0)[1] * s, 2.0) == 0.0
    assert value_of(lambda s: grad(scaled, 1)(0.5, s) * s, 2.0) == 0.0


def test_rules_may_give_sparse_and_complex_cotangents():
    with trace_stack.new_trace() as current:  # around the gradient, but not in it
        new_box(1.0, current, Call.new_root())
        assert_allclose(grad(lambda x: 3.0 * second(x))(X), [0.0, 3.0, 0.0])
    turned = primitive(lambda x: x * 1j)
    defvjp(turned, lambda ans, x: lambda g: g * 1j)
    assert_allclose(value_of(lambda a: grad(lambda x: np.imag(turned(x) * x))(a), 3.0), 6.0)


def test_arguments_in_structures_of_one():
    @primitive
    def scaled(terms, factor, count):
        assert isinstance(terms, list)
        assert type(count) is int
        return terms[0] * factor * count

    defvjp(scaled, lambda ans, t, f, n: lambda g: [g * f * n], lambda ans, t, f, n: lambda g: g * t[0] * n)
    assert_allclose(value_of(lambda a: grad(lambda x: scaled([x], x * a, 3))(2.0), 5.0), 2 * 2.0 * 5.0 * 3)
    assert_allclose(value_of(lambda a: grad(lambda x: np.sum(flatten(([x], x * a))[0]))(2.0), 5.0), 6.0)
    assert value_of(lambda a: make_jvp(lambda q: q[0] * a)([2.0])([1.0])[1], 5.0) == 5.0
    # One that is given as a structure of the trace around, with integers beside it.
    both = value_of(lambda p: make_vjp(lambda q: scaled([q[0]], p[1], p[2]))((p[0], 1.0))[0](1.0), (2.0, 5.0, 3))
    assert_allclose(both, (15.0, 0.0))


def test_missing_rules_are_named():
    unknown = primitive(lambda x: x)
    with pytest.raises(NotImplementedError, match="VJP of <lambda> wrt argnum 0 not defined"):
        value_of(grad(unknown), 1.0)


@pytest.mark.parametrize("name", [name for name in compat_programs.PROGRAMS if name not in ("traces", "graphs")])
def test_programs_give_the_same_within_a_trace(name, monkeypatch):
    """All their inputs are multiples of a traced number, so that every function in them meets boxes."""
    program = compat_programs.PROGRAMS[name]
    given = {key: getattr(compat_programs, key) for key in ("X", "V", "M", "SPD", "Z")}

    def scaled(factor):
        with monkeypatch.context() as patched:
            for key, value in given.items():
                patched.setattr(compat_programs, key, value * factor)
            parameters = {"w": compat_programs.M, "b": [compat_programs.X, compat_programs.V]}
            patched.setattr(compat_programs, "PARAMETERS", parameters)
            return nest.flatten(program())

    for ours, wanted in zip(nest.flatten(value_of(scaled, 1.0)), scaled(1.0), strict=True):
        assert_allclose(ours, wanted, rtol=1e-9, atol=1e-11)
    graph = const_graph(scaled)
    graph(1.0)
    total = lambda results: sum([np.sum(np.real(part)) for part in results], 0.0)  # noqa: E731
    for ours, wanted in zip(graph(1.01), scaled(1.01), strict=True):
        assert_allclose(ours, wanted, rtol=1e-8, atol=1e-10)
    step = 1e-5
    difference = (total(scaled(1.0 + step)) - total(scaled(1.0 - step))) / (2.0 * step)
    assert_allclose(grad(lambda factor: total(graph(factor)))(1.0), difference, rtol=1e-6)


def test_every_operator_within_a_trace():
    def f(x, y):
        return np.sum(np.sin(x) * y**3) + x[0] * x[1] ** 2

    operators = {
        "value_and_grad": lambda a: value_and_grad(f)(a * X, X),
        "several": lambda a: grad(f, [0, 1])(a * X, X),
        "keyword": lambda a: grad(f, 1)(x=a * X, y=X),
        "aux": lambda a: ag.grad_and_aux(lambda x: (f(x, a * X), {"note": "text", "twice": 2.0 * x}))(a * X),
        "elementwise": lambda a: ag.elementwise_grad(np.tanh)(a * X),
        "holomorphic": lambda a: ag.holomorphic_grad(lambda z: z**2 * a)(X[0] + 1j),
        "jacobian": lambda a: jacobian(lambda x: a * np.outer(x, x), 0)(X),
        "jacobian of structures": lambda a: jacobian(lambda p: {"s": p[0] * a, "t": p[0] * p[1]})((X, 2.0)),
        "complex jacobian": lambda a: jacobian(lambda x: x**2 * (1.0 + 2.0j) * a)(X),
        "jacobian of a constant": lambda a: jacobian(lambda x: X)(a * X) + a,
        "hessian": lambda a: hessian(f, [0, 1])(a * X, X),
        "hessian_vector_product": lambda a: ag.hessian_vector_product(f, [0, 1])(X, a * X, (X, X)),
        "make_hvp": lambda a: ag.make_hvp(f)(a * X, X)[0](X),
        "make_vjp": lambda a: make_vjp(lambda x: np.outer(x, a * x))(X)[0](onp.ones((3, 3))),
        "reverse mode": lambda a: ag.make_jvp_reversemode(lambda x: a * x**2)(X)(X),
        "ggnvp": lambda a: ag.make_ggnvp(lambda x: np.tanh(a * x))(X)(X),
        "deriv": lambda a: ag.deriv(lambda t: np.array([a * t, t**2]))(0.5),
        "tensor product": lambda a: ag.tensor_jacobian_product(lambda x: a * x**2)(X, X),
        "grad_named": lambda a: ag.grad_named(f, "y")(a * X, X),
        "multigrad_dict": lambda a: ag.differential_operators.multigrad_dict(lambda p, n: a * p**n)(a, 2),
        "checkpoint": lambda a: grad(ag.checkpoint(lambda x: np.sum(np.sin(a * x))))(X),
        "independent": lambda a: grad(lambda x: a * 2.0)(X) + a,
        "unused leaves": lambda a: grad(lambda p: p["a"] * a)({"a": 1.0, "b": [X, "text"]}),
    }
    for what, operator in operators.items():
        wanted = nest.flatten(operator(1.5))
        for found in (value_of(operator, 1.5), const_graph(operator)(1.5)):
            for ours, theirs in zip(nest.flatten(found), wanted, strict=True):
                if isinstance(theirs, str) or theirs is None:
                    assert ours == theirs, what
                else:
                    assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14, err_msg=what)


def test_derivatives_in_traces_are_checked_as_elsewhere():
    with pytest.raises(TypeError, match="pass it as a float"):
        value_of(lambda a: a * grad(lambda x: x**2)(3), 1.0)
    with pytest.raises(TypeError, match="jacobian"):
        value_of(grad(lambda x: x**2), X)
    with pytest.raises(TypeError, match="holomorphic_grad"):
        value_of(grad(lambda x: x * 1j), 1.0)
    with pytest.raises(TypeError, match="must return one floating-point number"):
        value_of(grad(lambda x: None), 1.0)
    with pytest.raises(TypeError, match="must return floating-point numbers"):
        value_of(jacobian(lambda x: np.argmax(x)), X)
    with pytest.raises(TypeError, match="nothing to differentiate"):
        value_of(lambda a: grad(lambda text: a)("text"), 1.0)


def test_derivatives_by_hand_within_a_trace():
    def f(a):
        with trace_stack.new_trace() as current:
            box = new_box({"x": X * a, "n": "text"}, current, VJPNode.new_root())
            end = np.sum(box["x"] ** 2) * a
        found = core.backward_pass(1.0, end._node)
        assert found["n"] is None
        value, node = trace(JVPNode.new_root(1.0), lambda x: x**3 * a, a)
        return found["x"] * value, node.g

    slope, tangent = value_of(f, 2.0)
    assert_allclose(slope, 2.0 * 2.0 * X * 2.0 * 16.0)
    assert_allclose(tangent, 3.0 * 4.0 * 2.0)


def test_traces_within_gradients():
    def f(a):
        value, node = trace(Call.new_root(), lambda x: a * x**2, 3.0)
        assert [call.name for call in node.calls] == ["power", "multiply"]
        return value * a

    assert_allclose(grad(f)(2.0), 36.0)
    assert_allclose(grad(grad(f))(2.0), 18.0)
    assert_allclose(hessian(lambda a: np.sum(const_graph(lambda x: x**3 * a)(a)))(X), onp.diag(12.0 * X**2))
    x = tf.constant(2.0, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = const_graph(lambda t: x * t**2)(x)
    assert_allclose(tape.gradient(y, x), 12.0)
    variable = tf.Variable([1.0, 2.0, 3.0], dtype=tf.float64)
    assert_allclose(value_of(lambda x: variable * x, X), [0.3, 1.4, 3.6])


def test_third_derivatives_through_traces():
    def f(x):
        return np.sin(x) * x**3

    wanted = grad(grad(grad(f)))(0.7)
    assert_allclose(value_of(grad(grad(grad(f))), 0.7), wanted, rtol=1e-13)
    assert_allclose(grad(const_graph(grad(grad(f))))(0.7), wanted, rtol=1e-13)
    assert_allclose(grad(grad(const_graph(grad(f))))(0.7), wanted, rtol=1e-13)
    assert_allclose(make_jvp(const_graph(grad(grad(f))))(0.7)(1.0)[1], wanted, rtol=1e-13)


def test_nodes_for_derivatives_can_be_derived_from():
    class Named(VJPNode):
        def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
            super().__init__(value, fun, args, kwargs, parent_argnums, parents)
            self.name = fun.__name__

    _, node = trace(Named.new_root(), lambda x: np.sin(x) * 2.0, 0.5)
    assert (node.name, node.parents[0].name) == ("multiply", "sin")
    assert_allclose(core.backward_pass(1.0, node), 2.0 * math.cos(0.5))

    class Doubled(JVPNode):
        def initialize_root(self, g):
            super().initialize_root(2.0 * g)

    _, node = trace(Doubled.new_root(1.0), np.sin, 0.5)
    assert_allclose(node.g, 2.0 * math.cos(0.5))
    with pytest.warns(UserWarning, match="independent"):
        assert trace(Named.new_root(), lambda x: x > 0.0, 1.0) == (True, None)  # no derivative to follow
