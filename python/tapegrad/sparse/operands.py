"""Sparse matrices as operands: which elements they store, in which order, and what a tape keeps of them."""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import bsr_array, coo_array, csc_array, csr_array, dia_array, issparse

from tapegrad._native import Tensor, array, cast, tensor
from tapegrad._ops.arguments import as_tensor

__all__ = ["Constant", "Structure", "as_matrix", "as_values", "on_axis"]

_Array = npt.NDArray[Any]

_MAKERS: dict[str, Any] = {
    "bsr": bsr_array,
    "coo": coo_array,
    "csc": csc_array,
    "csr": csr_array,
    "dia": dia_array,
}
"""Formats whose elements are in an array, `data`, and whose products are compiled."""

_TRANSPOSED = {"coo": "coo", "csc": "csr", "csr": "csc"}
"""Formats in which a transposed matrix has the same elements in the same order."""


def as_matrix(a: Any, what: str) -> Any:
    """Return a sparse matrix, in a format with an array of elements; `what` names the caller in errors."""
    if not issparse(a):
        raise TypeError(
            f"{what}: a sparse matrix or array of SciPy's is needed, not {type(a).__name__}: give one, or take "
            f"tapegrad.linalg.{what.rpartition('.')[2]} for dense matrices."
        )
    if a.ndim != 2:
        raise ValueError(f"{what}: the sparse array must have two dimensions, not shape {a.shape}.")
    return a if a.format in _MAKERS else a.tocsr()


def as_values(values: Any, a: Any, what: str) -> Tensor:
    """Return the elements of a sparse matrix, as it was given, that are used in place of `a.data`."""
    if a.format not in _TRANSPOSED:
        raise TypeError(
            f"{what}: values= needs a matrix in one of the formats {', '.join(sorted(_TRANSPOSED))}, not {a.format}: "
            "convert it by .tocsr(), and give the values in the order of its .data."
        )
    result = as_tensor(values)
    if result.shape != a.data.shape:
        raise ValueError(
            f"{what}: values must have the shape of the matrix's .data, {a.data.shape}, but it has {result.shape}."
        )
    # SciPy has no sparse arrays of float16.
    return cast(result, np.float32) if result.dtype.dtype == np.float16 else result


class Structure:
    """Where the stored elements of a sparse matrix lie.

    Parameters
    ----------
    format
        SciPy's name of the way in which they are stored.
    shape
        The matrix's.
    places
        What the format has beside `data`: indices and starts, offsets, or rows and columns.
    origin
        What is kept for as long as this one: whose arrays it uses.
    """

    def __init__(
        self, format: str, shape: tuple[int, int], places: tuple[_Array, ...], origin: Structure | None = None
    ) -> None:
        self.shape = shape
        self._format = format
        self._places = places
        self._origin = origin

    @classmethod
    def of(cls, a: Any) -> Structure:
        """Return that of a matrix."""
        if a.format == "coo":
            return cls(a.format, a.shape, (a.row, a.col))
        return cls(a.format, a.shape, (a.offsets,) if a.format == "dia" else (a.indices, a.indptr))

    @classmethod
    def kept(cls, a: Any) -> Structure:
        """Return that of a matrix for a tape to keep, whatever is written to the matrix later."""
        now, found = cls.of(a), _structures.get(id(a))
        if found is None or not found.is_same(now):
            found = _structures[id(a)] = cls(now._format, now.shape, tuple(map(_unchanging, now._places)))
        return found

    def is_same(self, other: Structure) -> bool:
        """Whether the same elements are stored in the same order."""
        return (self._format, self.shape) == (other._format, other.shape) and all(
            map(_is_same, self._places, other._places)
        )

    def filled(self, values: _Array) -> Any:
        """Return the matrix with these elements."""
        places = (self._places,) if self._format == "coo" else self._places
        return _MAKERS[self._format]((values, *places), self.shape)

    def transposed(self) -> Structure:
        """Return that of the transposed matrix with the same elements in the same order."""
        places = self._places[::-1] if self._format == "coo" else self._places
        return Structure(_TRANSPOSED[self._format], self.shape[::-1], places, self)

    @functools.cached_property
    def rows(self) -> _Array:
        """The row of each element."""
        return _repeated(self._places[1]) if self._format == "csr" else self._places[0]

    @functools.cached_property
    def columns(self) -> _Array:
        """The column of each element."""
        return _repeated(self._places[1]) if self._format == "csc" else self._places[self._format == "coo"]


def _repeated(starts: _Array) -> _Array:
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


class Constant:
    """A matrix whose elements have no derivatives, with its adjoint.

    Parameters
    ----------
    matrix
        The matrix.
    origin
        What is kept for as long as this one: whose arrays the matrix uses.
    """

    def __init__(self, matrix: Any, origin: Structure | Constant | None = None) -> None:
        self.matrix = matrix
        self._origin = origin

    @classmethod
    def kept(cls, a: Any) -> Constant:
        """Return a matrix for a tape to keep, whatever is written to it later."""
        structure, found = Structure.kept(a), _constants.get(id(a))
        if found is None or found._origin is not structure or not _is_same(found.matrix.data, a.data):
            found = _constants[id(a)] = cls(structure.filled(_unchanging(a.data)), structure)
        return found

    def transposed(self) -> Constant:
        """Return the transposed matrix."""
        return Constant(self.matrix.T, self)

    @functools.cached_property
    def adjoint(self) -> Constant:
        """The conjugate of the transposed matrix."""
        return Constant(self.matrix.conj(copy=False).T)


# What tapes keep, by the `id` of the matrix of which it is a copy: so a loop in which a tape records thousands of
# products with a matrix keeps it once. Whether the matrix has changed since then is seen from the elements, and an `id`
# that has belonged to another matrix does no harm.
_structures: weakref.WeakValueDictionary[int, Structure] = weakref.WeakValueDictionary()
_constants: weakref.WeakValueDictionary[int, Constant] = weakref.WeakValueDictionary()


def _is_same(copy: _Array, part: _Array) -> bool:
    if copy.dtype != part.dtype or copy.shape != part.shape:
        return False
    same_memory = copy.ctypes.data == part.ctypes.data and copy.strides == part.strides
    return same_memory or np.array_equal(copy, part)


def _unchanging(part: _Array) -> _Array:
    """Return an array of the same elements that nobody writes to; a read-only one is a promise."""
    return array(tensor(part)) if part.flags.writeable else part


def on_axis(function: Callable[[_Array], _Array], x: _Array, axis: int) -> _Array:
    """Return what a function of a vector, or of the columns of a matrix, makes of `x` along one of its axes."""
    if x.ndim == 1:
        return function(x)
    columns = np.moveaxis(x, axis, 0)
    results = function(columns.reshape(len(columns), math.prod(columns.shape[1:])))
    return np.moveaxis(results.reshape(len(results), *columns.shape[1:]), 0, axis)
