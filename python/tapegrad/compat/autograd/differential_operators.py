"""Derivatives of functions, as in `autograd.differential_operators`; gradients have autograd's complex convention."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from tapegrad import nest
from tapegrad._native import GradientTape, Value, tensor
from tapegrad._transformed import name_of
from tapegrad.checkpointing import recompute
from tapegrad.compat.autograd import core
from tapegrad.compat.autograd import numpy as anp
from tapegrad.compat.autograd._boxes import open_traces
from tapegrad.compat.autograd._gradients import (
    Argnum,
    elementwise_grad,
    grad,
    grad_and_aux,
    hessian,
    hessian_tensor_product,
    holomorphic_grad,
    jacobian,
    value_and_grad,
)
from tapegrad.compat.autograd._noting import is_inexact
from tapegrad.compat.autograd._traces import pushed
from tapegrad.compat.autograd._values import Function, settled
from tapegrad.compat.autograd._vspaces import vspace
from tapegrad.compat.autograd.wrap_util import unary_to_nary
from tapegrad.functional.arguments import Point, plain_results
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as

__all__ = [
    "checkpoint",
    "deriv",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_jvp_reversemode",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
]


@unary_to_nary
def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return the function that gives, for the arguments of `fun`, its reverse product and its value.

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_vjp
    >>> vjp, value = make_vjp(lambda a, x: a * x, 1)(2.0, 3.0)
    >>> value, vjp(1.0)
    (np.float64(6.0), np.float64(2.0))
    """
    return core.make_vjp(fun, x)


@unary_to_nary
def make_jvp(fun: Function, x: Any) -> Function:
    """Return the function that gives, for the arguments of `fun`, its forward product: `jvp(g)` is (value, tangent).

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_jvp
    >>> make_jvp(lambda a, x: a * x**2, 1)(2.0, 3.0)(1.0)
    (np.float64(18.0), np.float64(12.0))
    """
    return core.make_jvp(fun, x)


@unary_to_nary
def make_jvp_reversemode(fun: Function, x: Any) -> Function:
    """Return the function that gives, for the arguments of `fun`, what takes a direction to the tangent of its value.

    The function is called once; each direction is pushed through what was recorded.

    Examples
    --------
    >>> from tapegrad.compat.autograd.differential_operators import make_jvp_reversemode
    >>> make_jvp_reversemode(lambda x: x**2)(3.0)(1.0)
    np.float64(6.0)
    """
    if open_traces.differentiate_by_calls:
        return lambda g: core.make_jvp(fun, x)(g)[1]
    point = Point("make_jvp_reversemode", (x,), 0)
    with GradientTape(True, False) as tape:
        point.watch(tape)
        value = fun(*point.arguments)
    results = leaves_of(value)

    def jvp(g: Any) -> Any:
        directions = point.unpack("make_jvp_reversemode", g, "tangent")
        tangents = pushed(tape, results, point.sources, directions)
        plain = point.plain and not any([isinstance(leaf, Value) for leaf in leaves_of(g)])
        return plain_results(pack_as(value, tangents), plain)

    return jvp


@unary_to_nary
def make_hvp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return the function that gives, for the arguments of `fun`, its Hessian's product with vectors, and its gradient.

    What is recorded of the gradient serves all the vectors.

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_hvp
    >>> product, gradient = make_hvp(lambda x: x**3)(2.0)
    >>> gradient, product(1.0)
    (np.float64(12.0), np.float64(12.0))
    """
    return core.make_vjp(grad(fun), x)


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function of `(*args, tensor)` that multiplies a tensor with the Jacobian from the left.

    All axes of the tensor are summed over, with the first ones of the result of `fun`.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import vector_jacobian_product
    >>> vector_jacobian_product(lambda x: x**3)(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 3., 12.])
    """

    def contracted(*args: Any, **kwargs: Any) -> Any:
        *arguments, vector = args
        return anp.tensordot(vector, fun(*arguments, **kwargs), np.ndim(vector))

    return jacobian(contracted, argnum)


vector_jacobian_product = tensor_jacobian_product


@unary_to_nary
def deriv(fun: Function, x: Any) -> Any:
    """Return the function that computes the derivative along ones, in forward mode: of a function of one number, f'(x).

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.differential_operators import deriv
    >>> deriv(lambda t: np.array([t, t**2]))(3.0)
    array([1., 6.])
    """
    return core.make_jvp(fun, x)(vspace(x).ones())[1]


def checkpoint(fun: Function) -> Function:
    """Return a function that computes what `fun` does and keeps less: it is called again for its derivative.

    Within a trace that sees calls it is `fun` itself.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import checkpoint, grad
    >>> grad(checkpoint(lambda x: np.sum(np.sin(x) ** 2)))(np.array([0.0, 0.5]))
    array([0.        , 0.84147098])
    """

    @recompute.checkpoint
    def again(*args: Any, **kwargs: Any) -> Any:
        return map_leaves(_as_tensor, fun(*args, **kwargs))

    @functools.wraps(fun)
    def call(*args: Any, **kwargs: Any) -> Any:
        if open_traces.differentiate_by_calls:
            return fun(*args, **kwargs)
        return map_leaves(settled, again(*args, **kwargs))

    return call


def _as_tensor(leaf: Any) -> Any:
    """Return a number or array as a tensor: while nothing is recorded, functions of `autograd.numpy` return none."""
    return leaf if isinstance(leaf, Value) or not is_inexact(leaf) else tensor(np.asarray(leaf))


def make_ggnvp(f: Function, g: Function | None = None, f_argnum: int = 0) -> Function:
    """Return the function that gives, for the arguments of `f`, generalised Gauss-Newton products with vectors.

    The matrix is that of `g(f(x))`, without the second derivatives of `f`; without a `g` it is half the sum of squares.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.differential_operators import make_ggnvp
    >>> make_ggnvp(lambda x: x**2)(np.array([1.0, 2.0]))(np.array([1.0, 1.0]))
    array([ 4., 16.])
    """
    outer = _half_square if g is None else g

    @unary_to_nary
    def ggnvp_maker(fun: Function, x: Any) -> Function:
        back, value = core.make_vjp(fun, x)
        forward = make_jvp_reversemode(fun)(x)
        curve, _ = make_hvp(outer)(value)
        return lambda v: back(curve(forward(v)))

    made: Function = ggnvp_maker(f, f_argnum)
    return made


def _half_square(x: Any) -> Any:
    return 0.5 * np.sum(x**2, axis=-1)


def grad_named(fun: Function, argname: str) -> Function:
    """Return the function that computes the gradient for the argument of a given name.

    Examples
    --------
    >>> from tapegrad.compat.autograd.differential_operators import grad_named
    >>> grad_named(lambda a, x: a * x**2, "x")(2.0, 3.0)
    np.float64(12.0)
    """
    names = list(inspect.signature(fun).parameters)
    if argname not in names:
        raise ValueError(f"grad_named: {name_of(fun)} has no argument {argname!r}, but {', '.join(names)}.")
    return grad(fun, names.index(argname))


def multigrad_dict(fun: Function) -> Function:
    """Return the function that computes the gradients for all arguments, as a dictionary by their names.

    Arguments that are no floating-point numbers have `None`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.differential_operators import multigrad_dict
    >>> multigrad_dict(lambda a, x=1.0: a * x**2)(2.0, x=3.0)
    {'a': np.float64(9.0), 'x': np.float64(12.0)}
    """
    signature = inspect.signature(fun)

    def gradients_of(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        names = list(bound.arguments)

        def of_all(*values: Any) -> Any:
            moved = inspect.BoundArguments(signature, dict(zip(names, values, strict=True)))
            return fun(*moved.args, **moved.kwargs)

        values = [bound.arguments[name] for name in names]
        known = [k for k, value in enumerate(values) if all([is_inexact(leaf) for leaf in nest.flatten(value)])]
        found = dict(zip(known, grad(of_all, known)(*values), strict=True))
        return {name: found.get(k) for k, name in enumerate(names)}

    return gradients_of
