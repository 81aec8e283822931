"""Fixed points that are differentiated without the iterations that found them, as in `autograd.misc.fixed_points`."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.autograd._primitives import primitive
from tapegrad.compat.autograd._rules import defvjp
from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd.core import make_vjp

__all__ = ["fixed_point"]


@primitive
def fixed_point(f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Any:
    """Return the x with `f(a)(x) == x` to which the iteration from `x0` on leads.

    Parameters
    ----------
    f
        `f(a)` returns the function to iterate.
    a
        Its parameters; the fixed point is differentiated with respect to these.
    x0
        The start.
    distance, tol
        `distance(x, previous)` is below `tol` when the iteration ends.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.misc.fixed_points import fixed_point
    >>> def root(a):  # Newton's iteration for a square root
    ...     return fixed_point(lambda a: lambda x: 0.5 * (x + a / x), a, 1.0, lambda x, y: abs(x - y), 1e-10)
    >>> float(root(4.0)), round(float(grad(root)(4.0)), 8)
    (2.0, 0.25)
    """
    step = f(a)
    previous, x = x0, step(x0)
    while distance(x, previous) >= tol:
        previous, x = x, step(x)
    return x


def _vjp(ans: Any, f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Function:
    """Return the rule for the parameters: the cotangent of the step at the fixed point, itself a fixed point.

    With x = F(a, x), dx = F_a da + F_x dx, so that a cotangent g of x becomes F_a' u where u = g + F_x' u.
    """

    def vjp(g: Any) -> Any:
        def iteration(parameters: Any) -> Function:
            a, x, g = parameters
            back = make_vjp(f(a), x)[0]
            return lambda u: g + back(u)

        u = fixed_point(iteration, (a, ans, g), g, distance, tol)
        return make_vjp(lambda b: f(b)(ans), a)[0](u)

    return vjp


defvjp(fixed_point, None, _vjp, None)
