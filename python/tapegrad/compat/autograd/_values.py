"""What stands for autograd's boxes: tensors that a tape records now, and the way back to NumPy's values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from tapegrad import nest
from tapegrad._conversion import holds_value
from tapegrad._native import Tensor, Value, array, is_watched
from tapegrad._ops.complex_parts import conjugate
from tapegrad.compat.autograd._boxes import Boxed
from tapegrad.functional.arguments import source_of
from tapegrad.functional.structures import leaves_of, map_leaves

__all__ = ["Function", "conjugated", "differentiable", "getval", "holds_tensor", "holds_watched", "is_complex", "isbox"]
__all__ += ["settled"]

Function: TypeAlias = Callable[..., Any]
"""What autograd calls a fun."""

_REAL = frozenset({float, np.float64, np.float32, int})

_HELD = (Value, Boxed)

_SEQUENCES = frozenset({list, tuple})


def isbox(x: Any) -> bool:
    """Return whether `x` is what a tape records or a trace follows at this moment.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.tracer import isbox
    >>> grad(lambda x: x if isbox(x) else 2.0 * x)(3.0), isbox(3.0)
    (np.float64(1.0), False)
    """
    return is_watched(x) or isinstance(x, Boxed)


def getval(x: Any) -> Any:
    """Return the number or array in a tensor or box, also in lists, tuples and dictionaries; other things as they are.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.tracer import getval
    >>> float(grad(lambda x: getval(x) * x)(3.0))
    3.0
    """
    if isinstance(x, _HELD):
        return _plain(x)
    if isinstance(x, (list, tuple, dict)) and any([isinstance(leaf, _HELD) for leaf in nest.flatten(x)]):
        return map_leaves(_plain, x)
    return x


def _plain(leaf: Any) -> Any:
    while isinstance(leaf, Boxed):
        leaf = leaf._value
    return array(leaf).copy()[()] if isinstance(leaf, Value) else leaf


def differentiable(what: str, x: Any) -> Any:
    """Return the argument of a function that is to be differentiated, or raise TypeError if it cannot be."""
    if not [leaf for leaf in leaves_of(x) if source_of(what, getval(leaf)) is not None]:
        raise TypeError(f"{what}: there is nothing to differentiate in {x!r}: numbers or arrays are needed.")
    return x


def holds_tensor(values: Iterable[Any]) -> bool:
    """Return whether there is a tensor among these values or in their lists and tuples."""
    return any([isinstance(x, Value) or (isinstance(x, (list, tuple)) and holds_value(x)) for x in values])


def holds_watched(structure: Any) -> bool:
    """Return whether a tape records, or a trace follows, something in a structure."""
    return any([isbox(leaf) for leaf in leaves_of(structure)])


def settled(result: Any) -> Any:
    """Return a function's result with each tensor that no tape records as a number or array."""
    kind = type(result)
    if kind is Tensor:
        return result if is_watched(result) else _plain(result)
    if issubclass(kind, tuple) and hasattr(result, "_fields"):
        return kind(*[settled(part) for part in result])
    if kind in _SEQUENCES:
        return kind([settled(part) for part in result])
    return result


def conjugated(structure: Any) -> Any:
    """Return a derivative in the other convention for complex numbers: autograd's is the conjugate of the tape's."""
    kind = type(structure)
    if kind in _REAL or (kind is np.ndarray and structure.dtype.kind != "c"):
        return structure
    return map_leaves(_conjugated_leaf, structure)


def _conjugated_leaf(leaf: Any) -> Any:
    if isinstance(leaf, Value):
        return conjugate(leaf) if leaf.dtype.is_complex else leaf
    return np.conj(leaf) if np.iscomplexobj(leaf) else leaf


def is_complex(x: Any) -> bool:
    """Return whether a number, an array or a tensor is complex, which its dtype says."""
    return x.dtype.is_complex if isinstance(x, Value) else np.iscomplexobj(x)
