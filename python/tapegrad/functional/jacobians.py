"""All first or second derivatives at once: `jacobian` and `hessian`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tapegrad._native import GradientTape, Tensor, Value, tensor
from tapegrad._ops import complex_parts
from tapegrad._transformed import Transformed, name_of
from tapegrad.functional.arguments import Argnums, Point, as_argnums, plain_results, with_auxiliary
from tapegrad.functional.gradients import grad
from tapegrad.functional.structures import leaves_of, pack_as

__all__ = ["hessian", "jacobian", "value_and_jacobian"]


def jacobian(
    f: Callable[..., Any],
    argnum: int | Sequence[int] = 0,
    *,
    argnums: int | Sequence[int] | None = None,
    has_aux: bool = False,
    max_bytes: int | None = None,
    progress: bool = False,
) -> Callable[..., Any]:
    """Return the function that computes the derivative of every element of a result.

    Parameters
    ----------
    f
        Returns a number, an array, a tensor or a structure of these.
    argnum, argnums
        As for `grad`.
    has_aux
        `f` returns a pair, of which only the first is differentiated; the result is `(jacobian, second)`.
    max_bytes, progress
        As for `GradientTape.jacobian`: a bound for the memory of intermediate results, and whether to show a bar.

    Returns
    -------
    callable
        Takes the arguments of `f`, and returns an array of shape `result.shape + argument.shape`, or a structure like
        the argument with such arrays; if the result is a structure, that structure with one of these for each leaf.
        All rows are computed in one sweep.

    Raises
    ------
    TypeError
        When called: if an argument to be differentiated is an integer, or `f` returns integers or nothing numeric.

    Notes
    -----
    For complex arguments the convention is the tape's: each row is the gradient of the real part of one element, the
    conjugate of the derivative if `f` is holomorphic. Complex results of real arguments have a complex Jacobian.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> tapegrad.jacobian(lambda x: x[0] * x)(np.array([2.0, 3.0]))
    array([[4., 0.],
           [3., 2.]])
    """
    return _Jacobian(f, as_argnums("jacobian", argnum, argnums), has_aux, max_bytes, progress)


def hessian(
    f: Callable[..., Any],
    argnum: int | Sequence[int] = 0,
    *,
    argnums: int | Sequence[int] | None = None,
    max_bytes: int | None = None,
    progress: bool = False,
) -> Callable[..., Any]:
    """Return the function that computes all second derivatives of a scalar-valued function.

    Parameters
    ----------
    f
        Returns one floating-point number.
    argnum, argnums
        As for `grad`.
    max_bytes, progress
        As for `jacobian`.

    Returns
    -------
    callable
        Takes the arguments of `f`, and returns an array of shape `argument.shape + argument.shape`; for a structure or
        several arguments, a structure of structures of arrays.

    Raises
    ------
    TypeError
        When called: as for `grad`, and if an argument to be differentiated is complex.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> tapegrad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return _Hessian(f, as_argnums("hessian", argnum, argnums), False, max_bytes, progress)


def value_and_jacobian(f: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """Return the function that computes both the value and the Jacobian for the first argument, in one go.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.functional.jacobians import value_and_jacobian
    >>> value_and_jacobian(lambda x: x * x)(np.array([2.0, 3.0]))
    (array([4., 9.]), array([[4., 0.],
           [0., 6.]]))
    """
    return _ValueAndJacobian(f, 0, False, None, False)


class _Jacobian(Transformed):
    what = "jacobian"

    def __init__(
        self, f: Callable[..., Any], argnums: Argnums, has_aux: bool, max_bytes: int | None, progress: bool
    ) -> None:
        super().__init__(f)
        self._argnums = argnums
        self._has_aux = has_aux
        self._options: dict[str, Any] = {"max_bytes": max_bytes, "progress": progress}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _, found, aux = self.differentiate(args, kwargs)
        return (found, aux) if self._has_aux else found

    def differentiate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the value, the Jacobian, and what else the function returned."""
        if kwargs:
            args, kwargs = self.positional(self._argnums, args, kwargs)
        f = self.function()
        point = Point(self.what, args, self._argnums)
        self.check(point)
        real_sources = not any([source.dtype.is_complex for source in point.sources])
        aux = None
        with GradientTape(True, False) as tape:
            point.watch(tape)
            value = f(*point.arguments, **kwargs)
            if self._has_aux:
                value, aux = with_auxiliary(self.what, f, value)
            targets = [self._target(leaf) for leaf in leaves_of(value)]
            # Gradients are real where the sources are: a complex target is then taken apart.
            parts = [
                (complex_parts.real(target), complex_parts.imag(target))
                if target.dtype.is_complex and real_sources
                else (target,)
                for target in targets
                if target is not None
            ]
        if not parts:
            raise TypeError(f"{self.what}: {name_of(f)} must return floating-point numbers, but it returned {value!r}.")
        rows = iter(tape.jacobian(parts, point.sources, "zero", **self._options))
        blocks = [None if target is None else point.back(_joined(next(rows))) for target in targets]
        return plain_results(value, point.plain), pack_as(value, blocks), plain_results(aux, point.plain)

    def function(self) -> Callable[..., Any]:
        """Return the function whose Jacobian is to be computed."""
        return self.__wrapped__

    def check(self, point: Point) -> None:
        """Raise if the transformation is not for such arguments."""

    def _target(self, leaf: Any) -> Tensor | None:
        """Return one result as a tensor, `None` if it is no number."""
        if not isinstance(leaf, Value) and not hasattr(leaf, "__array__") and not isinstance(leaf, float | complex):
            return None
        target = tensor(leaf)
        if target.dtype.is_floating or target.dtype.is_complex:
            return target
        raise TypeError(f"{self.what}: {name_of(self.__wrapped__)} returned {target.dtype.name}, without derivative.")


class _ValueAndJacobian(_Jacobian):
    what = "value_and_jacobian"

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, found, _ = self.differentiate(args, kwargs)
        return value, found


class _Hessian(_Jacobian):
    what = "hessian"

    def function(self) -> Callable[..., Any]:
        """Return the gradient."""
        return grad(self.__wrapped__, self._argnums)

    def check(self, point: Point) -> None:
        """Raise for complex arguments: the gradient is not holomorphic."""
        if any([source.dtype.is_complex for source in point.sources]):
            raise TypeError(
                "hessian: the arguments must be real. Write a function of complex numbers as one of their real and "
                "imaginary parts."
            )


def _joined(parts: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Return the Jacobians of a target, or of its real and imaginary part as one."""
    return list(parts[0]) if len(parts) == 1 else [complex_parts.complex(re, im) for re, im in zip(*parts, strict=True)]
