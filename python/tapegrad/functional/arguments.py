"""The arguments of a function that is differentiated: which, as what tensors, and in what form results go back.

Arguments arrive as numbers, arrays, tensors, variables or structures of them. The function gets a tensor of its own
in place of each: one that nothing else refers to, so that a value which the function also reaches by another way
stays a constant. Where all arguments that are differentiated are plain numbers and arrays, so are the results, except
those that a tape still follows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import GradientTape, Tensor, Value, is_watched, snapshot, tensor, version
from tapegrad._transformed import name_of
from tapegrad.dtypes import float64
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as

__all__ = [
    "Argnums",
    "Point",
    "as_argnums",
    "fitted",
    "given_back",
    "inexact_result",
    "plain_results",
    "source_of",
    "with_auxiliary",
    "zeros_like_plain",
]

Argnums = int | tuple[int, ...]
"""One argument by its position, or several."""

_NUMBERS = (int, float, complex, np.ndarray, np.generic)


def as_argnums(what: str, argnum: Any, argnums: Any) -> Argnums:
    """Return the positions given by `argnum`, or by its other name `argnums`."""
    chosen = argnum if argnums is None else argnums
    try:
        if not isinstance(chosen, Sequence):
            return operator.index(chosen)
        positions = tuple([operator.index(k) for k in chosen])
    except TypeError:
        raise TypeError(f"{what}: argnum must be an integer or a sequence of integers, not {chosen!r}.") from None
    if not positions or len(set(positions)) != len(positions):
        raise ValueError(f"{what}: argnum must name at least one argument, and none twice, but it is {chosen!r}.")
    return positions


class Point:
    """Where a function is differentiated: its arguments, and the tensors that stand for some of them.

    Attributes
    ----------
    arguments
        What to call the function with, once `watch` has put the tensors in.
    sources
        The tensors, one for each leaf that can be differentiated.
    plain
        Whether none of these leaves came as a tensor or a variable.
    """

    __slots__ = ("_argnums", "_bare", "_leaves", "_places", "_structure", "arguments", "plain", "sources")

    def __init__(self, what: str, arguments: Sequence[Any], argnums: Argnums) -> None:
        self.arguments = list(arguments)
        self._argnums = argnums
        try:
            if type(argnums) is int:
                self._structure = self.arguments[argnums]
            else:
                self._structure = tuple([self.arguments[k] for k in argnums])  # type: ignore[union-attr]
        except IndexError:
            raise TypeError(
                f"{what}: the function was called with {len(arguments)} positional arguments, so there is none to "
                f"differentiate at {argnums!r}."
            ) from None
        leaves = self._leaves = leaves_of(self._structure)
        sources = [source_of(what, leaf) for leaf in leaves]
        self._bare = len(leaves) == 1 and leaves[0] is self._structure
        if self._bare and sources[0] is not None:  # the short way for the most frequent case
            self.sources: list[Tensor] = [sources[0]]
            self._places = [0]
            self.plain = not isinstance(leaves[0], Value)
            return
        self.sources = [source for source in sources if source is not None]
        if not self.sources:
            raise TypeError(
                f"{what}: there is nothing to differentiate in {self._structure!r}: numbers, arrays or tensors are "
                "needed."
            )
        self._places = [k for k, source in enumerate(sources) if source is not None]
        self.plain = not any([isinstance(leaf, Value) for leaf in leaves])

    def watch(self, tape: GradientTape | None) -> None:
        """Let a tape follow the sources, and put them in place of the arguments."""
        if tape is not None:
            tape.watch(self.sources)
        chosen = self.pack(self.sources, self._leaves)
        argnums = self._argnums
        if type(argnums) is int:
            self.arguments[argnums] = chosen
        else:
            for k, argument in zip(argnums, chosen, strict=True):  # type: ignore[arg-type]
                self.arguments[k] = argument

    def pack(self, values: Sequence[Any], others: Sequence[Any] | None = None) -> Any:
        """Return the structure of the chosen arguments with one value per source; `None` (or `others`) elsewhere."""
        if self._bare:
            return values[0]
        filled = [None] * len(self._leaves) if others is None else list(others)
        for k, value in zip(self._places, values, strict=True):
            filled[k] = value
        return pack_as(self._structure, filled)

    def unpack(self, what: str, structure: Any, meaning: str) -> list[Tensor]:
        """Return one tensor per source from a structure like that of the arguments, such as a direction."""
        leaves = leaves_of(structure)
        if len(leaves) != len(self._leaves):
            raise ValueError(
                f"{what}: the {meaning} must have the structure of the arguments, {len(self._leaves)} values, but it "
                f"has {len(leaves)}."
            )
        return [fitted(what, leaves[k], source, meaning) for k, source in zip(self._places, self.sources, strict=True)]

    def back(self, values: Sequence[Tensor]) -> Any:
        """Return one result per source, in the structure and the form of the arguments."""
        return self.pack([given_back(value, self.plain) for value in values])


def source_of(what: str, leaf: Any) -> Tensor | None:
    """Return a tensor of its own for a number or array; `None` for what is no number at all.

    Raises
    ------
    TypeError
        For integers and bools.
    """
    if type(leaf) is float:
        return tensor(leaf, float64)
    if isinstance(leaf, Value):
        source = version(leaf) if isinstance(leaf, Tensor) else snapshot(leaf)
    elif isinstance(leaf, _NUMBERS) or hasattr(leaf, "__array__"):
        source = tensor(leaf)
    else:
        return None
    if source.dtype.is_floating or source.dtype.is_complex:
        return source
    if isinstance(leaf, int):
        raise TypeError(
            f"{what}: an argument to be differentiated is {leaf!r}, of type {type(leaf).__name__}, which has no "
            f"derivative: pass it as a float, {float(leaf)!r}, or fix it in the function."
        )
    raise TypeError(
        f"{what}: an argument to be differentiated has dtype {source.dtype.name} and shape {source.shape}, and has no "
        "derivative: pass it as floats, such as x.astype(float), or fix it in the function."
    )


def fitted(what: str, value: Any, like: Value, meaning: str) -> Tensor:
    """Return a tangent or cotangent as a tensor, after checking that it has the shape and dtype of `like`."""
    if not isinstance(value, Value):
        array: npt.NDArray[Any] = np.asarray(value)
        wanted = like.dtype.dtype
        if array.dtype.kind not in "biufc" or not np.can_cast(array.dtype, wanted, "same_kind"):
            raise TypeError(f"{what}: a {meaning} has dtype {array.dtype}, but {wanted} is needed.")
        result = tensor(array.astype(wanted, copy=False))
    else:
        result = snapshot(value)
        if result.dtype != like.dtype:
            raise TypeError(f"{what}: a {meaning} has dtype {result.dtype.name}, but {like.dtype.name} is needed.")
    if result.shape != like.shape:
        raise ValueError(f"{what}: a {meaning} has shape {result.shape}, but {like.shape} is needed.")
    return result


def given_back(value: Any, plain: bool) -> Any:
    """Return a tensor as an array or number if these are wanted and no tape follows it."""
    return value.numpy() if plain and isinstance(value, Value) and not is_watched(value) else value


def plain_results(structure: Any, plain: bool) -> Any:
    """Return a function's results with `given_back` applied to each."""
    if not plain:
        return structure
    if type(structure) is Tensor:
        return given_back(structure, True)
    return map_leaves(lambda leaf: given_back(leaf, True), structure)


def with_auxiliary(what: str, function: Callable[..., Any], result: Any) -> tuple[Any, Any]:
    """Return the value and the auxiliary data that a function with `has_aux` returned, or raise TypeError."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(
            f"{what}: with has_aux=True, {name_of(function)} must return a pair (value, auxiliary data), but it "
            f"returned {result!r}."
        )
    value, aux = result
    return value, aux


def inexact_result(what: str, function: Callable[..., Any], value: Any, point: Point) -> Tensor:
    """Return what the function computed as a tensor that has derivatives, or raise.

    Raises
    ------
    TypeError
        If it is no number or array, has an integer dtype, or is complex where all sources are real.
    """
    if isinstance(value, Tensor):
        result = value
    elif isinstance(value, Value):
        result = snapshot(value)
    elif isinstance(value, _NUMBERS) and not isinstance(value, int):
        result = tensor(np.asarray(value))
    else:
        raise TypeError(
            f"{what}: {name_of(function)} must return one floating-point number or array, but it returned "
            f"{_described(value)}."
        )
    dtype = result.dtype
    if dtype.is_complex and not any([source.dtype.is_complex for source in point.sources]):
        raise TypeError(
            f"{what}: {name_of(function)} returned {dtype.name} for real arguments. Differentiate its parts, real(y) "
            "and imag(y), or a real number made of it, such as abs(y); jacobian and jvp take it as it is."
        )
    if not dtype.is_floating and not dtype.is_complex:
        raise TypeError(f"{what}: {name_of(function)} returned {dtype.name}, which has no derivative.")
    return result


def zeros_like_plain(leaf: Any) -> Any:
    """Return zeros like a floating or complex number or array, and `None` for anything else."""
    if not isinstance(leaf, _NUMBERS):
        return None
    zeros = np.zeros_like(leaf)
    return zeros[()] if zeros.dtype.kind in "fc" else None


def _described(result: Any) -> str:
    if result is None:
        return "None: is there a `return`?"
    if isinstance(result, tuple) and len(result) == 2:
        return "a pair: for (value, auxiliary data), pass has_aux=True"
    return f"{result!r}, of type {type(result).__name__}"
