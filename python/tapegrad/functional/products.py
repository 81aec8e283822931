"""Products with the Jacobian and the Hessian, which are never formed: `vjp`, `jvp`, `hessian_vector_product`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tapegrad._native import GradientTape, Value, tensor
from tapegrad._transformed import Transformed, name_of
from tapegrad.autodiff import ForwardAccumulator
from tapegrad.functional.arguments import (
    Argnums,
    Point,
    as_argnums,
    fitted,
    given_back,
    inexact_result,
    plain_results,
    zeros_like_plain,
)
from tapegrad.functional.structures import leaves_of, pack_as

__all__ = ["hessian_vector_product", "hvp", "jvp", "vjp"]


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the value of a function, and the function that carries a cotangent back to the arguments.

    Parameters
    ----------
    f
        Returns a number, an array, a tensor or a structure of these.
    *args
        Its arguments, all of which are differentiated: numbers, arrays, tensors or structures of these.

    Returns
    -------
    value
        What `f` returned.
    pullback
        `pullback(cotangent)`, where the cotangent has the structure, shapes and dtypes of the value (`None` in place of
        zeros), returns the cotangent of the argument, or a tuple if there are several arguments: the product of the
        cotangent and the Jacobian. It can be called any number of times.

    Raises
    ------
    TypeError
        If an argument is an integer or nothing that can be differentiated.
    ValueError
        From the pullback, if the cotangent does not fit the value.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> value, pullback = tapegrad.vjp(lambda a, x: a * x, 2.0, np.array([1.0, 3.0]))
    >>> value
    array([2., 6.])
    >>> pullback(np.array([1.0, 0.0]))
    (np.float64(1.0), array([2., 0.]))
    """
    if not args:
        raise TypeError("vjp: the arguments to differentiate at come after the function: vjp(f, x).")
    argnums: Argnums = 0 if len(args) == 1 else tuple(range(len(args)))
    point = Point("vjp", args, argnums)
    tape = GradientTape(True, False)
    with tape:
        point.watch(tape)
        value = f(*point.arguments)
    return plain_results(value, point.plain), _Pullback(tape, point, value)


class _Pullback:
    """Carries cotangents back from a value to the arguments; keeps what was recorded on the way."""

    def __init__(self, tape: GradientTape, point: Point, value: Any) -> None:
        self._tape = tape
        self._point = point
        self._value = value

    def __call__(self, cotangent: Any) -> Any:
        values, cotangents = leaves_of(self._value), leaves_of(cotangent)
        if len(values) != len(cotangents):
            raise ValueError(
                f"vjp: the cotangent must have the structure of the value, {len(values)} leaves, but it has "
                f"{len(cotangents)}."
            )
        pairs = [
            (value, fitted("vjp", g, value, "cotangent"))
            for value, g in zip(values, cotangents, strict=True)
            if g is not None and isinstance(value, Value)
        ]
        found = self._tape.gradient([value for value, _ in pairs], self._point.sources, [g for _, g in pairs], "zero")
        gradients = [tensor(g) for g in found]  # slices of rows become whole
        point = self._point
        if point.plain and any([isinstance(g, Value) for g in cotangents]):
            return point.pack(gradients)
        return point.back(gradients)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return the value of a function, and its derivative along a direction, computed beside it (forward mode).

    Parameters
    ----------
    f
        Returns a number, an array, a tensor or a structure of these.
    primals
        The arguments of `f`, a tuple or list.
    tangents
        The direction: for each argument a value, or a structure of values, of the same shapes and dtypes.

    Returns
    -------
    value
        What `f` returned.
    tangent
        The product of the Jacobian and the direction, in the structure of the value.

    Raises
    ------
    TypeError
        If an argument is an integer or nothing that can be differentiated.
    ValueError
        If the tangents do not fit the arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> tapegrad.jvp(lambda x: x**3, (np.array([1.0, 2.0]),), (np.array([1.0, 0.5]),))
    (array([1., 8.]), array([3., 6.]))
    """
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp: {what} must be a tuple with one entry for each argument of the function.")
    point = Point("jvp", primals, tuple(range(len(primals))))
    directions = point.unpack("jvp", tuple(tangents), "tangent")
    with ForwardAccumulator(point.sources, directions) as accumulator:
        point.watch(None)
        value = f(*point.arguments)
    leaves = leaves_of(value)
    found = [accumulator.jvp(leaf, "zero") if isinstance(leaf, Value) else zeros_like_plain(leaf) for leaf in leaves]
    plain = point.plain and not any([isinstance(leaf, Value) for leaf in leaves_of(tuple(tangents))])
    tangent = pack_as(value, [given_back(leaf, plain) for leaf in found])
    return plain_results(value, point.plain), tangent


def hessian_vector_product(
    f: Callable[..., Any], argnum: int | Sequence[int] = 0, *, argnums: int | Sequence[int] | None = None
) -> Callable[..., Any]:
    """Return the function that multiplies the Hessian of a scalar-valued function with a vector.

    The Hessian is not formed: the gradient's product with the vector is differentiated, reverse over reverse, at the
    cost of two to three gradients. `hvp` is the same function.

    Parameters
    ----------
    f
        Returns one floating-point number.
    argnum, argnums
        As for `grad`.

    Returns
    -------
    callable
        `(*args, vector)`, where `args` are the arguments of `f` and the vector has the structure and shapes of the
        argument (or the tuple of arguments) that is differentiated; it returns the product in that structure.

    Raises
    ------
    TypeError, ValueError
        When called: as for `grad`, or if the vector does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> product = tapegrad.hessian_vector_product(lambda x: x[0] ** 2 * x[1])
    >>> product(np.array([1.0, 3.0]), np.array([1.0, 0.0]))
    array([6., 2.])
    """
    return _HessianVectorProduct(f, as_argnums("hessian_vector_product", argnum, argnums))


hvp = hessian_vector_product


class _HessianVectorProduct(Transformed):
    what = "hessian_vector_product"

    def __init__(self, f: Callable[..., Any], argnums: Argnums) -> None:
        super().__init__(f)
        self._argnums = argnums

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise TypeError(
                f"{self.what}: call it with the arguments of {name_of(self.__wrapped__)} and, after them, the vector."
            )
        point = Point(self.what, args[:-1], self._argnums)
        vector = args[-1]
        directions = point.unpack(self.what, vector, "vector")
        f = self.__wrapped__
        # The Hessian is symmetric: a second sweep, with the vector for cotangents, gives what a push along it would. It
        # is the faster of the two: elementwise nodes are swept in chains, but pushed one by one.
        with GradientTape(False, False) as outer:
            outer.watch(point.sources)
            with GradientTape(False, False) as tape:
                point.watch(tape)
                value = inexact_result(self.what, f, f(*point.arguments, **kwargs), point)
            if value.size != 1:
                raise TypeError(
                    f"{self.what}: {name_of(f)} must return a scalar, but its result has shape {value.shape}."
                )
            gradients = [tensor(g) for g in tape.gradient(value, point.sources, None, "zero")]
        products = [tensor(product) for product in outer.gradient(gradients, point.sources, directions, "zero")]
        plain = point.plain and not any([isinstance(leaf, Value) for leaf in leaves_of(vector)])
        return point.pack([given_back(product, plain) for product in products])
