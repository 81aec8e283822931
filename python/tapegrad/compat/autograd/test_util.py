"""Checks of derivatives against differences, as in `autograd.test_util`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd._vspaces import vspace
from tapegrad.compat.autograd.core import make_jvp, make_vjp
from tapegrad.compat.autograd.wrap_util import unary_to_nary

__all__ = ["check_equivalent", "check_grads", "check_jvp", "check_vjp", "combo_check", "scalar_close"]
__all__ += ["make_numerical_jvp"]

TOL = 1e-6
RTOL = 1e-6
EPS = 1e-6


def scalar_close(a: Any, b: Any) -> bool:
    """Return whether two numbers agree to six digits, or to 1e-6.

    Examples
    --------
    >>> from tapegrad.compat.autograd.test_util import scalar_close
    >>> scalar_close(1.0, 1.0 + 1e-9), scalar_close(1.0, 1.1)
    (True, False)
    """
    return bool(abs(a - b) < TOL or abs(a - b) / abs(a + b) < RTOL)


def make_numerical_jvp(f: Function, x: Any) -> Callable[[Any], Any]:
    """Return the function that computes derivatives of `f` along directions by central differences.

    Examples
    --------
    >>> from tapegrad.compat.autograd.test_util import make_numerical_jvp
    >>> round(float(make_numerical_jvp(lambda x: x**2, 3.0)(1.0)), 6)
    6.0
    """
    space, result = vspace(x), vspace(f(x))

    def jvp(v: Any) -> Any:
        above = f(space.add(x, space.scalar_mul(v, EPS / 2)))
        below = f(space.add(x, space.scalar_mul(v, -EPS / 2)))
        return result.scalar_mul(result.add(above, result.scalar_mul(below, -1.0)), 1.0 / EPS)

    return jvp


def check_vjp(f: Function, x: Any) -> None:
    """Check the reverse product of a function of one argument along random directions.

    Raises
    ------
    AssertionError
        If it disagrees with central differences, or the cotangent is not like the argument.

    Examples
    --------
    >>> from tapegrad.compat.autograd.test_util import check_vjp
    >>> check_vjp(lambda x: x**2, 3.0)
    """
    vjp, value = make_vjp(f, x)
    space, result = vspace(x), vspace(value)
    direction, weights = space.randn(), result.randn()
    cotangent = vjp(weights)
    assert vspace(cotangent) == space, f"the cotangent is of {vspace(cotangent)}, but the argument of {space}"
    backward = space.inner_prod(direction, space.covector(cotangent))
    numeric = result.inner_prod(make_numerical_jvp(f, x)(direction), result.covector(weights))
    assert scalar_close(backward, numeric), (
        f"Derivative (VJP) check of {_name(f)} failed with arg {x}:\nanalytic: {backward}\nnumeric:  {numeric}"
    )


def check_jvp(f: Function, x: Any) -> None:
    """Check the forward product of a function of one argument along a random direction.

    Raises
    ------
    AssertionError
        If it disagrees with central differences.

    Examples
    --------
    >>> from tapegrad.compat.autograd.test_util import check_jvp
    >>> check_jvp(lambda x: x**2, 3.0)
    """
    direction = vspace(x).randn()
    check_equivalent(make_jvp(f, x)(direction)[1], make_numerical_jvp(f, x)(direction))


def check_equivalent(x: Any, y: Any) -> None:
    """Check that two values are of one vector space, and agree along a random direction.

    Raises
    ------
    AssertionError
        If they do not.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.test_util import check_equivalent
    >>> check_equivalent(np.ones(2), np.ones(2))
    """
    space = vspace(x)
    assert space == vspace(y), f"VSpace mismatch:\nx: {space}\ny: {vspace(y)}"
    direction = space.randn()
    a, b = space.inner_prod(x, direction), space.inner_prod(y, direction)
    assert scalar_close(a, b), f"Value mismatch:\nx: {x}\ny: {y}"


@unary_to_nary
def check_grads(f: Function, x: Any, modes: Sequence[str] = ("fwd", "rev"), order: int = 2) -> None:
    """Check derivatives against central differences: `check_grads(fun, argnum, modes, order)(*args)`.

    Parameters
    ----------
    f, x
        A function, and its argument.
    modes
        "fwd", "rev" or both. Of the second order, the products of the first are checked in each of them.
    order
        The highest order of derivative.

    Raises
    ------
    AssertionError
        If a derivative is wrong.

    Examples
    --------
    >>> from tapegrad.compat.autograd.test_util import check_grads
    >>> import tapegrad.compat.autograd.numpy as np
    >>> check_grads(np.sin)(0.5)
    >>> check_grads(np.arctan2, argnum=[0, 1], modes=["rev"], order=1)(0.5, 0.3)
    """
    if not modes or not set(modes) <= {"fwd", "rev"}:
        raise ValueError(f'check_grads: modes must be "fwd", "rev" or both, not {list(modes)}.')
    if "fwd" in modes:
        check_jvp(f, x)
        if order > 1:
            forward = _named(lambda x, v: make_jvp(f, x)(v)[1], f"jvp_{_name(f)}")
            check_grads(forward, (0, 1), modes, order - 1)(x, vspace(x).randn())
    if "rev" in modes:
        check_vjp(f, x)
        if order > 1:
            reverse = _named(lambda x, v: make_vjp(f, x)[0](v), f"vjp_{_name(f)}")
            check_grads(reverse, (0, 1), modes, order - 1)(x, vspace(f(x)).randn())


def _named(f: Function, name: str) -> Function:
    f.__name__ = name
    return f


def combo_check(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """Return the check for each choice of arguments: `combo_check(fun, argnums, ...)(*choices, **choices)`.

    Parameters
    ----------
    fun
        The function.
    *args, **kwargs
        For `check_grads`.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.test_util import combo_check
    >>> combo_check(np.sum, [0])([np.ones(2), np.ones((2, 3))], axis=[0, None])
    """

    def check(*choices: Sequence[Any], **named: Sequence[Any]) -> None:
        for values in itertools.product(*choices, *named.values()):
            positional, keywords = values[: len(choices)], dict(zip(named, values[len(choices) :], strict=True))
            check_grads(fun, *args, **kwargs)(*positional, **keywords)

    return check


def _name(f: Function) -> str:
    return getattr(f, "__name__", repr(f))
