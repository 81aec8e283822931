"""Structures of arrays as one vector, for optimizers and solvers that take nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._native import Tensor, Value, cast, concatenate, reshape
from tapegrad._ops.complex_parts import real
from tapegrad.functional.arguments import given_back, source_of
from tapegrad.functional.structures import leaves_of, pack_as

__all__ = ["flatten"]


def flatten(structure: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return a structure's numbers as one vector, and the function that makes a structure of a vector again.

    Parameters
    ----------
    structure
        Floating-point numbers, arrays or tensors in lists, tuples, namedtuples, dictionaries (in the sorted order of
        their keys) or dataclasses. Other leaves, such as `None` and strings, are left out, and put back.

    Returns
    -------
    vector
        Of the widest of the dtypes; an array, or a tensor if there is one in the structure.
    unflatten : callable
        Takes a vector of that length, and returns the structure with the same shapes and dtypes; of a tensor it makes
        tensors. Both directions are recorded by tapes.

    Raises
    ------
    TypeError
        For integers, which would not come back as integers.
    ValueError
        From `unflatten`, for a vector of another length.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> vector, unflatten = tapegrad.flatten({"b": np.ones((1, 2)), "a": 5.0})
    >>> vector
    array([5., 1., 1.])
    >>> unflatten(2 * vector)
    {'b': array([[2., 2.]]), 'a': np.float64(10.0)}
    """
    leaves = leaves_of(structure)
    sources = [source_of("flatten", leaf) for leaf in leaves]
    found = [source for source in sources if source is not None]
    plain = not any([isinstance(leaf, Value) for leaf in leaves])
    dtype = np.result_type(*[source.dtype.dtype for source in found]) if found else np.dtype(np.float64)
    pieces = [reshape(cast(source, dtype), (source.size,)) for source in found]
    vector: Any = concatenate(pieces) if pieces else np.zeros(0)
    return given_back(vector, plain), _Unflatten(structure, [source is not None for source in sources], found)


class _Unflatten:
    """Makes structures of vectors; knows the places, shapes and dtypes of the leaves."""

    def __init__(self, structure: Any, differentiable: list[bool], sources: list[Tensor]) -> None:
        self._structure = structure
        self._differentiable = differentiable
        self._shapes = [source.shape for source in sources]
        self._dtypes = [source.dtype.dtype for source in sources]
        self._ends = np.cumsum([0] + [math.prod(shape) for shape in self._shapes]).tolist()

    def __call__(self, vector: Any) -> Any:
        if not isinstance(vector, Value):
            vector = np.asarray(vector)
        if vector.shape != (self._ends[-1],):
            raise ValueError(
                f"unflatten: a vector of shape ({self._ends[-1]},) is needed, but this one has shape {vector.shape}."
            )
        values = iter(
            [
                self._leaf(vector[start:end], k)
                for k, (start, end) in enumerate(zip(self._ends, self._ends[1:], strict=False))
            ]
        )
        return pack_as(
            self._structure,
            [
                next(values) if differentiable else leaf
                for leaf, differentiable in zip(leaves_of(self._structure), self._differentiable, strict=True)
            ],
        )

    def _leaf(self, piece: Any, k: int) -> Any:
        """Return one leaf in its shape and dtype; of a complex piece for a real leaf the real part."""
        shape, dtype = self._shapes[k], self._dtypes[k]
        if isinstance(piece, Value):
            piece = reshape(piece, shape)
            return cast(piece if dtype.kind == "c" else real(piece), dtype)
        piece = piece.real if dtype.kind != "c" else piece
        return piece.reshape(shape).astype(dtype)[()]
