"""Constraints with exact Jacobians and Hessians, in the forms that SciPy takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import HessianUpdateStrategy, LinearConstraint, NonlinearConstraint

from tapegrad.functional import hessian, jacobian
from tapegrad.scipy.functions import Unknowns, as_vector, plain_array

__all__ = ["with_derivatives"]

_Array = npt.NDArray[Any]


def with_derivatives(constraints: Any, unknowns: Unknowns, *, second: bool) -> Any:
    """Return constraints on the unknowns as constraints on the vector, with the derivatives that they do not have.

    `second` says whether the method uses Hessians of constraints; SciPy warns of what is of no use.
    """
    if isinstance(constraints, list | tuple):
        return type(constraints)([with_derivatives(constraint, unknowns, second=second) for constraint in constraints])
    if isinstance(constraints, Mapping):
        return _of_dict(constraints, unknowns)
    if isinstance(constraints, NonlinearConstraint):
        return _of_nonlinear(constraints, unknowns, second)
    if isinstance(constraints, LinearConstraint):
        return constraints
    raise TypeError(
        "minimize: constraints are dictionaries, NonlinearConstraint or LinearConstraint objects, or a sequence of "
        f"these, not {constraints!r}."
    )


def _of_dict(constraint: Mapping[str, Any], unknowns: Unknowns) -> dict[str, Any]:
    f = as_vector(unknowns.of_vector(constraint["fun"]))
    return {"jac": jacobian(f), **constraint, "fun": lambda x, *args: plain_array(f(x, *args))}


def _of_nonlinear(constraint: Any, unknowns: Unknowns, second: bool) -> Any:
    f = as_vector(unknowns.of_vector(constraint.fun))

    def weighted(x: Any, weights: _Array) -> Any:
        return np.sum(f(x) * weights)

    hess = constraint.hess
    # What is in place of a function is an approximation, which is SciPy's default.
    if second and isinstance(hess, str | HessianUpdateStrategy | type(None)):
        hess = hessian(weighted)
    return NonlinearConstraint(
        lambda x: plain_array(f(x)),
        constraint.lb,
        constraint.ub,
        jac=constraint.jac if callable(constraint.jac) else jacobian(f),
        hess=hess,
        keep_feasible=constraint.keep_feasible,
    )
