"""Functions in the form that SciPy's solvers take: of a vector, returning numbers, arrays and matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds

from tapegrad import nest
from tapegrad._native import Value, array
from tapegrad.functional import flatten
from tapegrad.functional.jacobians import value_and_jacobian
from tapegrad.functional.structures import leaves_of, map_leaves

__all__ = ["Unknowns", "as_vector", "fun_and_jac", "plain_array"]

_Array = npt.NDArray[Any]


def fun_and_jac(f: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """Return the function that computes `f` and its derivative: what SciPy calls a `fun` with `jac=True`.

    Parameters
    ----------
    f
        `f(x, *args)` returns a number or an array.

    Returns
    -------
    callable
        `(x, *args)` gives `(value, derivative)`: the gradient of a number, the Jacobian of an array, with respect to
        `x`. Both are NumPy arrays, float64 and contiguous if `x` is float64.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad.scipy
    >>> tapegrad.scipy.fun_and_jac(lambda x, k: x[:1] * x[1] - k)(np.array([2.0, 3.0]), 5.0)
    (array([1.]), array([[3., 2.]]))
    """
    return value_and_jacobian(f)


class Unknowns:
    """The unknowns of a problem, as the user has them and as the vector that SciPy has."""

    def __init__(self, what: str, x0: Any) -> None:
        """Take the start: a number, an array, a list of numbers, or a structure of arrays."""
        if isinstance(x0, list | tuple) and not hasattr(x0, "_fields") and _holds_numbers_only(x0):
            x0 = np.asarray(x0)
        self._structure = map_leaves(lambda leaf: _as_float(what, leaf), x0)
        vector, self._unflatten = flatten(self._structure)
        self.start: _Array = vector
        self.is_vector = isinstance(self._structure, np.ndarray) and self._structure.ndim == 1

    def unpack(self, vector: Any) -> Any:
        """Return a vector, an array or a tensor, in the user's form."""
        return vector if self.is_vector else self._unflatten(vector)

    def of_result(self, result: Any) -> Any:
        """Return a copy of SciPy's result with the unknowns, and the gradient, in the user's form."""
        result = type(result)(result)
        for name in ("x", "jac"):
            if isinstance(result.get(name), np.ndarray) and result[name].shape == self.start.shape:
                result[name] = self.unpack(result[name])
        return result

    def of_vector(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the unknowns as one of the vector."""
        return f if self.is_vector else lambda vector, *args: f(self._unflatten(vector), *args)

    def bounds(self, what: str, bounds: Any) -> Any:
        """Return bounds in a form that SciPy takes for the vector."""
        if bounds is None or self.is_vector or isinstance(bounds, Bounds):
            return bounds
        if not isinstance(bounds, tuple) or len(bounds) != 2:
            raise ValueError(
                f"{what}: for unknowns that are no vector, bounds are a pair (lower, upper) of numbers or of "
                f"structures like x0, not {bounds!r}."
            )
        return Bounds(self._limit(what, bounds[0], -np.inf), self._limit(what, bounds[1], np.inf))

    def _limit(self, what: str, limit: Any, absent: float) -> _Array:
        """Return one bound for each element of the vector."""
        shapes = [np.shape(leaf) for leaf in leaves_of(self._structure)]
        given = leaves_of(limit)
        if len(given) == 1 and not nest.is_nested(limit):
            given *= len(shapes)
        if len(given) != len(shapes):
            raise ValueError(f"{what}: a bound has {len(given)} values for {len(shapes)} unknowns.")
        pieces = [
            np.broadcast_to(absent if value is None else plain_array(value), shape).ravel()
            for value, shape in zip(given, shapes, strict=True)
        ]
        return np.concatenate(pieces)


def as_vector(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with its results, an array of any shape or a structure, as one vector."""

    def vector_valued(*args: Any) -> Any:
        result = f(*args)
        if isinstance(result, Value | np.ndarray) and result.ndim == 1:
            return result
        if isinstance(result, list) and _holds_numbers_only(result):
            return np.asarray(result)
        return flatten(result)[0]

    return vector_valued


def plain_array(value: Any) -> _Array:
    """Return a function's result as an array."""
    return np.asarray(array(value))


def _holds_numbers_only(sequence: Sequence[Any]) -> bool:
    return all([isinstance(leaf, int | float | np.number) for leaf in nest.flatten(sequence)])


def _as_float(what: str, leaf: Any) -> Any:
    """Return a part of the start as a float64 number or array."""
    values = plain_array(leaf)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{what}: the unknowns must be real numbers, but x0 holds {leaf!r}, of dtype {values.dtype}.")
    return values.astype(np.float64)[()]
