"""Linear algebra as in `autograd.scipy.linalg`: SciPy's; what is listed in `RECORDED` takes tensors.

Functions without a rule take numbers and arrays, and one can be defined for them by `autograd.extend.defvjp`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as _np
from scipy import linalg as _linalg

import tapegrad.linalg as _tapegrad
import tapegrad.numpy as _tnp
from tapegrad.compat.autograd._namespaces import mirrored, names_of

__all__ = names_of(_linalg)


def _transposed(a: Any, trans: Any) -> Any:
    """Return the matrix of a system `op(a) x = b`, where `trans` says which."""
    if trans in (0, "N"):
        return a
    turned = _tnp.swapaxes(a, -1, -2)
    return _tnp.conj(turned) if trans in (2, "C") else turned


def _solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    matrix = _tnp.asarray(a)
    if unit_diagonal:
        size = matrix.shape[-1]
        matrix = _tnp.tril(matrix, -1) + _np.eye(size) if lower else _tnp.triu(matrix, 1) + _np.eye(size)
    right = _tnp.asarray(b)
    columns = right if right.ndim > 1 else right[:, None]
    solved = _tapegrad.triangular_solve(_transposed(matrix, trans), columns, lower=lower != (trans not in (0, "N")))
    return solved if right.ndim > 1 else solved[:, 0]


def _cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    # SciPy reads one triangle; which of two equal ones makes no difference.
    factor = _tnp.linalg.cholesky(a)
    return factor if lower else _tnp.conj(_tnp.swapaxes(factor, -1, -2))


def _cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    factor, lower = c_and_lower
    first, second = (0, 2) if lower else (2, 0)
    return _solve_triangular(factor, _solve_triangular(factor, b, first, lower), second, lower)


def _solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """Solve a x + x b = q as one system: of size n m, for which its rules hold."""
    a, b, q = _tnp.asarray(a), _tnp.asarray(b), _tnp.asarray(q)
    rows, columns = q.shape
    system = _tnp.kron(a, _np.eye(columns)) + _tnp.kron(_np.eye(rows), _tnp.transpose(b))
    return _tnp.reshape(_tnp.linalg.solve(system, _tnp.reshape(q, (rows * columns,))), (rows, columns))


def _solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """Solve with the full matrix that has the rows of `ab` on its diagonals."""
    lower, upper = l_and_u
    diagonals = _tnp.asarray(ab)
    size = diagonals.shape[1]
    # Of a single diagonal `diag` makes a stack of one matrix.
    matrix = _tnp.reshape(_tapegrad.diag(diagonals, k=(-lower, upper)), (size, size))
    return _tnp.linalg.solve(matrix, b)


def _block_diag(*arrays: Any) -> Any:
    blocks = [_tnp.atleast_2d(array) for array in arrays]
    rows = []
    for k, block in enumerate(blocks):
        height = block.shape[0]
        before, after = (sum(other.shape[1] for other in part) for part in (blocks[:k], blocks[k + 1 :]))
        rows.append(_tnp.concatenate([_np.zeros((height, before)), block, _np.zeros((height, after))], axis=1))
    return _tnp.concatenate(rows)


def _inverse(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return _tnp.linalg.inv(a)


def _determinant(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return _tnp.linalg.det(a)


RECORDED: dict[str, Callable[..., Any]] = {
    "block_diag": _block_diag,
    "cho_solve": _cho_solve,
    "cholesky": _cholesky,
    "det": _determinant,
    "expm": _tapegrad.expm,
    "inv": _inverse,
    "norm": lambda a, ord=None, axis=None, keepdims=False, check_finite=True: _tnp.linalg.norm(a, ord, axis, keepdims),
    "solve_banded": _solve_banded,
    "solve_sylvester": _solve_sylvester,
    "solve_triangular": _solve_triangular,
    "sqrtm": _tapegrad.sqrtm,
}
"""What is called for tensors."""

_get = mirrored(_linalg, globals(), RECORDED.get)


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
