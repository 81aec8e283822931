"""Gradients of functions: `grad`, `value_and_grad` and `elementwise_grad`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tapegrad._native import GradientTape, Tensor, tensor
from tapegrad._transformed import Transformed, name_of
from tapegrad.functional.arguments import (
    Argnums,
    Point,
    as_argnums,
    given_back,
    inexact_result,
    plain_results,
    with_auxiliary,
)

__all__ = ["elementwise_grad", "grad", "value_and_grad"]


def grad(
    f: Callable[..., Any],
    argnum: int | Sequence[int] = 0,
    *,
    argnums: int | Sequence[int] | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Return the function that computes the gradient of a scalar-valued function.

    Parameters
    ----------
    f
        Returns one floating-point number: of shape (), or with a single element.
    argnum, argnums
        Which positional argument to differentiate, or several: then the gradient is a tuple. An argument can be a
        number, an array, a tensor, or a list, tuple, namedtuple, dictionary or dataclass of these; its gradient has the
        same structure, shapes and dtypes. The two names mean the same.
    has_aux
        `f` returns a pair, of which only the first is differentiated; the result is `(gradient, second)`.

    Returns
    -------
    callable
        Takes the arguments of `f`. The gradient is made of plain numbers and arrays if the arguments are, else of
        tensors. Where nothing depends on an argument its gradient is zero.

    Raises
    ------
    TypeError
        When called: if `f` returns anything but one number, or an argument to be differentiated is an integer.

    Notes
    -----
    Python floats count as float64. A function that is called inside a tape, or inside another derivative, is recorded
    there: `grad(grad(f))` is the second derivative. For complex arguments the convention is the tape's: the gradient
    of a real-valued function is 2 df/dconj(z), and that of a complex-valued one belongs to its real part, which makes
    it the conjugate of f'(z) if `f` is holomorphic.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> slope = tapegrad.grad(lambda x: np.sin(x) ** 2)
    >>> slope(np.pi / 4)
    np.float64(1.0)
    >>> tapegrad.grad(slope)(0.0)
    np.float64(2.0)
    >>> tapegrad.grad(lambda p, x: p["a"] * x @ x + p["b"])({"a": 1.0, "b": 2.0}, np.array([1.0, 2.0]))
    {'a': np.float64(5.0), 'b': np.float64(1.0)}
    """
    return _Gradient(f, as_argnums("grad", argnum, argnums), has_aux)


def value_and_grad(
    f: Callable[..., Any],
    argnum: int | Sequence[int] = 0,
    *,
    argnums: int | Sequence[int] | None = None,
    has_aux: bool = False,
) -> Callable[..., tuple[Any, Any]]:
    """Return the function that computes both a scalar-valued function and its gradient, in one go.

    This is what `scipy.optimize.minimize` takes with `jac=True`.

    Parameters
    ----------
    f, argnum, argnums, has_aux
        As for `grad`; with `has_aux` the result is `((value, second), gradient)`.

    Returns
    -------
    callable
        Takes the arguments of `f`, and returns `(value, gradient)`.

    Raises
    ------
    TypeError
        As for `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> tapegrad.value_and_grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    (np.float64(9.0), array([ 3., 12.]))
    """
    return _ValueAndGradient(f, as_argnums("value_and_grad", argnum, argnums), has_aux)


def elementwise_grad(
    f: Callable[..., Any], argnum: int | Sequence[int] = 0, *, argnums: int | Sequence[int] | None = None
) -> Callable[..., Any]:
    """Return the function that computes the derivative of each element of an elementwise function.

    Parameters
    ----------
    f
        A function in which each element of the result depends on the elements at the same place only (after
        broadcasting). This is not checked: for other functions the result is the gradient of the sum.
    argnum, argnums
        As for `grad`.

    Returns
    -------
    callable
        Takes the arguments of `f`.

    Raises
    ------
    TypeError
        As for `grad`, except that the result may have any shape.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> tapegrad.elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    return _ElementwiseGradient(f, as_argnums("elementwise_grad", argnum, argnums), False)


class _Gradient(Transformed):
    what = "grad"

    def __init__(self, f: Callable[..., Any], argnums: Argnums, has_aux: bool) -> None:
        super().__init__(f)
        self._argnums = argnums
        self._has_aux = has_aux

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _, gradient, aux = self.differentiate(args, kwargs)
        return (gradient, aux) if self._has_aux else gradient

    def differentiate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the value, the gradient, and what else the function returned."""
        if kwargs:
            args, kwargs = self.positional(self._argnums, args, kwargs)
        f = self.__wrapped__
        point = Point(self.what, args, self._argnums)
        with GradientTape(False, False) as tape:
            point.watch(tape)
            value = f(*point.arguments, **kwargs)
        aux = None
        if self._has_aux:
            value, aux = with_auxiliary(self.what, f, value)
            aux = plain_results(aux, point.plain)
        value = inexact_result(self.what, f, value, point)
        self.check(value)
        gradients = [tensor(g) for g in tape.gradient(value, point.sources, None, "zero")]  # rows become whole
        return given_back(value, point.plain), point.back(gradients), aux

    def check(self, value: Tensor) -> None:
        """Raise if the function's value is not one that this transformation is for."""
        if value.size != 1:
            raise TypeError(
                f"{self.what}: {name_of(self.__wrapped__)} must return a scalar, but its result has shape "
                f"{value.shape}. Use jacobian for the derivative of every element, or elementwise_grad if each depends "
                "on the element at its own place only."
            )


class _ValueAndGradient(_Gradient):
    what = "value_and_grad"

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, gradient, aux = self.differentiate(args, kwargs)
        return ((value, aux), gradient) if self._has_aux else (value, gradient)


class _ElementwiseGradient(_Gradient):
    what = "elementwise_grad"

    def check(self, value: Tensor) -> None:
        """Results of any shape will do."""
