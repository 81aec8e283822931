"""How a sparse matrix of derivatives is computed by few directions, and where in their results its entries are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from tapegrad._native import GradientTape, Tensor, array, own
from tapegrad.sparse.coloring import column_colors, star_colors

__all__ = ["Compression"]

_MOST_ELEMENTS = 1 << 20
"""Of the stacked directions, or their results, that are pushed at the same time."""


class Compression:
    """The directions for one pattern.

    Parameters
    ----------
    pattern
        A sparse array whose stored entries are those to be computed.
    symmetric
        Whether the matrix is symmetric.

    Attributes
    ----------
    shape
        The matrix's.
    forward
        Whether the directions are pushed forwards, columns by columns, or pulled back, rows by rows.
    colors
        The color of each column, or row: those of one color make up one direction.
    """

    def __init__(self, pattern: Any, symmetric: bool) -> None:
        if symmetric:
            pattern = pattern + pattern.T
        pattern = csr_array(pattern)
        pattern.sum_duplicates()
        self.shape = pattern.shape
        self._indices, self._starts = pattern.indices, pattern.indptr
        rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
        columns = pattern.indices.astype(np.intp)
        self.forward = False
        if symmetric:
            self.colors = star_colors(pattern)
            rows, columns = self._readable(rows, columns)
        else:
            self.colors = column_colors(pattern.T)
            # There are no fewer colors for the columns than the longest row has entries. Where there are as many, rows
            # it is: a sweep does more of its work at once than a push.
            if np.diff(pattern.indptr).max(initial=0) < self.count:
                of_columns = column_colors(pattern)
                if of_columns.max(initial=-1) + 1 < self.count:
                    self.forward, self.colors = True, of_columns
        if self.forward:
            rows, columns = columns, rows
        # In the stack of results, one for each color.
        self._places = self.colors[rows] * self.shape[0 if self.forward else 1] + columns

    @property
    def count(self) -> int:
        """The number of directions."""
        return int(self.colors.max(initial=-1)) + 1

    def _readable(
        self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the entries, each turned to the other side of the diagonal if only there it is alone in its sum."""
        sums = columns * self.count + self.colors[rows]
        alone = np.bincount(sums, minlength=1)[sums] == 1
        return np.where(alone, rows, columns), np.where(alone, columns, rows)

    def compute(self, tape: GradientTape, value: Tensor, source: Tensor) -> Any:
        """Return the matrix of derivatives of one value with respect to another, a `scipy.sparse.csr_array`."""
        start, end = (source, value) if self.forward else (value, source)
        results = np.zeros((self.count, end.size), end.dtype.as_numpy_dtype)
        step = max(1, _MOST_ELEMENTS // max(start.size, end.size, 1))
        for first in range(0, self.count if len(self._indices) else 0, step):
            chosen = np.arange(first, min(first + step, self.count))
            seeds = (self.colors == chosen[:, None]).astype(start.dtype.as_numpy_dtype)
            stack = own(seeds.reshape(len(chosen), *start.shape))
            if self.forward:
                found = tape.pushforward(value, source, stack)
            else:
                found = tape.pullback(value, source, stack)
            if found is not None:
                results[first : first + len(chosen)] = array(found).reshape(len(chosen), -1)
        dtype = np.dtype(source.dtype.as_numpy_dtype)
        entries = results.reshape(-1).take(self._places)
        # SciPy has no sparse arrays of float16.
        entries = entries.astype(np.float32 if dtype == np.float16 else dtype, copy=False)
        # Copies, since the caller may change the arrays of a sparse array in place.
        return csr_array((entries, self._indices.copy(), self._starts.copy()), self.shape)
