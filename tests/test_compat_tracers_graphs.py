"""Graphs of calls: made again for other values, refused where that would be wrong, and looked at."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as onp
import pytest
from numpy.testing import assert_allclose

import tapegrad.compat.autograd.numpy as np
from tapegrad.compat.autograd import grad
from tapegrad.compat.autograd.extend import (
    primitive,
)
from tapegrad.compat.autograd.misc import const_graph
from tapegrad.compat.autograd.misc.tracers import ConstGraphNode, FullGraphNode, full_graph
from tapegrad.compat.autograd.tracer import trace

X = onp.array([0.3, 0.7, 1.2])


def test_const_graph_calls_the_function_once():
    calls = []

    def f(x, y):
        calls.append(1)
        return grad(lambda t: np.sin(t) + 2.0 * t)(x * y)

    graph = const_graph(f)
    assert graph.__name__ == "f"
    assert not calls
    for x, y in ((0.0, 0.0), (1.0, 0.5), (1.0, 0.5), (2.0, -0.5)):
        assert_allclose(graph(x, y), math.cos(x * y) + 2.0)
    assert len(calls) == 1
    assert type(graph(1.0, 0.5)) is onp.float64


def test_const_graph_leaves_out_what_is_constant():
    seen = []

    @primitive
    def noted(x, name):
        seen.append(name)
        return x

    def f(x, y, z):
        noted(y, "unused")
        return noted(x, "x") + 2.0 * noted(y, "y") + 3.0 * noted(z, "z")

    graph = const_graph(f, 1.0, z=3.0)
    assert graph(2.0) == 14.0
    assert sorted(seen) == ["unused", "x", "y", "z"]
    seen.clear()
    assert graph(3.0) == 16.0
    assert seen == ["y"]


def test_const_graph_lets_go_of_the_function_and_of_values():
    class Big:
        pass

    values = []

    def make(held):
        @primitive
        def shifted(x):
            values.append(weakref.ref(x))
            return x + 1.0

        return const_graph(lambda x: held and np.sum(shifted(x * 2.0)))

    big = Big()
    graph, alive = make(big), weakref.ref(big)
    del big
    assert alive() is not None
    assert graph(X) == onp.sum(2.0 * X + 1.0)
    gc.collect()
    assert alive() is None
    assert values[0]() is None
    assert graph(2.0 * X) == onp.sum(4.0 * X + 1.0)


def test_const_graph_tries_again_after_an_error():
    failing = [True]

    def f(x):
        if failing[0]:
            raise KeyError("not yet")
        return 2.0 * x

    graph = const_graph(f)
    with pytest.raises(KeyError):
        graph(1.0)
    failing[0] = False
    assert (graph(1.0), graph(2.0)) == (2.0, 4.0)


def test_const_graph_takes_structures_integers_and_masks():
    def f(p, n):
        mask = p["a"] > 0.5
        return np.sum(np.where(mask, p["a"] ** n, -p["a"])) + p["b"][np.argmax(p["b"])]

    graph = const_graph(f)
    for factor, n in ((1.0, 2), (-1.0, 3), (0.5, 1)):
        p = {"a": factor * X, "b": factor * X[::-1]}
        assert_allclose(graph(p, n), f(p, n))
    found = grad(graph)({"a": X, "b": X}, 2)
    assert_allclose(found["a"], [-1.0, 1.4, 2.4])
    assert_allclose(found["b"], [0.0, 0.0, 1.0])
    assert const_graph(lambda x: {"a": [x, 1.0]})(2.0) == {"a": [2.0, 1.0]}


@pytest.mark.parametrize(
    ("first", "later", "message"),
    [
        ((X,), (onp.ones(2),), r"real numbers of shape \(3,\), and is now called with real numbers of shape \(2,\)"),
        ((1.0,), (1.0j,), "is now called with complex numbers"),
        ((1.0,), (2,), "is now called with integers"),
        ((1.0, "a"), (1.0, "b"), "recorded for 'a', and is now called with 'b'"),
        ((1.0, 2.0), (1.0,), "same nested structure"),
    ],
)
def test_const_graph_refuses_what_it_was_not_recorded_for(first, later, message):
    graph = const_graph(lambda x, *more: x * len(more) + x)
    graph(*first)
    with pytest.raises(ValueError, match=message):
        graph(*later)


def test_const_graph_refuses_another_branch():
    graph = const_graph(lambda x: 2.0 * x if np.sum(x) > 0.0 else -x)
    assert_allclose(graph(X), 2.0 * X)
    assert_allclose(graph(3.0 * X), 6.0 * X)
    with pytest.raises(ValueError, match="a condition was True, and now it is False"):
        graph(-X)
    # Also in a derivative, and where the argument itself is the condition.
    graph = const_graph(grad(lambda x: x**2 if x > 0.0 else -x))
    assert graph(1.0) == 2.0
    with pytest.raises(ValueError, match="branch"):
        graph(-1.0)
    graph = const_graph(lambda x, flag: x if flag else -x)
    assert graph(1.0, True) == 1.0
    with pytest.raises(ValueError, match="branch"):
        graph(1.0, False)


def test_const_graph_needs_a_dependence():
    with pytest.raises(ValueError, match="does not depend on its arguments"):
        const_graph(lambda x: 3.0)(1.0)


def test_nodes_of_graphs():
    value, node = trace(ConstGraphNode.new_root(), lambda x: np.power(2.0, x), 3.0)
    assert value == 8.0
    assert node.partial_fun([4.0]) == 16.0
    assert len(node.parents) == 1
    end = full_graph(lambda x, y, scale: scale * np.exp(x) * y, 0.0, 3.0, scale=2.0)
    assert type(end) is FullGraphNode
    assert end.value == 6.0
    function, args, kwargs, parents = end.recipe
    assert (function(*args, **kwargs), kwargs, [argnum for argnum, _ in parents]) == (6.0, {}, [0, 1])
    exp = parents[0][1].recipe[3][0][1]
    assert exp.recipe[0] is np.exp
    take = exp.recipe[3][0][1]
    root = take.recipe[3][0][1]
    assert root.value is None
    assert root.recipe[0]("x") == "x"
