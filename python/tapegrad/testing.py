"""Checking derivatives against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import nest
from tapegrad._native import GradientTape, Tensor, Value, array, cast, own, tensor
from tapegrad._native import sum as reduce_sum
from tapegrad._ops.complex_parts import conj, real
from tapegrad.autodiff import ForwardAccumulator

__all__ = ["check_grads"]

_Array = npt.NDArray[Any]

_MODES = ("reverse", "forward", "batched")

_BATCH = 3


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int = 2,
    modes: Sequence[str] = _MODES,
    *,
    atol: float = 1e-6,
    rtol: float = 1e-5,
    eps: float = 1e-5,
    seed: int = 0,
) -> None:
    """Check the derivatives of a function against central differences; raise if they disagree.

    Each tensor among the arguments is moved along a random direction of length 1, and the change of the
    results, weighted with random numbers, is compared with what the gradient says. For the second order the
    same is done with the gradient of the weighted results as the function, and so on.

    Parameters
    ----------
    f
        The function; it returns a tensor or a structure of tensors, and must have the same result each time.
        Results that are not floating or complex are left out.
    args : tuple
        Its arguments: tensors, variables, arrays, numbers or structures of them. Those that are floating or
        complex are converted to float64 or complex128 and checked; all others are passed on as they are.
    order
        The highest order of derivative to check, at least 1.
    modes
        Which ways to differentiate: `"reverse"` by a tape, `"forward"` by an accumulator (of the second order:
        over the gradient by a tape), `"batched"` with stacks of cotangents and of tangents in one pass, which
        must give what they give one by one.
    atol, rtol
        The difference allowed between the two numbers: `atol + rtol * |numeric|`.
    eps
        The length of the step. The differences are good to about `eps**2`, and to 1e-16 / `eps` times the
        size of the result.
    seed
        For the random numbers.

    Raises
    ------
    AssertionError
        If a derivative is wrong. The message names function, mode, order, seed, argument, the worst element, and
        both numbers.
    ValueError
        If the order is below 1 or a mode is unknown.
    TypeError
        If there is nothing to differentiate.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.testing.check_grads(lambda x: tf.sin(x) * x, (0.5,))
    >>> @tf.custom_gradient
    ... def wrong(x):
    ...     return tf.sin(x), lambda upstream: 1.001 * upstream * tf.cos(x)
    >>> tf.testing.check_grads(wrong, (0.5,))
    Traceback (most recent call last):
    ...
    AssertionError: ...
    """
    if order < 1:
        raise ValueError(f"The order of a derivative is at least 1, but it is {order}.")
    for mode in modes:
        if mode not in _MODES:
            raise ValueError(f"Unknown mode {mode!r}: it must be one of {', '.join(map(repr, _MODES))}.")
    if not isinstance(args, tuple):
        args = (args,)
    leaves = nest.flatten(args)
    # The function of a list of float64 and complex128 tensors, with lists as results, that all the checks are
    # about.
    places = [k for k, leaf in enumerate(leaves) if _is_inexact(leaf)]
    if not places:
        raise TypeError("There is nothing to differentiate: none of the arguments is floating or complex.")
    points = [_widened(leaves[k]) for k in places]

    def function(*values: Tensor) -> list[Tensor]:
        moved = list(leaves)
        for k, value in zip(places, values, strict=True):
            moved[k] = value
        results = nest.flatten(f(*nest.pack_sequence_as(args, moved)))
        return [tensor(result) for result in results if _is_inexact(result)]

    name = getattr(f, "__name__", type(f).__name__)
    for mode in modes:
        current = function
        for degree in range(1, order + 1):
            rng = np.random.default_rng([seed, degree])
            results = current(*map(own, points))
            if not results:
                raise TypeError("There is nothing to differentiate: none of the results is floating or complex.")
            weights = [own(_random(rng, array(result))) for result in results]
            weighted = _weighted(current, weights)
            label = f"{name}: mode {mode}, order {degree}, seed {seed}"
            if mode == "reverse":
                _check(weighted, points, rng, label, atol, rtol, eps)
            elif mode == "forward":
                _check_forward(weighted, points, rng, label, atol, rtol, eps)
            else:
                _check_batched(current, points, rng, label)
            current = _gradient(weighted)


def _check(
    weighted: Callable[..., Tensor],
    points: list[_Array],
    rng: np.random.Generator,
    label: str,
    atol: float,
    rtol: float,
    eps: float,
) -> None:
    """Compare the gradient of a real-valued function with differences, one argument at a time."""
    gradients = [array(g) for g in _gradient(weighted)(*map(own, points))]
    for k, (point, gradient) in enumerate(zip(points, gradients, strict=True)):
        if gradient.shape != point.shape:
            raise AssertionError(
                f"{label}: the gradient of differentiable argument {k} has shape {gradient.shape}, not {point.shape}."
            )

        def slope(direction: _Array, gradient: _Array = gradient) -> float:
            return float(np.sum(np.conj(gradient) * direction).real)

        _compare(slope, "gradient", weighted, points, k, rng, label, atol, rtol, eps)


def _check_forward(
    weighted: Callable[..., Tensor],
    points: list[_Array],
    rng: np.random.Generator,
    label: str,
    atol: float,
    rtol: float,
    eps: float,
) -> None:
    """Compare the tangent of a real-valued function with differences, one argument at a time."""
    for k in range(len(points)):

        def slope(direction: _Array, k: int = k) -> float:
            values = [*map(own, points)]
            with ForwardAccumulator(values[k], own(np.asarray(direction))) as accumulator:
                total = weighted(*values)
            return float(accumulator.jvp(total, "zero"))

        _compare(slope, "tangent", weighted, points, k, rng, label, atol, rtol, eps)


def _compare(
    slope: Callable[[_Array], float],
    what: str,
    weighted: Callable[..., Tensor],
    points: list[_Array],
    k: int,
    rng: np.random.Generator,
    label: str,
    atol: float,
    rtol: float,
    eps: float,
) -> None:
    """Compare the slope of argument k along a random direction, known by `what`, with differences."""
    direction = _random(rng, points[k])
    direction = direction / max(float(np.linalg.norm(direction)), 1e-300)
    analytic, numeric = slope(direction), _slope(weighted, points, k, direction, eps)
    if not abs(numeric - analytic) <= atol + rtol * abs(numeric):
        raise AssertionError(
            f"{label}: along a random direction of differentiable argument {k}, the slope is {analytic!r} by the "
            f"{what}, but {numeric!r} by differences. {_worst(slope, what, weighted, points, k, eps)}"
        )


def _worst(
    slope: Callable[[_Array], float],
    what: str,
    weighted: Callable[..., Tensor],
    points: list[_Array],
    k: int,
    eps: float,
) -> str:
    """Say for which element the slope is furthest from the differences."""
    worst = (-1.0, (), 0.0, 0.0)
    for index in np.ndindex(points[k].shape):
        for unit in (1.0, 1.0j) if np.iscomplexobj(points[k]) else (1.0,):
            direction = np.zeros_like(points[k])
            direction[index] = unit
            analytic, numeric = slope(direction), _slope(weighted, points, k, direction, eps)
            difference = abs(numeric - analytic)
            if not difference <= worst[0]:
                worst = (np.inf if np.isnan(difference) else difference, index, analytic, numeric)
    _, index, analytic, numeric = worst
    return f"The worst element is at index {index}: {analytic!r} by the {what}, {numeric!r} by differences."


def _check_batched(
    function: Callable[..., list[Tensor]], points: list[_Array], rng: np.random.Generator, label: str
) -> None:
    """Compare what stacks of cotangents and tangents give with what they give one by one."""
    values = [*map(own, points)]
    with GradientTape(persistent=True) as tape:
        tape.watch(values)
        results = function(*values)
    for what, origins, ends, end_name, together in (
        ("cotangents", results, values, "differentiable argument", tape._pull),
        ("tangents", values, results, "result", tape._push),
    ):
        stacks = [np.stack([_random(rng, array(value)) for _ in range(_BATCH)]) for value in origins]
        stacked = together(results, values, [*map(own, stacks)], _BATCH)
        for row in range(_BATCH):
            single = together(results, values, [own(np.asarray(stack[row])) for stack in stacks], 0)
            for k, (end, many, one) in enumerate(zip(ends, stacked, single, strict=True)):
                found = f"{label}: of {end_name} {k}, a stack of {what} gives"
                if (many is None) != (one is None):
                    raise AssertionError(f"{found} {many}, and one by itself {one}.")
                if one is None:
                    continue
                if many.shape != (_BATCH, *end.shape):
                    raise AssertionError(f"{found} the shape {many.shape}, not {(_BATCH, *end.shape)}.")
                got, expected = array(many)[row], array(one)
                if not np.allclose(got, expected, rtol=1e-7, atol=1e-9, equal_nan=True):
                    difference = np.abs(got - expected)
                    index = tuple(map(int, np.unravel_index(np.argmax(difference), difference.shape)))
                    raise AssertionError(
                        f"{found} {got[index]!r} in row {row}, and that row by itself {expected[index]!r}, at index "
                        f"{index}, the worst one."
                    )


def _slope(weighted: Callable[..., Tensor], points: list[_Array], k: int, direction: _Array, eps: float) -> float:
    """Return the slope along a direction of argument k by central differences."""
    ends = [
        float(weighted(*[own(point + step * direction if j == k else point) for j, point in enumerate(points)]))
        for step in (eps, -eps)
    ]
    return (ends[0] - ends[1]) / (2 * eps)


def _weighted(function: Callable[..., list[Tensor]], weights: list[Tensor]) -> Callable[..., Tensor]:
    """Return the real-valued function `sum(real(conj(weight) * result))`."""

    def weighted(*values: Tensor) -> Tensor:
        total = own(np.float64(0.0))
        for weight, result in zip(weights, function(*values), strict=True):
            product = real(conj(weight) * result)
            total = total + reduce_sum(cast(product, total.dtype))
        return total

    return weighted


def _gradient(weighted: Callable[..., Tensor]) -> Callable[..., list[Tensor]]:
    """Return the function that computes the gradient, with zeros where nothing depends."""

    def gradient(*values: Tensor) -> list[Tensor]:
        with GradientTape() as tape:
            tape.watch(values)
            total = weighted(*values)
        gradients = tape.gradient(total, list(values), unconnected_gradients="zero")
        return [tensor(g) for g in gradients]  # slices of rows become whole

    return gradient


def _is_inexact(leaf: Any) -> bool:
    if isinstance(leaf, Value):
        return leaf.dtype.is_floating or leaf.dtype.is_complex
    return isinstance(leaf, float | complex | np.ndarray | np.generic) and np.asarray(leaf).dtype.kind in "fc"


def _widened(leaf: Any) -> _Array:
    values = np.asarray(array(leaf))
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def _random(rng: np.random.Generator, like: _Array) -> _Array:
    """Return random numbers of an array's shape, complex where it is; none is small, so that all matter."""

    def real_part() -> _Array:
        return np.asarray(rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape))

    return real_part() + 1j * real_part() if np.iscomplexobj(like) else real_part()
