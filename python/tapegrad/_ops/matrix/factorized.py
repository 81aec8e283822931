"""Square matrices whose LU factors are kept, for the derivatives of what was computed from them.

Values are NumPy's own, bit for bit, but NumPy keeps no factors. Where SciPy is installed, LAPACK factorizes a matrix
when its first derivative is taken, and the adjoint systems of all of them are solved with the same factors. Without
SciPy, and for stacks of matrices, each is a call of NumPy's function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Factorized"]

_Array: TypeAlias = npt.NDArray[Any]


class _Lapack(NamedTuple):
    """LAPACK's functions for one type."""

    getrf: Callable[..., Any]
    getrs: Callable[..., Any]
    getri: Callable[..., Any]
    getri_lwork: Callable[..., Any]


@functools.cache
def _lapack(dtype: np.dtype[Any]) -> _Lapack | None:
    """Return the functions for a type; `None` without SciPy, and for types that LAPACK lacks."""
    if dtype.char not in "fdFD":
        return None
    try:
        from scipy.linalg import get_lapack_funcs
    except ImportError:
        return None
    return _Lapack(*get_lapack_funcs(_Lapack._fields, dtype=dtype))


class _Factors:
    """The LU factors of one matrix, which must be regular."""

    def __init__(self, lapack: _Lapack, matrix: _Array) -> None:
        # LAPACK reads columns, and so sees the transpose of a matrix in C order: that is what is factorized.
        self._lapack = lapack
        self._lu, self._pivots, singular = lapack.getrf(matrix.T)
        if singular:
            raise np.linalg.LinAlgError("Singular matrix")

    def solve_adjoint(self, b: _Array) -> _Array:
        """Return x with `adjoint(a) @ x == b`."""
        x: _Array = self._lapack.getrs(self._lu, self._pivots, np.conjugate(b))[0]
        return np.conjugate(x)

    def inverse(self) -> _Array:
        """Return the inverse."""
        room = int(self._lapack.getri_lwork(len(self._lu))[0].real)
        inverse: _Array = self._lapack.getri(self._lu, self._pivots, lwork=room)[0]
        return inverse.T


class Factorized:
    """Square matrices (..., n, n), factorized at most once, and not before that is needed."""

    def __init__(self, matrices: _Array) -> None:
        self.matrices = matrices

    @functools.cached_property
    def _factors(self) -> _Factors | None:
        """The factors of a single matrix, where LAPACK can be called; a singular one raises LinAlgError."""
        a = self.matrices
        if a.ndim != 2 or a.shape[0] != a.shape[1] or not a.size:
            return None
        lapack = _lapack(a.dtype)
        return None if lapack is None else _Factors(lapack, a)

    def solve_adjoint(self, b: _Array) -> _Array:
        """Return x with `adjoint(a) @ x == b`; a singular matrix raises LinAlgError."""
        a = self.matrices
        if b.ndim == 2 and len(b) == a.shape[-1] and b.size and b.dtype == a.dtype and self._factors is not None:
            return self._factors.solve_adjoint(b)
        return np.linalg.solve(np.conjugate(a.swapaxes(-1, -2)), b)

    def inverse(self) -> _Array:
        """Return the inverses; a singular matrix raises LinAlgError."""
        return np.linalg.inv(self.matrices) if self._factors is None else self._factors.inverse()
