"""`scipy.optimize.minimize` with exact gradients, Hessians and constraint Jacobians."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.optimize

from tapegrad.functional import hessian, hvp, value_and_grad
from tapegrad.scipy.constraints import with_derivatives
from tapegrad.scipy.functions import Unknowns, plain_array

__all__ = ["minimize"]

_WITHOUT_GRADIENT = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})
_WITH_PRODUCTS = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
_WITH_HESSIAN = frozenset({"dogleg", "trust-exact"})


def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | Callable[..., Any] | None = None,
    *,
    hess: Any = None,
    hessp: Callable[..., Any] | None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Minimize a function of one or more variables by `scipy.optimize.minimize`.

    Values and gradients are computed together. Methods that use second derivatives get exact ones: products of the
    Hessian with a vector (Newton-CG, trust-ncg, trust-krylov, trust-constr) or the Hessian (dogleg, trust-exact).

    Parameters
    ----------
    f
        `f(x, *args)` returns one number.
    x0
        The start: a vector, a number, an array of any shape, or a structure (dictionary, tuple of arrays, dataclass)
        of these. `f` gets the same form. Lists of numbers count as vectors.
    args
        More arguments of `f`.
    method, tol, options
        SciPy's. Methods that use no gradient work too.
    hess, hessp
        In place of the exact ones: SciPy's; they are functions of the vector.
    bounds
        For a vector SciPy's forms. Otherwise a pair `(lower, upper)` of numbers or of structures like `x0`, with `None`
        where there is none.
    constraints
        SciPy's: dictionaries, `NonlinearConstraint`, `LinearConstraint`, or a list of these. Their functions get the
        same form as `f`, and their Jacobians and Hessians (for trust-constr) are computed if none are given as
        functions. The matrix of a linear constraint belongs to the vector of all unknowns, in the order of
        `tapegrad.flatten`.
    callback
        SciPy's: called as `callback(x)` with the form of `x0`, or with `intermediate_result=`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with `x` and `jac` in the form of `x0`.

    Raises
    ------
    TypeError
        If `f` does not return one floating-point number, or `x0` is not real.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad.scipy
    >>> def rosenbrock(x):
    ...     return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    >>> result = tapegrad.scipy.minimize(rosenbrock, np.zeros(5), method="trust-exact")
    >>> np.round(result.x, 6)
    array([1., 1., 1., 1., 1.])
    >>> fit = tapegrad.scipy.minimize(lambda p: (p["a"] - 1.0) ** 2 + np.sum(p["b"] ** 2), {"a": 0.0, "b": np.ones(2)})
    >>> round(float(fit.x["a"]), 6)
    1.0
    """
    unknowns = Unknowns("minimize", x0)
    of_vector = unknowns.of_vector(f)
    name = method.lower() if isinstance(method, str) else ""
    more: dict[str, Any] = {"hess": hess, "hessp": hessp}
    if hess is None and hessp is None:
        if name in _WITH_PRODUCTS:
            more["hessp"] = _product(of_vector)
        elif name in _WITH_HESSIAN:
            more["hess"] = hessian(of_vector)
    more = {key: value for key, value in more.items() if value is not None}
    if name in _WITHOUT_GRADIENT:
        fun: Callable[..., Any] = _value(of_vector)
    else:
        fun, more["jac"] = value_and_grad(of_vector), True
    result = scipy.optimize.minimize(
        fun,
        unknowns.start,
        args if isinstance(args, tuple) else (args,),
        method,
        bounds=unknowns.bounds("minimize", bounds),
        constraints=with_derivatives(constraints, unknowns, second=name == "trust-constr"),
        tol=tol,
        callback=None if callback is None else _in_form(callback, unknowns),
        options=None if options is None else dict(options),
        **more,
    )
    return unknowns.of_result(result)


def _product(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the product of the Hessian with a vector, with SciPy's order of arguments."""
    product = hvp(f)
    return lambda x, vector, *args: product(x, *args, vector)


def _value(f: Callable[..., Any]) -> Callable[..., float]:
    """Return the function with plain numbers as results."""
    return lambda x, *args: float(np.squeeze(plain_array(f(x, *args))))


def _in_form(callback: Callable[..., Any], unknowns: Unknowns) -> Callable[..., Any]:
    """Return the callback for the vector; SciPy looks at the names of its parameters."""
    if unknowns.is_vector:
        return callback
    if set(inspect.signature(callback).parameters) == {"intermediate_result"}:
        return lambda intermediate_result: callback(intermediate_result=unknowns.of_result(intermediate_result))
    return lambda x, *state: callback(unknowns.unpack(x), *state)
