"""Ordinary differential equations as in `autograd.scipy.integrate`, differentiated by their adjoint equation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import scipy.integrate

from tapegrad.compat.autograd import numpy as np
from tapegrad.compat.autograd._primitives import library
from tapegrad.compat.autograd._rules import defvjp_argnums
from tapegrad.compat.autograd._values import Function, settled
from tapegrad.compat.autograd.core import make_vjp
from tapegrad.compat.autograd.misc.flatten import flatten

__all__ = ["odeint"]

odeint = library(scipy.integrate.odeint, None)
"""`scipy.integrate.odeint(func, y0, t, args)`, differentiable for the start, the times and the arguments of `func`."""


def _vjp(argnums: Sequence[int], ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Function:
    """Return the rule for the start (1), the times (2) and the arguments of `func` (3).

    Along a solution of y' = f(y, t, p), the cotangent a of y obeys a' = -a df/dy, and those of t and p collect
    a df/dt and a df/dp on the way back; at each time the cotangent of the result there is added to a.
    """
    func, _, t, *rest = args
    parameters, unflatten = flatten(rest[0] if rest else ())
    size = ans.shape[1]

    def slopes(state: Any, time: Any, parameters: Any) -> Any:
        """Return the derivatives of y, a, and what is collected for p, all in one vector."""
        y, a = state[:size], state[size : 2 * size]
        back, f = make_vjp(lambda point: np.asarray(func(point[0], time, *unflatten(point[1]))), (y, parameters))
        by_y, by_parameters = back(-a)
        return settled(np.concatenate([f, by_y, by_parameters]))

    def vjp(g: Any) -> list[Any]:
        a, collected = g[-1], np.zeros(parameters.shape[0])
        by_time: list[Any] = []
        for k in range(len(t) - 1, 0, -1):
            here = np.dot(np.asarray(func(ans[k], t[k], *unflatten(parameters))), g[k])
            by_time.append(here)
            state = np.concatenate([ans[k], a, collected])
            state = odeint(slopes, settled(state), np.stack([t[k], t[k - 1]]), (parameters,), **kwargs)[1]
            a, collected = state[size : 2 * size] + g[k - 1], state[2 * size :]
        start = np.dot(np.asarray(func(ans[0], t[0], *unflatten(parameters))), a - g[0])
        by_time.append(-start)
        results = {1: settled(a), 2: settled(np.stack(by_time[::-1])), 3: unflatten(settled(collected))}
        return [results[k] for k in argnums]

    return vjp


defvjp_argnums(odeint, _vjp)
