"""Least squares, systems of equations and curve fits of `scipy.optimize` with exact Jacobians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.optimize

from tapegrad.functional import jacobian
from tapegrad.scipy.functions import Unknowns, as_vector, fun_and_jac, plain_array

__all__ = ["curve_fit", "least_squares", "root"]

_WITH_JACOBIAN = frozenset({"hybr", "lm"})


def least_squares(f: Callable[..., Any], x0: Any, args: Any = (), *, bounds: Any = None, **options: Any) -> Any:
    """Minimize half the sum of squares of a function's results by `scipy.optimize.least_squares`.

    Parameters
    ----------
    f
        `f(x, *args)` returns the residuals: an array of any shape, or a structure of arrays.
    x0
        The start, as for `minimize`.
    args
        More arguments of `f`.
    bounds
        As for `minimize`; for a vector SciPy's pair `(lower, upper)`.
    **options
        SciPy's: `method`, `loss`, `x_scale`, `ftol` and so on.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with `x` in the form of `x0`.

    Raises
    ------
    TypeError
        If `f` does not return floating-point numbers, or `x0` is not real.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad.scipy
    >>> t = np.linspace(0.0, 1.0, 20)
    >>> def residuals(p):
    ...     return p["a"] * np.exp(p["k"] * t) - 3 * np.exp(-2 * t)
    >>> result = tapegrad.scipy.least_squares(residuals, {"a": 1.0, "k": 0.0})
    >>> round(float(result.x["a"]), 6), round(float(result.x["k"]), 6)
    (3.0, -2.0)
    """
    unknowns = Unknowns("least_squares", x0)
    residuals = as_vector(unknowns.of_vector(f))
    given = unknowns.bounds("least_squares", bounds)
    if given is not None:
        options["bounds"] = given
    result = scipy.optimize.least_squares(
        lambda x, *args: plain_array(residuals(x, *args)),
        unknowns.start,
        jacobian(residuals),
        args=args if isinstance(args, tuple) else (args,),
        **options,
    )
    return unknowns.of_result(result)


def root(
    f: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    *,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """Solve a system of equations by `scipy.optimize.root`.

    Parameters
    ----------
    f
        `f(x, *args)` returns what is to become zero: as many numbers as `x` has, in an array of any shape or a
        structure of arrays.
    x0
        The start, as for `minimize`.
    args
        More arguments of `f`.
    method
        SciPy's. "hybr" and "lm" use the Jacobian, computed together with the function; the others do without.
    tol, callback, options
        SciPy's. The callback gets vectors.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with `x` in the form of `x0`.

    Raises
    ------
    TypeError
        If `f` does not return floating-point numbers, or `x0` is not real.

    See Also
    --------
    tapegrad.implicit_solve : makes the solution differentiable with respect to parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad.scipy
    >>> result = tapegrad.scipy.root(lambda x: np.stack([x[0] + x[1] - 3.0, x[0] * x[1] - 2.0]), [3.0, 0.5])
    >>> np.round(result.x, 6)
    array([2., 1.])
    """
    unknowns = Unknowns("root", x0)
    system = as_vector(unknowns.of_vector(f))
    exact = method.lower() in _WITH_JACOBIAN
    result = scipy.optimize.root(
        fun_and_jac(system) if exact else lambda x, *args: plain_array(system(x, *args)),
        unknowns.start,
        args=args if isinstance(args, tuple) else (args,),
        method=method,
        jac=exact or None,
        tol=tol,
        callback=callback,
        options=None if options is None else dict(options),
    )
    return unknowns.of_result(result)


def curve_fit(f: Callable[..., Any], xdata: Any, ydata: Any, p0: Any = None, **options: Any) -> Any:
    """Fit a function to data by `scipy.optimize.curve_fit`.

    Parameters
    ----------
    f
        `f(xdata, *params)` returns the model's values at all data points; the parameters are numbers.
    xdata, ydata
        The data.
    p0
        The start, one number for each parameter; by default ones.
    **options
        SciPy's: `sigma`, `bounds`, `method` and so on.

    Returns
    -------
    tuple
        SciPy's: the parameters and their covariance, and more if asked for.

    Raises
    ------
    TypeError
        If `f` does not return floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad.scipy
    >>> t = np.linspace(0.0, 1.0, 20)
    >>> params, covariance = tapegrad.scipy.curve_fit(lambda t, a, k: a * np.exp(k * t), t, 3 * np.exp(-2 * t))
    >>> np.round(params, 6)
    array([ 3., -2.])
    """

    @functools.wraps(f)  # SciPy counts the parameters in the signature
    def values(xdata: Any, *params: Any) -> Any:
        return plain_array(f(xdata, *params))

    def derivatives(xdata: Any, *params: Any) -> Any:
        columns = jacobian(f, tuple(range(1, len(params) + 1)))(xdata, *params)
        return np.stack(columns, axis=-1)

    return scipy.optimize.curve_fit(values, xdata, ydata, p0, jac=derivatives, **options)
