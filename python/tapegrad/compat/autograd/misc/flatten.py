"""Structures as vectors, as in `autograd.misc.flatten`."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd.wrap_util import unary_to_nary
from tapegrad.functional.vectors import flatten

__all__ = ["flatten", "flatten_func"]


def flatten_func(func: Function, example: Any) -> tuple[Function, Function, Any]:
    """Return a function of a vector in place of one of a structure, and how to get from one to the other.

    Parameters
    ----------
    func
        A function whose first argument is a structure.
    example
        Such a structure.

    Returns
    -------
    function, unflatten, vector
        The function of a vector (and the other arguments), which returns a vector of the result's structure; what
        makes a structure like the example of a vector; the example as a vector.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.misc.flatten import flatten_func
    >>> doubled, unflatten, x = flatten_func(lambda p: {"a": 2.0 * p["a"]}, {"a": np.ones(2)})
    >>> unflatten(doubled(x))
    {'a': array([2., 2.])}
    """
    vector, unflatten = flatten(example)

    @unary_to_nary
    def of_vector(fun: Function, x: Any) -> Any:
        return flatten(fun(unflatten(x)))[0]

    return of_vector(func, 0), unflatten, vector
