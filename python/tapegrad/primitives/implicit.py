"""Solutions of equations, differentiated by the implicit function theorem: `implicit_solve`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import (
    GradientTape,
    Tensor,
    Value,
    array,
    cast,
    is_recording,
    is_watched,
    record,
    snapshot,
    tensor,
    transpose,
    version,
)
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix.inverse import solve as solve_linear
from tapegrad._transformed import Transformed
from tapegrad.autodiff import ForwardAccumulator
from tapegrad.checkpointing.replaying import Surroundings, differentiable, fresh, pushing, run_unrecorded
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as
from tapegrad.functional.vectors import flatten
from tapegrad.primitives.rules import plain

__all__ = ["implicit_solve"]

LinearSolve = Callable[[Callable[[Any], Any], npt.NDArray[Any]], Any]


def implicit_solve(
    f: Callable[..., Any],
    solve: Callable[..., Any],
    *,
    fixed_point: bool = False,
    linear_solve: LinearSolve | None = None,
) -> Callable[..., Any]:
    """Return the function that solves `f(x, *params) = 0` for `x`, differentiable with respect to the parameters.

    How the solution was found does not matter to its derivative, which follows from `f` at the solution: with the
    Jacobian A of `f` with respect to `x`, and its Jacobian B with respect to the parameters, dx = -A^-1 B dparams.

    Parameters
    ----------
    f
        `f(x, *params)` returns the residual, of the shape and structure of `x`. It is differentiated, so that it must
        be made of recorded operations, such as NumPy's functions.
    solve
        `solve(*params)` returns the solution: any code at all. It gets NumPy arrays, and returns arrays, numbers, or a
        structure of these.
    fixed_point
        Solve `x = f(x, *params)` instead.
    linear_solve
        `linear_solve(matvec, b)` returns the vector `v` for which `matvec(v)` is `b`: an iterative method, such as
        GMRES, for systems too large to form A. `b` is an array of one dimension. By default A is formed, and factored.

    Returns
    -------
    callable
        `(*params)` gives the solution: arrays if `solve` does and no parameter is a tensor, else tensors. Gradients
        go to the parameters, the trainable variables that `f` reads, and the tensors that its code refers to by name.
        Forward mode and derivatives of higher order are right too.

    Raises
    ------
    ValueError
        When a derivative is taken: if the residual does not have as many elements as `x`.
    numpy.linalg.LinAlgError
        When a derivative is taken: if A is singular.

    Notes
    -----
    Calling it with tensors evaluates `f` once, beside `solve`. Of complex `x` the function must be holomorphic. The
    derivatives are as good as the solution: a residual of 1e-6 leaves an error of that order in them.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> root = tapegrad.implicit_solve(lambda x, a: x * x - a, solve=lambda a: np.sqrt(a))
    >>> root(4.0)
    np.float64(2.0)
    >>> tapegrad.grad(root)(4.0)
    np.float64(0.25)
    >>> tapegrad.grad(tapegrad.grad(root))(4.0)
    np.float64(-0.03125)
    """
    return _ImplicitSolve(f, solve, fixed_point, linear_solve)


class _ImplicitSolve(Transformed):
    """The function of the parameters."""

    what = "implicit_solve"

    def __init__(
        self,
        f: Callable[..., Any],
        solve: Callable[..., Any],
        fixed_point: bool,
        linear_solve: LinearSolve | None,
        origin: Callable[..., Any] | None = None,
    ) -> None:
        """Take the equation and its solver; `origin` is the user's function behind an `f` of this module."""
        super().__init__(solve)
        self._f = f
        self._fixed_point = fixed_point
        self._linear_solve = linear_solve
        self._origin = f if origin is None else origin

    def __call__(self, *params: Any) -> Any:
        given = [snapshot(leaf) if isinstance(leaf, Value) else leaf for leaf in leaves_of(params)]
        solution = map_leaves(_inexact, self.__wrapped__(*map_leaves(plain, params)))
        as_tensors = any([isinstance(leaf, Value) for leaf in given])
        if not is_recording():
            return map_leaves(tensor, solution) if as_tensors else solution
        vector, unflatten = flatten(map_leaves(tensor, solution))
        equation = _Equation(self._f, self._fixed_point, self._linear_solve, self._origin, unflatten, vector)
        equation.find_operands(params, given)
        if not as_tensors and not any([is_watched(operand) for operand in equation.operands]):
            return solution
        record(equation, tuple(equation.operands), vector, None)
        return unflatten(vector)


class _Equation:
    """The equation at one solution, with its derivative rules."""

    name = "implicit_solve"

    operands: list[Any]
    """What the solution depends on."""

    def __init__(
        self,
        f: Callable[..., Any],
        fixed_point: bool,
        linear_solve: LinearSolve | None,
        origin: Callable[..., Any],
        unflatten: Callable[[Any], Any],
        solution: Tensor,
    ) -> None:
        self._f = f
        self._fixed_point = fixed_point
        self._linear_solve = linear_solve
        # The user's linear solver takes one right-hand side at a time.
        self.opaque = linear_solve is not None
        self._origin = origin
        self._unflatten = unflatten
        self._solution = solution

    def find_operands(self, params: Any, leaves: list[Any]) -> None:
        """Evaluate the residual once, to see what it reads apart from the parameters."""
        self._params = params
        self._leaves = leaves
        self._places = [k for k, leaf in enumerate(leaves) if differentiable(leaf)]
        self._surroundings: Surroundings | None = None
        moving = [leaves[k] for k in self._places]
        _, self._surroundings = run_unrecorded(
            lambda reads: (self._residual(self._solution, moving), ()), self._origin, leaves
        )
        self.operands = [*moving, *self._surroundings.sources]

    def vjp(self, saved: None, cotangents: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
        """Return the cotangents of the operands: those of the residual for the cotangent -A^-H g."""
        g = cotangents[0]
        if g is None:
            return [None] * len(wanted)
        x, operands = version(self._solution), self._fresh_operands()
        with GradientTape(True, False) as tape:
            tape.watch([x, *operands])
            residual = self._residual(x, operands)
        if self._linear_solve is None:
            # The tape's Jacobian is the conjugate of A, so that its transpose is A^H.
            weights = solve_linear(transpose(tape.jacobian(residual, x, "zero")), g)
        else:
            weights = self._solved(self._adjoint_product, g)
        return list(tape.gradient(residual, operands, elementwise.negative(weights)))

    def jvp(self, saved: None, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the tangent of the solution, which solves A dx = -(the residual's tangent at a fixed x)."""
        x, operands = version(self._solution), self._fresh_operands()
        with pushing(operands, tangents) as accumulator, GradientTape(True, False) as tape:
            tape.watch(x)
            residual = self._residual(x, operands)
        change = accumulator.jvp(residual)
        if change is None:
            return [None]
        if self._linear_solve is None:
            return [solve_linear(conjugate(tape.jacobian(residual, x, "zero")), elementwise.negative(change))]
        return [self._solved(self._product, elementwise.negative(change))]

    def _residual(self, x: Tensor, operands: Sequence[Any]) -> Tensor:
        """Return the residual as a vector; of the operands only those that are parameters are looked at."""
        leaves = list(self._leaves)
        for k, operand in zip(self._places, operands, strict=False):
            leaves[k] = operand
        arguments = pack_as(self._params, leaves)
        with self._surroundings.again() if self._surroundings else contextlib.nullcontext():
            found = self._f(self._unflatten(x), *arguments)
        residual, _ = flatten(map_leaves(tensor, found))
        if residual.shape != x.shape:
            raise ValueError(
                f"implicit_solve: f must return as many numbers as x has, {x.size}, but it returned {residual.size}."
            )
        return elementwise.subtract(x, residual) if self._fixed_point else cast(residual, x.dtype)

    def _fresh_operands(self) -> list[Any]:
        """Return the operands, with another object in place of each parameter."""
        return fresh(self.operands, len(self._places))

    # --- without a matrix

    def _solved(self, product: Callable[..., Tensor], b: Tensor) -> Tensor:
        """Return v with `product(v, x, *operands)` = b by the user's linear solver, as an equation of its own."""
        linear_solve = self._linear_solve

        def by_user(b: Any, x: Any, *operands: Any) -> Any:
            x, parameters = tensor(x), [tensor(operand) for operand in operands]
            return linear_solve(  # type: ignore[misc]
                lambda v: array(product(tensor(np.asarray(v, x.dtype.dtype)), x, *parameters)), b
            )

        equation = _ImplicitSolve(
            lambda v, b, x, *operands: product(v, x, *operands) - b, by_user, False, linear_solve, self._origin
        )
        result: Tensor = equation(b, self._solution, *self.operands[: len(self._places)])
        return result

    def _adjoint_product(self, v: Tensor, x: Tensor, *operands: Tensor) -> Tensor:
        """Return A^H v."""
        source = version(x)
        with GradientTape(False, False) as tape:
            tape.watch(source)
            residual = self._residual(source, operands)
        return tensor(tape.gradient(residual, source, v, "zero"))

    def _product(self, v: Tensor, x: Tensor, *operands: Tensor) -> Tensor:
        """Return A v."""
        source = version(x)
        with ForwardAccumulator(source, v) as accumulator:
            residual = self._residual(source, operands)
        result: Tensor = accumulator.jvp(residual, "zero")
        return result


def _inexact(leaf: Any) -> Any:
    """Return a part of the solution as a floating or complex number or array."""
    values = np.asarray(array(leaf))
    return values[()] if values.dtype.kind in "fc" else values.astype(np.float64)[()]
