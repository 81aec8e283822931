"""Gradients, Jacobians and Hessians with autograd's convention for complex numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

from tapegrad._native import GradientTape, Tensor, Value
from tapegrad._transformed import Transformed, name_of
from tapegrad.compat.autograd._boxes import open_traces
from tapegrad.compat.autograd._call_gradients import all_derivatives, gradient_along, value_and_gradient
from tapegrad.compat.autograd._values import Function, conjugated, is_complex
from tapegrad.functional import gradients, jacobians, products
from tapegrad.functional.arguments import Argnums, Point, as_argnums
from tapegrad.functional.structures import leaves_of

__all__ = [
    "Argnum",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "hessian",
    "hessian_tensor_product",
    "holomorphic_grad",
    "jacobian",
    "value_and_grad",
]

Argnum: TypeAlias = int | Sequence[int]
"""One positional argument, or several."""


def grad(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes the gradient of a scalar-valued function.

    Parameters
    ----------
    fun
        Returns one real number: of shape (), or with a single element.
    argnum
        Which positional argument to differentiate, or several: then the gradient is a tuple.

    Returns
    -------
    callable
        Takes the arguments of `fun`; the gradient has the structure of the argument. Of a complex argument it is the
        conjugate of what `tapegrad.grad` returns: df/dx - i df/dy.

    Raises
    ------
    TypeError
        When called: if the result is not one real number, or an argument to be differentiated is an integer.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> grad(lambda x, y: np.sum(np.tanh(x) * y), 1)(0.0, np.ones(2))
    array([0., 0.])
    """
    return _Grad(fun, as_argnums("grad", argnum, None), False)


def value_and_grad(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes both the value and the gradient, as `scipy.optimize.minimize` takes it.

    Examples
    --------
    >>> from tapegrad.compat.autograd import value_and_grad
    >>> value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    return _ValueAndGrad(fun, as_argnums("value_and_grad", argnum, None), False)


def grad_and_aux(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes the gradient of the first of two results, and the second one as it is.

    Examples
    --------
    >>> from tapegrad.compat.autograd.differential_operators import grad_and_aux
    >>> grad_and_aux(lambda x: (x**2, "note"))(3.0)
    (np.float64(6.0), 'note')
    """
    return _GradAndAux(fun, as_argnums("grad_and_aux", argnum, None), True)


def elementwise_grad(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes the derivative of each element of an elementwise function.

    For other functions it is the gradient of the sum of all elements.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import elementwise_grad
    >>> elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return _ElementwiseGrad(fun, as_argnums("elementwise_grad", argnum, None), False)


def holomorphic_grad(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes the complex derivative of a holomorphic function, element by element.

    Examples
    --------
    >>> from tapegrad.compat.autograd.differential_operators import holomorphic_grad
    >>> holomorphic_grad(lambda z: z**2)(2.0 + 1.0j)
    np.complex128(4+2j)
    """
    return _HolomorphicGrad(fun, as_argnums("holomorphic_grad", argnum, None), False)


def jacobian(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes the derivative of every element of a result.

    Its shape is the result's and then the argument's.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import jacobian
    >>> jacobian(lambda x: x[0] * x)(np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    return _Jacobian(fun, as_argnums("jacobian", argnum, None), False, None, False)


def hessian(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function that computes all second derivatives: the Jacobian of the Jacobian.

    Its shape is that of the result and twice the argument's.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return _Hessian(fun, as_argnums("hessian", argnum, None), False, None, False)


def hessian_tensor_product(fun: Function, argnum: Argnum = 0) -> Function:
    """Return the function of `(*args, vector)` that multiplies the Hessian of a scalar-valued function with a vector.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import hessian_vector_product
    >>> hessian_vector_product(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    return _HessianTensorProduct(fun, as_argnums("hessian_tensor_product", argnum, None))


class _Conjugated(Transformed):
    """Gives autograd's convention for complex numbers to what another transformation computes."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return conjugated(super().__call__(*args, **kwargs))


class _Grad(_Conjugated, gradients._Gradient):
    def differentiate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the value, the gradient in the tape's convention, and what else the function returned."""
        if not open_traces.differentiate_by_calls:
            return super().differentiate(args, kwargs)
        args, kwargs = self.positional(self._argnums, args, kwargs)
        f, argnums = self.__wrapped__, self._argnums
        return value_and_gradient(self.what, f, argnums, args, kwargs, self._has_aux, self.check)

    def check(self, value: Tensor) -> None:
        """Raise for results that are not one real number."""
        super().check(value)
        self.check_real(value)

    def check_real(self, value: Tensor) -> None:
        """Raise for complex results."""
        if value.dtype.is_complex:
            raise TypeError(
                f"{self.what}: {name_of(self.__wrapped__)} must return real numbers, but they are {value.dtype.name}: "
                "use holomorphic_grad if it is a holomorphic function."
            )


class _ValueAndGrad(_Grad):
    what = "value_and_grad"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value, gradient, _ = self.differentiate(args, kwargs)
        return value, conjugated(gradient)


class _GradAndAux(_Grad):
    what = "grad_and_aux"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _, gradient, aux = self.differentiate(args, kwargs)
        return conjugated(gradient), aux


class _ElementwiseGrad(_Grad):
    what = "elementwise_grad"

    def check(self, value: Tensor) -> None:
        """Raise for complex results; they may have any shape."""
        self.check_real(value)


class _HolomorphicGrad(_ElementwiseGrad):
    what = "holomorphic_grad"

    def check_real(self, value: Tensor) -> None:
        """Warn about real results, which come of real arguments."""
        if not value.dtype.is_complex:
            warnings.warn("Input to holomorphic_grad is not complex", stacklevel=4)


class _HessianTensorProduct(_Conjugated, products._HessianVectorProduct):
    what = "hessian_tensor_product"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not open_traces.differentiate_by_calls or len(args) < 2:
            return super().__call__(*args, **kwargs)
        return gradient_along(grad(self.__wrapped__, self._argnums), self._argnums, args[:-1], kwargs, args[-1])


class _Jacobian(jacobians._Jacobian):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if open_traces.differentiate_by_calls:
            args, kwargs = self.positional(self._argnums, args, kwargs)
            return all_derivatives(self.what, self.function(), self._argnums, args, kwargs)
        _, found, _ = self.differentiate(args, kwargs)
        # Those of real arguments are derivatives in either convention, complex or not.
        return conjugated(found) if self._has_complex(args, kwargs) else found

    def _has_complex(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        args, _ = self.positional(self._argnums, args, kwargs)
        chosen = [args[k] for k in ((self._argnums,) if isinstance(self._argnums, int) else self._argnums)]
        return any([is_complex(leaf) for leaf in leaves_of(chosen)])


class _Hessian(_Jacobian):
    what = "hessian"

    def function(self) -> Function:
        """Return what computes the first derivatives."""
        return _First(self.__wrapped__, self._argnums)


class _First(_Jacobian):
    """The Jacobian, of a function whose result is a number by way of its gradient, which is faster."""

    def __init__(self, f: Function, argnums: Argnums) -> None:
        super().__init__(f, argnums, False, None, False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if open_traces.differentiate_by_calls:
            return super().__call__(*args, **kwargs)
        point = Point(self.what, args, self._argnums)
        with GradientTape(True, False) as tape:
            point.watch(tape)
            value = self.__wrapped__(*point.arguments, **kwargs)
        if isinstance(value, Value) and value.shape == () and value.dtype.is_floating:
            found = tape.gradient(value, point.sources, None, "zero")
            return conjugated(point.pack(found))
        return super().__call__(*args, **kwargs)
