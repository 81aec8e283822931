"""autograd's modules: operators, NumPy's functions, boxes, traces, and where they differ from tapegrad's own."""

from __future__ import annotations

import builtins
import importlib
import inspect
import pickle

import numpy as onp
import pytest
from numpy.testing import assert_allclose

import tapegrad as tf
import tapegrad.compat.autograd.numpy as np
from tapegrad.compat import autograd as ag
from tapegrad.compat.autograd import core, extend, grad, jacobian, make_jvp, make_vjp, tracer, wrap_util
from tapegrad.compat.autograd.builtins import DictBox, SequenceBox
from tapegrad.compat.autograd.differential_operators import make_jvp_reversemode, multigrad_dict
from tapegrad.compat.autograd.misc import flatten, optimizers
from tapegrad.compat.autograd.misc.flatten import flatten_func
from tapegrad.compat.autograd.numpy import numpy_wrapper
from tapegrad.compat.autograd.numpy.numpy_boxes import ArrayBox
from tapegrad.compat.autograd.test_util import check_grads, check_jvp, check_vjp, combo_check

Z = onp.array([0.5 + 1.0j, -0.3 + 0.2j])


def square(x):
    return x**2


def test_gradients_are_conjugates_of_the_tapes_for_complex_arguments():
    def f(z):
        return np.sum(np.abs(z) ** 2 * np.real(z))

    assert_allclose(grad(f)(Z), onp.conj(tf.grad(f)(Z)))
    # df/dx - i df/dy, by differences.
    step = 1e-6
    for k, found in enumerate(grad(f)(Z)):
        e = onp.eye(2)[k]
        by_x = (f(Z + step * e) - f(Z - step * e)) / (2 * step)
        by_y = (f(Z + 1j * step * e) - f(Z - 1j * step * e)) / (2 * step)
        assert_allclose(found, by_x - 1j * by_y, rtol=1e-8)


def test_the_complex_convention_in_every_operator():
    direction = onp.array([1.0 - 2.0j, 0.4j])
    vjp, value = make_vjp(lambda z: z**3)(Z)
    assert_allclose(value, Z**3)
    assert_allclose(vjp(direction), 3 * Z**2 * direction)
    assert_allclose(make_jvp(lambda z: z**3)(Z)(direction)[1], 3 * Z**2 * direction)
    assert_allclose(make_jvp_reversemode(lambda z: z**3)(Z)(direction), 3 * Z**2 * direction)
    assert_allclose(jacobian(lambda z: z**3)(Z), onp.diag(3 * Z**2))
    assert_allclose(jacobian(lambda x: x * (1.0 + 2.0j))(onp.ones(2)), (1.0 + 2.0j) * onp.eye(2))
    assert_allclose(ag.holomorphic_grad(np.exp)(Z), onp.exp(Z))
    along = make_jvp(grad(lambda z: np.sum(np.abs(z) ** 4)))(Z)(direction)[1]
    assert_allclose(ag.hessian_vector_product(lambda z: np.sum(np.abs(z) ** 4))(Z, direction), along)
    assert_allclose(core.backward_pass(1.0, tracer.trace(core.VJPNode.new_root(), np.square, Z[0])[1]), 2 * Z[0])


def test_complex_results_are_refused_with_a_way_out():
    with pytest.raises(TypeError, match="holomorphic_grad"):
        grad(lambda z: z**2)(1.0 + 1.0j)
    with pytest.raises(TypeError, match="holomorphic_grad"):
        ag.elementwise_grad(lambda z: z**2)(Z)
    with pytest.warns(UserWarning, match="not complex"):
        assert ag.holomorphic_grad(square)(3.0) == 6.0


def test_results_are_plain():
    assert type(grad(square)(3.0)) is onp.float64
    value, gradient = ag.value_and_grad(lambda x: np.sum(x**2))(onp.ones(3, onp.float32))
    assert type(value) is onp.float32
    assert type(gradient) is onp.ndarray
    assert gradient.dtype == onp.float32
    assert type(np.exp(1.0)) is onp.float64
    assert type(np.ones(3)) is onp.ndarray
    assert type(np.array([1.0, 2.0])) is onp.ndarray
    assert np.float64 is onp.float64
    assert np.ndarray is onp.ndarray
    assert np.pi == onp.pi


def test_integers_have_no_derivative():
    with pytest.raises(TypeError, match="pass it as a float"):
        grad(square)(3)
    with pytest.raises(TypeError, match="vector space"):
        extend.vspace(3)


def test_vector_results_are_refused_by_grad():
    with pytest.raises(TypeError, match="jacobian"):
        grad(square)(onp.ones(2))


def test_hessian_of_scalars_vectors_and_several_arguments():
    x = onp.array([0.3, 0.8])
    assert_allclose(ag.hessian(lambda x: np.sum(x**3))(x), onp.diag(6 * x))
    vectors = ag.hessian(lambda x: x**3)(x)
    assert vectors.shape == (2, 2, 2)
    assert_allclose(vectors[1], [[0, 0], [0, 6 * x[1]]])
    assert_allclose(ag.hessian(lambda x, y: x * y**3, 1)(2.0, 3.0), 36.0)
    assert_allclose(ag.hessian(lambda x: 3.0 * np.sum(x))(x), onp.zeros((2, 2)))
    both = ag.hessian(lambda x, y: x * y**2, [0, 1])(2.0, 3.0)
    assert_allclose([[float(part) for part in row] for row in both], [[0.0, 6.0], [6.0, 4.0]])


def test_tapes_and_operators_nest():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = grad(lambda t: t**3)(x)
    assert float(tape.gradient(y, x)) == 12.0


def test_reverse_products_are_used_again():
    calls = []

    def f(x):
        calls.append(1)
        return np.outer(x, x)

    x = onp.array([1.0, 2.0])
    vjp, _ = make_vjp(f)(x)
    forward = make_jvp_reversemode(f)(x)
    assert len(calls) == 2
    matrix = onp.array([[1.0, 2.0], [3.0, 4.0]])
    assert_allclose([vjp(matrix), vjp(2 * matrix)], [(matrix + matrix.T) @ x, 2 * (matrix + matrix.T) @ x])
    assert_allclose(forward(onp.array([1.0, 0.0])), [[2.0, 2.0], [2.0, 0.0]])
    assert len(calls) == 2


def test_checkpoints_are_computed_again():
    calls = []

    def f(p, x):
        calls.append(1)
        return {"sum": np.sum(np.sin(p["a"] * x)), "note": "text"}

    x, kept = onp.array([0.3, 0.7]), ag.checkpoint(f)
    assert type(kept({"a": 2.0}, x)["sum"]) is onp.float64
    assert kept.__name__ == "f"
    calls.clear()
    wanted = grad(lambda x: np.sum(np.sin(2.0 * x)))(x)
    assert_allclose(grad(lambda x: kept({"a": 2.0}, x)["sum"])(x), wanted)
    assert len(calls) == 2
    assert_allclose(grad(lambda a: kept({"a": a}, x)["sum"])(2.0), onp.sum(x * onp.cos(2.0 * x)))
    # What its code refers to counts, and so do higher orders.
    found = grad(lambda a: ag.checkpoint(lambda y: np.sum(np.sin(a * y)))(x))(2.0)
    assert_allclose(found, onp.sum(x * onp.cos(2.0 * x)))
    assert_allclose(ag.hessian(ag.checkpoint(lambda x: np.sum(x**3)))(x), onp.diag(6.0 * x))
    assert_allclose(make_jvp(ag.checkpoint(lambda x: np.sum(x**3)))(x)(x)[1], onp.sum(3.0 * x**3))


def test_constants_have_zero_derivatives():
    x = onp.ones(2)
    assert_allclose(grad(lambda x: 3.0)(x), onp.zeros(2))
    assert_allclose(jacobian(lambda x: onp.ones(3))(x), onp.zeros((3, 2)))
    assert_allclose(make_vjp(lambda x: x > 0.5)(x)[0](onp.ones(2)), onp.zeros(2))
    assert_allclose(make_jvp_reversemode(lambda x: (x, 5.0))(x)(x)[1], 0.0)


def test_multigrad_dict_takes_defaults_and_leaves_out_what_has_no_derivative():
    found = multigrad_dict(lambda a, n, *rest, b=2.0, **more: a * b**n + rest[0] + more["c"])(3.0, 2, 1.0, c=4.0)
    assert found == {"a": 4.0, "n": None, "rest": (1.0,), "b": 12.0, "more": {"c": 1.0}}


def test_grad_named_says_what_there_is():
    with pytest.raises(ValueError, match="no argument 'c', but a, b"):
        ag.grad_named(lambda a, b: a * b, "c")


def test_boxes_are_what_a_tape_records():
    seen = []

    def f(x):
        seen.extend(
            (tracer.isbox(value), isinstance(value, tracer.Box), isinstance(value, ArrayBox))
            for value in (x, x > 0.0, 2.0, np.zeros_like(x))
        )
        assert type(tracer.getval(x)) is onp.float64
        assert type(x._value) is onp.float64
        return x**2

    grad(f)(3.0)
    assert seen == [(True, True, True), (False, False, False), (False, False, False), (False, False, False)]
    with pytest.raises(TypeError, match="new_box"):
        ArrayBox(1.0)
    ArrayBox.register(onp.matrix)
    with pytest.raises(TypeError, match="str is no type of arrays"):
        ArrayBox.register(str)


def test_builtins_look_through_tensors_and_containers_are_pythons():
    def f(p):
        assert ag.isinstance(p["a"], onp.ndarray)
        assert ag.type(p["b"]) is onp.float64
        assert not ag.isinstance(p["a"], list)
        assert isinstance(p, DictBox)
        assert isinstance(list(p.values()), SequenceBox)
        assert not isinstance({"c": 1.0}, DictBox)
        assert tracer.getval(p)["b"] == 3.0
        assert tracer.getval("text") == "text"
        return np.sum(p["a"]) * p["b"]

    found = grad(f)({"a": onp.ones(2), "b": 3.0})
    assert_allclose(found["a"], [3.0, 3.0])
    assert ag.tuple is builtins.tuple
    assert ag.dict is builtins.dict
    assert ag.list is builtins.list


def test_what_no_tape_records_comes_back_as_arrays():
    def f(x):
        steps = np.floor(x)
        assert type(steps) is onp.ndarray
        assert type(np.linalg.svd(np.floor(np.outer(x, x))).S) is onp.ndarray
        assert [type(part) for part in np.array_split(steps, 2)] == [onp.ndarray] * 2
        return np.sum(steps * x)

    assert_allclose(grad(f)(onp.array([1.5, 2.5])), [1.0, 2.0])


def test_functions_of_numpy_take_lists_of_tensors_and_are_one_under_all_names():
    assert np.abs is np.absolute
    assert np.linalg.norm is np.linalg.norm
    assert_allclose(jacobian(lambda x: np.mean([x[0], x[1] ** 2, 1.0]))(onp.array([1.0, 2.0])), [1 / 3, 4 / 3])
    assert_allclose(jacobian(lambda x: np.vstack((x, 2.0 * x)))(onp.ones(1)).ravel(), [1.0, 2.0])
    with pytest.raises(AttributeError, match="no_such_name"):
        np.no_such_name  # noqa: B018
    with pytest.raises(NotImplementedError, match="directives"):
        grad(lambda x: np.sum(np.r_["0,2", x]))(onp.ones(2))


def test_where_is_autograds():
    x = onp.array([1.0, 2.0])
    assert np.where(True, 1, 2) == 1
    assert np.where([True, False], [1, 2], [3, 4]) == [1, 4]
    assert_allclose(np.where(x > 1.5, x=x, y=0.0), [0.0, 2.0])
    assert_allclose(np.where(x > 1.5)[0], [1])
    assert_allclose(grad(lambda x: np.sum(np.where(x > 1.5, x**2, 0.0)))(x), [0.0, 4.0])


def test_functions_of_separate_arguments():
    x = onp.array([1.0, 2.0])
    assert_allclose(np.concatenate_args(0, x, x), [1.0, 2.0, 1.0, 2.0])
    assert_allclose(grad(lambda x: np.sum(np.concatenate_args(0, x, x**2)))(x), 1.0 + 2.0 * x)
    assert_allclose(jacobian(lambda x: np.array_from_args((), {}, x[0] ** 2, 1.0))(x), [[2.0, 0.0], [0.0, 0.0]])
    assert np.array_from_args((), {"dtype": onp.float32}, 1.0).dtype == onp.float32
    assert numpy_wrapper.exp is np.exp
    assert np.metadata(x) == ((2,), 1, onp.float64, False)
    with pytest.raises(AttributeError, match="no_such_name"):
        numpy_wrapper.no_such_name  # noqa: B018


def test_names_and_signatures_of_operators():
    assert list(inspect.signature(make_vjp).parameters) == ["fun", "argnum", "nary_op_args", "nary_op_kwargs"]
    made = wrap_util.wrap_nary_f(square, grad, (0, 1))(lambda x: x)
    assert made.__name__ == "grad_of_square_wrt_argnum_(0, 1)"
    assert made.__doc__ == "grad of square for argument (0, 1); it takes the arguments of square."
    assert wrap_util.get_name(3) == "[unknown name]"
    assert wrap_util.get_doc(square) == ""


def test_random_numbers_are_numpys():
    np.random.seed(3)
    found = np.random.randn(2)
    onp.random.seed(3)  # noqa: NPY002
    assert_allclose(found, onp.random.randn(2))  # noqa: NPY002
    assert np.random.RandomState is onp.random.RandomState


def test_make_diagonal_refuses_other_diagonals():
    assert_allclose(np.make_diagonal(onp.ones((3, 2)), axis1=-1, axis2=-2), [onp.eye(2)] * 3)
    with pytest.raises(NotImplementedError, match="offset=1"):
        np.make_diagonal(onp.ones(2), offset=1)


def test_traces_by_hand():
    with tracer.trace_stack.new_trace() as outer:
        assert tracer.trace_stack.top == 0
        box = tracer.new_box({"a": onp.ones(2), "n": "text"}, outer, core.VJPNode.new_root())
        assert box["n"] == "text"
        with tracer.trace_stack.new_trace() as inner:
            other = tracer.new_box(2.0, inner, core.VJPNode.new_root())
            product = np.sum(box["a"] ** 2) * other
            assert product._trace is inner
            assert box["a"]._trace is outer
            slope = core.backward_pass(1.0, product._node)
            assert tracer.isbox(slope)
        end = slope._node
    found = core.backward_pass(1.0, end)
    assert_allclose(found["a"], [2.0, 2.0])
    assert found["n"] is None
    assert tracer.trace_stack.top == -1
    with pytest.raises(TypeError, match="new_trace"):
        tracer.new_box(1.0, 0, core.VJPNode.new_root())
    with pytest.raises(ValueError, match="belongs to no trace"):
        core.backward_pass(1.0, core.VJPNode.new_root())


def test_trace_of_a_function():
    value, node = tracer.trace(core.JVPNode.new_root(onp.array([1.0, 0.0])), lambda x: np.cumsum(x**2), onp.ones(2))
    assert_allclose(value, [1.0, 2.0])
    assert_allclose(node.g, [2.0, 2.0])
    assert tracer.trace(core.VJPNode.new_root(), lambda x: 5.0, 1.0) == (5.0, None)


def test_flattening_and_optimizers():
    value = {"b": onp.ones((1, 2)), "a": 5.0}
    vector, unflatten = flatten(value)
    assert_allclose(vector, [5.0, 1.0, 1.0])
    assert unflatten(vector)["b"].shape == (1, 2)
    assert_allclose(grad(lambda p: np.sum(flatten(p)[0] ** 2))(value)["b"], [[2.0, 2.0]])
    doubled, back, start = flatten_func(lambda p, k: {"a": k * p["a"], "b": p["b"]}, value)
    assert back(doubled(start, 2.0))["a"] == 10.0
    seen = []
    optimizers.adam(lambda p, i: {"a": p["a"]}, {"a": 1.0}, lambda p, i, g: seen.append((i, p["a"])), num_iters=3)
    assert [i for i, _ in seen] == [0, 1, 2]
    assert seen[0][1] == 1.0


def test_checks_find_wrong_rules():
    @extend.primitive
    def wrong(x):
        return onp.sin(x)

    extend.defvjp(wrong, lambda ans, x: lambda g: 1.001 * g * np.cos(x))
    with pytest.raises(AssertionError, match="\\(VJP\\) check of wrong failed"):
        check_grads(wrong, modes=["rev"])(0.5)
    with pytest.raises(AssertionError, match="mismatch"):
        check_jvp(wrong, 0.5)

    @extend.primitive
    def half_wrong(g):
        return g

    extend.defvjp(half_wrong, lambda ans, g: lambda h: 1.001 * h)
    extend.defvjp(wrong, lambda ans, x: lambda g: half_wrong(g) * np.cos(x))
    check_vjp(wrong, 0.5)
    with pytest.raises(AssertionError, match="check of vjp_wrong failed"):
        check_grads(wrong, modes=["rev"])(0.5)
    with pytest.raises(ValueError, match="modes"):
        check_grads(wrong, modes=["sideways"])(0.5)


def test_checks_pass_for_right_rules():
    check_grads(lambda x, y: np.sum(np.dot(x, y) ** 2), [0, 1])(onp.ones((2, 3)), onp.ones(3))
    check_grads(np.abs, modes=["rev"])(1.0 + 2.0j)
    combo_check(np.sum, [0])([onp.ones((2, 3))], axis=[None, 0, 1], keepdims=[True, False])


@pytest.mark.parametrize("operator", [grad, ag.elementwise_grad, jacobian, ag.hessian, ag.value_and_grad])
def test_gradient_functions_pickle(operator):
    made = operator(square)
    assert_allclose(pickle.loads(pickle.dumps(made))(3.0), made(3.0))


@pytest.mark.parametrize(
    "name",
    [
        *("builtins", "core", "differential_operators", "extend", "tracer", "util", "wrap_util", "test_util"),
        *("numpy", "numpy.fft", "numpy.linalg", "numpy.numpy_boxes", "numpy.numpy_jvps", "numpy.numpy_vjps"),
        *("numpy.numpy_vspaces", "numpy.numpy_wrapper", "numpy.random", "misc", "misc.fixed_points", "misc.flatten"),
        *(
            "misc.optimizers",
            "misc.tracers",
            "scipy",
            "scipy.integrate",
            "scipy.linalg",
            "scipy.signal",
            "scipy.special",
        ),
        *("scipy.stats", "scipy.stats.norm", "scipy.stats.t"),
    ],
)
def test_modules_have_what_they_promise(name):
    module = importlib.import_module(f"tapegrad.compat.autograd.{name}")
    promised = getattr(module, "__all__", [])
    assert set(promised) <= {*dir(module)}
    for each in promised:
        getattr(module, each)
