"""Calling derivative rules that users write: on plain arrays where that is enough, on tensors where it is not.

A rule is linear in some of what it gets: a vjp rule in the cotangents, a jvp rule in the tangents. As long as no tape
follows any of its arguments, it gets NumPy arrays. Otherwise, for derivatives of derivatives or to be transposed, it
gets tensors, on which NumPy's functions are recorded. A rule that leaves NumPy for compiled code cannot be followed
there: then its result is marked, and differentiating it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from tapegrad._native import GradientTape, Tensor, Value, array, is_watched, own, pause, record, tensor, version

__all__ = ["Apply", "applied", "as_results", "plain", "transposed"]

Apply = Callable[[Sequence[Any], Callable[[Any], Any]], Any]
"""`apply(inputs, convert)`: the rule's results for these inputs, as a list, and its other arguments converted."""


def applied(what: str, apply: Apply, inputs: Sequence[Tensor], others: Sequence[Any]) -> list[Tensor | None]:
    """Return what a rule makes of the `inputs` in which it is linear, and of the `others`, which it uses too."""
    if not any([is_watched(value) for value in (*inputs, *others)]):
        return as_results(apply([plain(x) for x in inputs], plain))
    cause: Exception | None = None
    probe = _Probe()
    try:
        with probe as tape:
            aliases = [version(x) for x in inputs]
            tape.watch(aliases)
            results = apply(aliases, _same)
    except Exception as error:  # whatever compiled code says about tensors; a mistake in the rule comes again below
        cause = error
    else:
        # The probe is not to be recorded by the tapes outside.
        with pause():
            if not probe.lost and all([_depends(tape, result, aliases) for result in results]):
                return as_results(results)
    with pause():
        constants = as_results(apply([plain(x) for x in inputs], plain))
    return _marked(what, cause, (*inputs, *others), constants)


def transposed(
    what: str,
    missing: str,
    apply: Apply,
    like: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    others: Sequence[Any],
) -> list[Tensor | None]:
    """Return the transpose of a rule, applied to one cotangent for each of its results.

    Parameters
    ----------
    what, missing
        For messages: the primitive, and the rule that would do without transposing.
    apply
        The rule.
    like
        Tensors of the shapes and dtypes of its inputs.
    cotangents
        One for each of its results.
    others
        What it uses beside its inputs.
    """
    why = f"its rule has to be transposed because there is no {missing}= rule"
    rng = np.random.default_rng(0)
    inputs = [own(_random(rng, array(x))) for x in like]
    probe = _Probe()
    try:
        with probe as tape:
            tape.watch(inputs)
            results = apply(inputs, _same)
    except Exception as error:
        with pause():
            apply([plain(x) for x in inputs], plain)  # raises what is wrong with the rule itself
        _refuse(what, why, error)
    pairs: list[tuple[Any, Tensor]] = [
        (result, g) for result, g in zip(as_results(results), cotangents, strict=True) if result is not None
    ]
    found = list(tape.gradient([result for result, _ in pairs], inputs, [g for _, g in pairs]))
    with pause():
        if not _agree(pairs, inputs, found):
            _refuse(what, why, None)
    if not probe.lost:
        return found
    constants = [None if g is None else g.__deepcopy__({}) for g in found]
    return _marked(what, None, (*cotangents, *others), constants)


class _Probe:
    """A block with a tape of its own, which notices when a value that tapes follow leaves as a number or an array."""

    def __init__(self) -> None:
        self.lost = False
        self._tape = GradientTape(True, False)

    def __enter__(self) -> GradientTape:
        self._tape._observe(self)
        return self._tape.__enter__()

    def __exit__(self, *details: Any) -> None:
        self._tape.__exit__(*details)
        self._tape._observe(None)

    def ended(self, name: str, operands: Sequence[Any], results: Sequence[Any]) -> None:
        """Hear of what is not followed. A comparison decides on a branch, which is constant nearby."""
        if not results and name != "bool()" and any([is_watched(operand) for operand in operands]):
            self.lost = True

    def __getattr__(self, event: str) -> Callable[..., None]:
        """Ignore all other events that a tape tells its observer."""
        return _ignore


def _ignore(*details: Any) -> None:
    """Do nothing."""


def _marked(
    what: str, cause: Exception | None, operands: Sequence[Any], constants: list[Tensor | None]
) -> list[Tensor | None]:
    """Return the results of a rule that could not be followed, as what raises when it is differentiated."""
    known = tuple([result for result in constants if result is not None])
    if known:
        record(_Refusal(what, cause), tuple(operands), known, None)
    return constants


def as_results(results: Sequence[Any]) -> list[Tensor | None]:
    """Return what a rule made as tensors; Python's floats as float64."""
    return [
        None if result is None else result if isinstance(result, Tensor) else tensor(np.asarray(array(result)))
        for result in results
    ]


def plain(x: Any) -> Any:
    """Return a tensor as an array that may be written to; other things as they are.

    Unlike `x.numpy()` this tells no observer that the value leaves: it does not, where a primitive is called in a rule.
    """
    return array(x).copy()[()] if isinstance(x, Value) else x


def _same(x: Any) -> Any:
    return x


def _depends(tape: GradientTape, result: Any, inputs: list[Tensor]) -> bool:
    """Whether a result was computed from the inputs by recorded operations, or is none or zero."""
    if isinstance(result, Tensor) and any([g is not None for g in tape.gradient(result, inputs)]):
        return True
    return result is None or not np.any(array(result))


def _agree(pairs: Sequence[tuple[Any, Tensor]], inputs: Sequence[Tensor], found: Sequence[Tensor | None]) -> bool:
    """Whether a rule and its transpose pass the dot-product test: whether all of the rule was recorded."""
    terms = [_products(g, result) for result, g in pairs]
    expected = [_products(g, x) for g, x in zip(found, inputs, strict=True) if g is not None]
    scale = sum(float(np.sum(np.abs(term))) for term in (*terms, *expected))
    difference = sum(float(np.sum(term)) for term in terms) - sum(float(np.sum(term)) for term in expected)
    precision = max([float(np.finfo(array(x).dtype).eps) for x in inputs])
    return not abs(difference) > np.sqrt(precision) * scale


def _products(a: Any, b: Any) -> npt.NDArray[Any]:
    return np.asarray(np.real(np.conj(array(a)) * array(b)))


def _random(rng: np.random.Generator, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    values = rng.uniform(0.5, 1.5, like.shape)
    if like.dtype.kind == "c":
        values = values + 1j * rng.uniform(0.5, 1.5, like.shape)
    return np.asarray(values).astype(like.dtype)


class _Refusal:
    """The rule of what a rule computed by other than recorded operations: it says so."""

    def __init__(self, what: str, cause: Exception | None) -> None:
        self.name = what
        self._cause = cause

    def vjp(self, saved: None, cotangents: Sequence[Any], wanted: Sequence[bool]) -> NoReturn:
        """Raise TypeError."""
        _refuse(self.name, "its derivative is to be differentiated", self._cause)

    def jvp(self, saved: None, tangents: Sequence[Any]) -> NoReturn:
        """Raise TypeError."""
        _refuse(self.name, "its derivative is to be differentiated", self._cause)


def _refuse(what: str, why: str, cause: Exception | None) -> NoReturn:
    raise TypeError(
        f"{what}: {why}, but the rule is not made of recorded operations: it leaves NumPy for compiled code, or takes "
        "numbers out of tensors. Write it with NumPy's functions or tapegrad's, or around a primitive of its own."
    ) from cause
