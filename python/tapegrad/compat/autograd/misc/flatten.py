"""Structures as vectors, as in `autograd.misc.flatten`."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.autograd._boxes import open_traces
from tapegrad.compat.autograd._noting import named_step
from tapegrad.compat.autograd._values import Function, getval
from tapegrad.compat.autograd.wrap_util import unary_to_nary
from tapegrad.functional import vectors

__all__ = ["flatten", "flatten_func"]


def flatten(value: Any) -> tuple[Any, Function]:
    """Return the numbers of a structure as one vector, and the function that makes a structure of a vector again.

    It is `tapegrad.flatten`; in traces that see calls, each of the two directions is one.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.misc.flatten import flatten
    >>> vector, unflatten = flatten({"b": np.ones((1, 2)), "a": 5.0})
    >>> vector, unflatten(2.0 * vector)["a"]
    (array([5., 1., 1.]), np.float64(10.0))
    """
    if not open_traces.seeing_calls:
        return vectors.flatten(value)
    return _vector(value), named_step("unflatten", vectors.flatten(getval(value))[1])


_vector = named_step("flatten", lambda value: vectors.flatten(value)[0])


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
