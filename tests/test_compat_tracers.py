"""Traces that see calls: what nodes hear, what stays a constant, and what must raise."""

from __future__ import annotations

import copy
import math
import pickle
import threading
from collections import namedtuple

import numpy as onp
import pytest
import scipy.special
from numpy.testing import assert_allclose
from tracing import Call, names, seen, value_of

import tapegrad as tf
import tapegrad.compat.autograd.numpy as np
from tapegrad.compat import autograd as ag
from tapegrad.compat.autograd import grad
from tapegrad.compat.autograd.builtins import SequenceBox
from tapegrad.compat.autograd.extend import (
    defvjp,
    notrace_primitive,
    primitive,
    register_notrace,
    vspace,
)
from tapegrad.compat.autograd.misc import const_graph
from tapegrad.compat.autograd.misc.tracers import full_graph
from tapegrad.compat.autograd.numpy.numpy_boxes import ArrayBox
from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata
from tapegrad.compat.autograd.scipy import linalg, special
from tapegrad.compat.autograd.scipy.stats import norm
from tapegrad.compat.autograd.tracer import Node, getval, isbox, new_box, trace, trace_stack

X = onp.array([0.3, 0.7, 1.2])


def test_nodes_hear_of_each_call_with_its_arguments():
    value, (first, second, third) = seen(lambda x: np.sum(2.0 * np.sin(x), axis=0), X)
    assert_allclose(value, onp.sum(2.0 * onp.sin(X)))
    assert (first.name, first.argnums) == ("sin", (0,))
    assert first.args[0] is X
    assert (second.name, second.args[0], second.argnums, second.parents) == ("multiply", 2.0, (1,), (first,))
    assert (third.name, third.kwargs, third.parents) == ("sum", {"axis": 0}, (second,))
    assert_allclose(second.result, 2.0 * onp.sin(X))


def test_a_value_can_be_given_twice():
    value, (call,) = seen(lambda x: x * x, 3.0)
    assert (value, call.argnums, len(call.parents)) == (9.0, (0, 1), 2)
    assert call.parents[0] is call.parents[1]


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (lambda x: -x, "negative"),
        (lambda x: +x, "positive"),
        (lambda x: abs(x), "absolute"),
        (lambda x: x + 2.0, "add"),
        (lambda x: 2.0 - x, "subtract"),
        (lambda x: X * x, "multiply"),
        (lambda x: x / X, "divide"),
        (lambda x: onp.float64(2.0) // x, "floor_divide"),
        (lambda x: x % 0.5, "remainder"),
        (lambda x: 2.0**x, "power"),
        (lambda x: X @ x, "matmul"),
        (lambda x: x @ X, "matmul"),
        (lambda x: x > 0.5, "greater"),
        (lambda x: x == 0.7, "equal"),
        (lambda x: x[1:], "__getitem__"),
        (lambda x: x.T, "transpose"),
        (lambda x: x.real, "real"),
        (lambda x: x.sum(), "sum"),
        (lambda x: x.reshape(3, 1), "reshape"),
        (lambda x: x.astype(onp.float32), "astype"),
        (lambda x: x.flatten(), "flatten"),
        (lambda x: x.item(1), "item"),
        (lambda x: onp.exp(x), "exp"),
        (lambda x: onp.cumsum(x), "cumsum"),
        (lambda x: onp.linalg.norm(x), "norm"),
        (lambda x: onp.add.reduce(x), "add.reduce"),
        (lambda x: scipy.special.erf(x), "erf"),
        (lambda x: np.fft.fft(x), "fft"),
        (lambda x: special.logsumexp(x), "logsumexp"),
        (lambda x: norm.logpdf(x, 0.0, 2.0), "logpdf"),
        (lambda x: linalg.expm(np.outer(x, x)), "expm"),
        (lambda x: np.concatenate([X, x]), "concatenate"),
        (lambda x: np.clip(X, a_min=x, a_max=None), "clip"),
        (lambda x: np.r_[x, 1.0], "r_"),
        (lambda x: np.make_diagonal(x), "make_diagonal"),
        (lambda x: np.array([[x]]), "array"),
    ],
)
def test_everything_that_computes_is_a_call(operation, name):
    value, calls = seen(operation, X)
    assert calls[-1].name == name
    assert_allclose(value, operation(X))


def test_values_are_numpys():
    assert type(value_of(lambda x: x + 1.0, onp.float32(2.0))) is onp.float32
    assert value_of(lambda x: np.argmax(x), X) == 2
    assert value_of(lambda x: x & 6, 3) == 2
    assert value_of(lambda x: 1 << x, 3) == 8
    assert value_of(round, 2.6) == value_of(lambda x: round(x, 0), 2.6) == 3.0
    assert value_of(lambda x: x * 1j, 2.0) == 2j
    assert value_of(lambda x: ~(x > 0.5) | (x < 0.1) ^ (x > 2.0), X).tolist() == [True, False, False]


def test_what_is_constant_is_no_call():
    def f(x):
        assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((3,), 1, 3, 3, onp.float64)
        assert (np.shape(x), np.ndim(x), np.size(x), np.result_type(x), np.iscomplexobj(x)) == (
            (3,),
            1,
            3,
            float,
            False,
        )
        assert metadata(x) == ((3,), 1, onp.dtype(float), False)
        assert x.__array_namespace__() is np
        assert isbox(x)
        assert isinstance(x, ArrayBox)
        assert isinstance([x], SequenceBox)
        assert ag.isinstance(x, onp.ndarray)
        assert ag.type(x) is onp.ndarray
        assert copy.deepcopy([x])[0] is copy.copy(x) is x
        assert {x: 1}[x] == 1
        assert vspace(x).size == 3
        assert getval([x])[0] is X
        assert not hasattr(x, "no_such_attribute")
        assert (str(x), repr(x)) == (f"traced {X}", f"Boxed({X!r})")
        assert f"{x[0]:.2f} {x[0]}" == "0.30 traced 0.3"
        return x[0]

    assert names(f, X) == ["__getitem__"] * 3


def test_writing_makes_a_new_value():
    def f(x):
        before, y = x, x * 1.0
        kept = y
        y[0] = 3.0 * x[1]
        y.sort()
        return before + 100.0 * kept, y

    given = X.copy()
    (total, y), calls = seen(f, given)
    assert_allclose(given, X)
    assert_allclose(y, [0.7, 1.2, 2.1])
    assert "sort" in [call.name for call in calls]
    assert_allclose(total, X + 100.0 * y)  # another name of the same box

    def g(x):
        y = x + 0.0
        y[1:] = y[:-1] * x[0]
        return np.sum(y**2)

    assert_allclose(const_graph(grad(g))(X), tf.grad(g)(X))


def test_containers_are_pythons_and_their_parts_are_calls():
    def f(p):
        assert isinstance(p, dict)
        assert p["names"] == ("a", "b")
        assert p["none"] is None
        return np.sum(np.stack(p.values() if len(p) == 1 else [p["w"][0], p["w"][1]]))

    value, calls = seen(f, {"w": [X, 2.0 * X], "names": ("a", "b"), "none": None})
    assert_allclose(value, 3.0 * X.sum())
    assert [call.name for call in calls] == ["container_take"] * 3 + ["stack", "sum"]
    assert [call.args[1] for call in calls[:3]] == ["w", 0, 1]
    assert calls[3].argnums == (0, 1)
    assert_allclose(value_of(lambda p: np.sum(np.stack(p.values())), {"a": X, "b": X}), 2.0 * X.sum())


def test_results_can_be_structures():
    point = namedtuple("point", "x y")
    value, node = trace(Call.new_root(), lambda x: {"a": point(x, 2.0), "b": ["text", x**2]}, 3.0)
    assert value == {"a": (3.0, 2.0), "b": ["text", 9.0]}
    assert type(value["a"]) is point
    assert node.name == "make_container"
    u, s, v = value_of(np.linalg.svd, onp.diag([2.0, 3.0]))
    assert_allclose(u @ onp.diag(s) @ v, onp.diag([2.0, 3.0]))
    assert value_of(lambda a: np.linalg.svd(a).S[0], onp.diag([2.0, 3.0])) == 3.0
    assert value_of(lambda p: p.x * p.y, point(2.0, 3.0)) == 6.0


def test_primitives_are_one_call_with_plain_arguments():
    @primitive
    def energy(parameters, scale):
        assert all(isinstance(part, float) for part in parameters.values())
        return {"total": scale * sum(part**2 for part in parameters.values()), "first": parameters["a"]}

    defvjp(
        energy,
        lambda ans, p, scale: (
            lambda g: {
                "a": 2.0 * scale * g["total"] * p["a"] + g["first"],
                "b": 2.0 * scale * g["total"] * p["b"],
            }
        ),
    )

    def f(x):
        return energy({"b": 2.0, "a": x}, 3.0)["total"] * x

    value, calls = seen(f, 5.0)
    assert value == 3.0 * 29.0 * 5.0
    assert [call.name for call in calls] == ["energy", "container_take", "container_take", "multiply"]
    assert calls[0].args == (5.0,)
    assert_allclose(const_graph(grad(f))(5.0), 3.0 * 29.0 + 30.0 * 5.0)
    assert_allclose(value_of(lambda x: grad(lambda y: energy({"a": y * x, "b": x}, 1.0)["first"])(x), 5.0), 5.0)


def test_constants_by_decoration_and_by_registration():
    steps = notrace_primitive(lambda x: round(float(x)))
    assert names(lambda x: steps(x) * x, 2.6) == ["multiply"]
    size = primitive(lambda x: 5.0)
    assert names(lambda x: size(x) * x, 2.6) == ["<lambda>", "multiply"]
    register_notrace(Call, size)
    assert names(lambda x: size(x) * x, 2.6) == ["multiply"]
    assert names(lambda x: size([x]) * x, 2.6) == ["multiply"]
    assert_allclose(full_graph(lambda x: size(x), 2.6).value, 5.0)  # of another class


def test_boxes_made_by_hand():
    with trace_stack.new_trace() as current:
        a, b = (new_box(value, current, Call.new_root()) for value in (2.0, X))
        product = a * b
        assert product._trace is current
        assert product._node.name == "multiply"
        assert_allclose(product._value, 2.0 * X)
        assert current.knows(product)
    with pytest.raises(RuntimeError, match="the trace is over"):
        product + 1.0


def test_traces_in_traces():
    inner_calls = []

    def outer(x):
        def inner(y):
            return y * x + np.sin(y)

        value, calls = seen(inner, 2.0)
        inner_calls.extend(call.name for call in calls)
        assert isbox(value)
        return value * x

    value, calls = seen(outer, 3.0)
    assert_allclose(value, (6.0 + math.sin(2.0)) * 3.0)
    assert inner_calls == ["multiply", "sin", "add"]
    # The sine is a constant for the trace around: of 2.0.
    assert [call.name for call in calls] == ["multiply", "add", "multiply"]


@pytest.mark.parametrize(
    "leave",
    [
        float,
        int,
        complex,
        math.sin,
        lambda x: [1.0, 2.0][x],
        pickle.dumps,
        lambda x: onp.asarray(x, float),
        lambda x: onp.zeros(2).__setitem__(0, x),
        lambda x: onp.copyto(onp.zeros(2), x),
        lambda x: onp.add.at(onp.zeros(2), [0], x),
        lambda x: onp.ones(2).__imul__(x),
        lambda x: np.sum(x, out=onp.zeros(())),
        lambda x: np.clip(x, 0.0, 1.0, onp.zeros(())),
        lambda x: np.add(x, 1.0, onp.zeros(())),
        lambda x: onp.add.reduce([x], out=onp.zeros(())),
        lambda x: x.mean(out=onp.zeros(())),
        lambda x: x.clip(0.0, 1.0, onp.zeros(())),
        lambda x: np.sin(onp.array([x, 1.0])),
        lambda x: onp.array([x, 1.0]),
        lambda x: np.random.normal(x),
        lambda x: onp.linalg.inv(onp.array([[x]])),
        lambda x: tf.sin(x),
        lambda x: tf.constant(x),
        lambda x: np.float64(x),
        lambda x: list(x),
        len,
        lambda x: x.tobytes(),
        lambda x: primitive(lambda y: object())(x),
    ],
)
def test_what_would_leave_the_trace_raises(leave):
    with pytest.raises((TypeError, ValueError)):
        value_of(leave, 1.0)


def test_messages_say_what_to_do():
    with pytest.raises(TypeError, match=r"tracer\.getval\(x\)"):
        value_of(float, 1.0)
    with pytest.raises(TypeError, match=r"`array` of autograd\.numpy"):
        value_of(lambda x: np.sin(onp.array([x, 1.0])), 1.0)
    with pytest.raises(TypeError, match="a function that returns a new array"):
        value_of(lambda x: np.sum(x, out=onp.zeros(())), 1.0)
    with pytest.raises(TypeError, match="cannot follow 'text', of type str"):
        value_of(lambda x: x, "text")
    with pytest.raises(NotImplementedError, match="no __init__"):
        trace(type("Bare", (Node,), {}).new_root(), lambda x: x + 1.0, 1.0)


@pytest.mark.parametrize(
    "derivative",
    [
        lambda f: tf.grad(f)(2.0),
        lambda f: tf.vjp(f, 2.0)[1](1.0),
        lambda f: tf.jvp(f, (2.0,), (1.0,)),
        lambda f: tf.jacobian(f)(onp.ones(2)),
    ],
)
def test_tapes_within_a_trace_cannot_follow_its_values(derivative):
    with pytest.raises(TypeError, match="by a tape within that trace"):
        value_of(lambda a: derivative(lambda x: a * x), 3.0)
    assert_allclose(value_of(lambda a: a * tf.grad(lambda x: x**2)(2.0), 3.0), 12.0)


def test_functions_among_arguments_must_not_hide_values():
    apply = primitive(lambda f, x: f(x))
    defvjp(apply, None, lambda ans, f, x: lambda g: g)
    with pytest.raises(TypeError, match="uses values of a trace that it was not given"):
        value_of(lambda x: apply(lambda y: y * x, x), 2.0)


def test_values_stay_in_their_trace_and_thread():
    kept = []
    trace(Call.new_root(), lambda x: kept.append(x) or 2.0 * x, 3.0)
    for use in (lambda x: x + 1.0, np.sin, onp.sin, lambda x: x.sum(), lambda x: x[0], onp.sum, special.erf):
        with pytest.raises(RuntimeError, match="outside of the trace"):
            use(kept[0])
    errors = []

    def elsewhere(x):
        def work():
            try:
                x + 1.0
            except RuntimeError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return 2.0 * x

    assert value_of(elsewhere, 1.0) == 2.0
    assert len(errors) == 1


def test_threads_trace_side_by_side():
    found = []

    def work(k):
        graph = const_graph(grad(lambda x: np.sin(k * x)))
        found.extend((k, graph(x), k * math.cos(k * x)) for x in (0.1, 0.2, 0.3))

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    for _, ours, wanted in found:
        assert_allclose(ours, wanted)


def test_an_error_closes_its_traces():
    with pytest.raises(ZeroDivisionError):
        trace(Call.new_root(), lambda x: 1 // 0, 1.0)
    assert trace_stack.top == -1
    assert type(grad(np.sin)(0.0)) is onp.float64
    with pytest.warns(UserWarning, match="Output seems independent of input"):
        assert trace(Call.new_root(), lambda x: 5.0, 1.0) == (5.0, None)
