"""Every rule that tapegrad knows has an example, and every example's derivatives are right, whatever mode asks."""

from __future__ import annotations

import functools
import gc
import importlib
import pkgutil
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rules_examples_matrix as matrix
import rules_examples_shapes as shapes
import rules_examples_special as special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from optable import DIFFERENTIABLE
from rules_examples import Array, Example, complexified

import tapegrad as tf
from tapegrad import _native
from tapegrad._native.structural import STRUCTURAL_NAMES
from tapegrad._ops import declare, registered
from tapegrad.autodiff import ForwardAccumulator
from tapegrad.testing import check_grads


def of_table(op: Any) -> Example:
    """The example that a line of the table of elementwise operations gives."""
    operands = tuple(op.sample(np.random.default_rng(len(op.name)), (2, 3)))
    return Example(op.name, op.function, operands, any_shape=True, complex=op.complex_rule != "-")


TABLE = [of_table(op) for op in DIFFERENTIABLE]
LISTED = [*shapes.EXAMPLES, *matrix.EXAMPLES, *special.FUNCTIONS]
EXAMPLES = [*TABLE, *LISTED, *special.UFUNCS]


# --- what there is, and what the examples record --------------------------------------------------------------------


def declared_rules() -> list[Any]:
    """The rules of all structural and linear operations that can be reached from tapegrad's modules.

    Ufuncs that programs have registered are in tables that are left out.
    """
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(tf.__path__, "tapegrad.")]
    left_out = {id(_native.UFUNC_OPERATIONS), id(registered._REGISTERED), id(gc.garbage)}
    rules, seen = [], set(left_out)
    pending: list[Any] = [vars(module) for module in modules]
    while pending:
        found = pending.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, declare.Rule):
            rules.append(found)
        pending += held_by(found)
    return sorted(rules, key=lambda rule: rule.name)


def held_by(found: Any) -> Iterator[Any]:
    """What functions, rules and containers hold."""
    if isinstance(found, types.FunctionType):
        yield from [cell.cell_contents for cell in found.__closure__ or ()]
        if "__name__" not in found.__globals__:  # it was made from a text
            yield found.__globals__
    elif isinstance(found, declare.Rule | types.SimpleNamespace):
        yield vars(found)
        yield getattr(found, "vjps", ())
    elif hasattr(found, "rule"):  # a declared operation
        yield found.rule
    elif isinstance(found, dict):
        yield from found.values()
    elif isinstance(found, list | tuple | set):
        yield from found
    elif isinstance(found, functools.partial):
        yield from [found.func, found.args, found.keywords]


def inexact(results: Any) -> list[tf.Tensor]:
    """The results that have derivatives."""
    leaves = [tf.convert_to_tensor(leaf) for leaf in tf.nest.flatten(results)]
    return [leaf for leaf in leaves if leaf.dtype.is_floating or leaf.dtype.is_complex]


def record(example: Example) -> tf.GradientTape:
    """Record an example with its gradient, whose cotangents depend on the operands, and with its tangents."""
    operands = [tf.constant(x) for x in example.operands]

    def squares() -> tf.Tensor:
        return tf.add_n([tf.cast(tf.reduce_sum(tf.abs(y) ** 2), tf.float64) for y in results()])

    def results() -> list[tf.Tensor]:
        return inexact(example.function(*operands))

    with ForwardAccumulator(operands, operands) as accumulator:
        moved = results()
    accumulator.jvp(moved)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(operands)
        with tf.GradientTape() as tape:
            tape.watch(operands)
            y = squares()
        gradients = tape.gradient(y, operands)
    with tf.GradientTape():  # so that the sweep is one of recorded operations
        outer.gradient([g for g in gradients if g is not None], operands)
    return outer


class TestCompleteness:
    def test_every_declared_rule_has_an_example(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: dict[Any, set[int]] = {}

        def spy(rule: declare.Rule, saved: Any, cotangents: Any, wanted: Any) -> Any:
            # A `*name` parameter has one function for all operands.
            asked.setdefault(rule, set()).update(min(k, len(rule.vjps) - 1) for k, wants in enumerate(wanted) if wants)
            return _native.DeclaredRule.vjp(rule, saved, cotangents, wanted)

        monkeypatch.setattr(declare.Rule, "vjp", spy)
        for example in [*LISTED, *special.UFUNCS]:
            record(example)
        rules = declared_rules()
        assert len(rules) > 300
        missing = {
            f"{rule.name}, operand {k}, {vjp[0].__code__.co_filename}:{vjp[0].__code__.co_firstlineno}"
            for rule in rules
            for k, vjp in enumerate(rule.vjps)
            if vjp is not None and k not in asked.get(rule, set())
        }
        assert not missing, "add examples to tests/rules_examples_*.py"

    def test_every_native_operation_has_an_example(self) -> None:
        recorded = {node[2] for example in LISTED for node in record(example)._nodes() if node[1] == "structural"}
        assert recorded == set(STRUCTURAL_NAMES)

    def test_a_rule_without_an_example_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forgotten = declare.structural("forgotten", lambda a: a.copy(), a=lambda g: g)
        monkeypatch.setattr(tf.math, "forgotten", lambda a: forgotten(a), raising=False)
        assert [rule for rule in declared_rules() if rule.name == "forgotten"]

    def test_names_are_unique(self) -> None:
        names = [example.name for example in EXAMPLES]
        assert len(names) == len(set(names))


# --- derivatives -----------------------------------------------------------------------------------------------------

TOLERANCE = {"atol": 1e-5, "rtol": 1e-4}
every = functools.partial(pytest.mark.parametrize, "example", ids=str)


@every(LISTED)
def test_against_differences(example: Example) -> None:
    check_grads(example.function, example.operands, order=2, **{**TOLERANCE, **example.tolerance})


@every(special.UFUNCS)
def test_ufuncs_against_differences(example: Example) -> None:
    # tests/test_special.py has the reverse mode.
    check_grads(example.function, example.operands, order=2, modes=("forward", "batched"), **example.tolerance)


@every(LISTED)
def test_complex_numbers(example: Example) -> None:
    """They are differentiated as well, or refused; never wrong."""
    operands = complexified(example.operands)
    if example.complex:
        check_grads(example.function, operands, order=2, **{**TOLERANCE, **example.tolerance})
    else:
        with pytest.raises((TypeError, ValueError)):
            check_grads(example.function, operands)


def random_like(x: Any, rng: np.random.Generator) -> Array:
    values = rng.normal(size=x.shape)
    if x.dtype.is_complex:
        values = values + 1j * rng.normal(size=x.shape)
    return np.asarray(values, x.dtype.as_numpy_dtype)


def inner(a: Any, b: Any) -> float:
    """The real inner product of complex vectors."""
    return float(np.sum(np.conj(a) * b).real)


class Derivatives:
    """Products of an example's Jacobian with random vectors, from the left and from the right."""

    def __init__(self, function: Callable[..., Any], operands: Any, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.operands = [x if isinstance(x, tf.Tensor) else tf.constant(x) for x in operands]
        with tf.GradientTape() as tape:
            tape.watch(self.operands)
            self.results = inexact(function(*self.operands))
        self.cotangents = [random_like(y, rng) for y in self.results]
        self.tangents = [random_like(x, rng) for x in self.operands]
        self.gradients = tape.gradient(
            self.results, self.operands, [tf.constant(c) for c in self.cotangents], unconnected_gradients="zero"
        )
        directions = [tf.constant(t) for t in self.tangents]
        with ForwardAccumulator(self.operands, directions) as accumulator:
            moved = inexact(function(*self.operands))
        self.moved = accumulator.jvp(moved, "zero")

    def check(self) -> None:
        """The dot-product test between the modes, and shapes and types."""
        for x, g in zip(self.operands, self.gradients, strict=True):
            assert (g.shape, g.dtype) == (x.shape, x.dtype)
        for y, t in zip(self.results, self.moved, strict=True):
            assert (t.shape, t.dtype) == (y.shape, y.dtype)
        back = [inner(g.numpy(), t) for g, t in zip(self.gradients, self.tangents, strict=True)]
        forth = [inner(c, t.numpy()) for c, t in zip(self.cotangents, self.moved, strict=True)]
        scale = max([1.0, *map(abs, back), *map(abs, forth)])
        eps = max(np.finfo(y.dtype.as_numpy_dtype).eps for y in [*self.results, *self.operands])
        assert abs(sum(back) - sum(forth)) <= 3e4 * eps * scale, f"vjp gives {sum(back)}, jvp gives {sum(forth)}"


@every(EXAMPLES)
def test_modes_agree(example: Example) -> None:
    Derivatives(example.function, example.operands).check()


@every([e for e in EXAMPLES if e.complex])
def test_modes_agree_on_complex_numbers(example: Example) -> None:
    Derivatives(example.function, complexified(example.operands)).check()


@every(LISTED)
def test_single_precision(example: Example) -> None:
    wide = Derivatives(example.function, [x.astype(np.float32).astype(np.float64) for x in example.operands])
    narrow = Derivatives(example.function, [x.astype(np.float32) for x in example.operands])
    for found, expected in zip([*narrow.gradients, *narrow.moved], [*wide.gradients, *wide.moved], strict=True):
        scale = max(1.0, float(np.abs(expected.numpy()).max(initial=0.0)))
        np.testing.assert_allclose(found.numpy() / scale, expected.numpy() / scale, rtol=0, atol=3e-4)
    assert all(g.dtype == tf.float32 for g in narrow.gradients)


def strided(x: Array) -> Array:
    whole = np.zeros([2 * size for size in x.shape])
    view = whole[(..., *(slice(None, None, 2),) * x.ndim)]
    view[...] = x
    return view


def read_only(x: Array) -> Array:
    x = x.copy()
    x.flags.writeable = False
    return x


def reversed_(x: Array) -> Array:
    return np.asarray(np.flip(np.flip(x).copy()))


@every(LISTED)
@pytest.mark.parametrize("arrange", [strided, reversed_, read_only, np.asfortranarray])
def test_layouts(example: Example, arrange: Callable[[Array], Array]) -> None:
    expected = Derivatives(example.function, example.operands)
    found = Derivatives(example.function, [tf.from_numpy(arrange(x)) for x in example.operands])
    for a, b in zip([*found.gradients, *found.moved], [*expected.gradients, *expected.moved], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-11)


# --- any shape ------------------------------------------------------------------------------------------------------


def repeated(values: Array, shape: tuple[int, ...]) -> Array:
    """An array of this shape with the values of an example, none of them twice."""
    return np.asarray(np.resize(values, shape) * (1.0 + np.linspace(0.0, 0.02, int(np.prod(shape))).reshape(shape)))


@every([e for e in EXAMPLES if e.any_shape])
@given(data=st.data())
@settings(max_examples=6, derandomize=True, deadline=None, database=None)
def test_any_shape(example: Example, data: st.DataObject) -> None:
    drawn = data.draw(
        mutually_broadcastable_shapes(num_shapes=len(example.operands), max_dims=3, min_side=0, max_side=3)
    )
    operands = [repeated(x, shape) for x, shape in zip(example.operands, drawn.input_shapes, strict=True)]
    with warnings.catch_warnings():
        if not all(x.size for x in operands):
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, about means of nothing
        Derivatives(example.function, operands).check()
    if all(x.size for x in operands):
        check_grads(example.function, tuple(operands), order=1, **TOLERANCE)
        whole = [np.broadcast_to(x.flat[0], x.shape) for x in operands]
        found = Derivatives(example.function, [tf.from_numpy(x) for x in whole])
        found.check()
        copied = Derivatives(example.function, [x.copy() for x in whole])
        for a, b in zip([*found.gradients, *found.moved], [*copied.gradients, *copied.moved], strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)
