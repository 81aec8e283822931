"""Diagonals and bands of matrices under TensorFlow's names."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_int, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import getitem, index_add
from tapegrad._ops.matrix import parts
from tapegrad._ops.shaping import expand_dims
from tapegrad._tf.reductions import reduce_sum

__all__ = ["band_part", "diag", "diag_part", "set_diag", "tensor_diag", "tensor_diag_part", "trace"]


class _Band(NamedTuple):
    """Where the elements of a table of diagonals, one per row, stand in a matrix."""

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    filled: npt.NDArray[np.bool_]
    """Where the table has elements: shorter diagonals are filled up."""


def _limits(k: Any) -> tuple[int, int]:
    """Return the lowest and the highest diagonal."""
    numbers = as_shape(k)
    low, high = numbers[0], numbers[-1]
    if len(numbers) > 2 or low > high:
        raise ValueError(f"k must be one diagonal, or the lowest and the highest, not {k}.")
    return low, high


def _band(rows: int, columns: int, low: int, high: int, align: str) -> _Band:
    if align not in ("LEFT_LEFT", "LEFT_RIGHT", "RIGHT_LEFT", "RIGHT_RIGHT"):
        raise ValueError(f"align must be 'RIGHT_LEFT', 'LEFT_RIGHT', 'LEFT_LEFT' or 'RIGHT_RIGHT', not {align!r}.")
    # Superdiagonals have their elements at the side that `align` names first, subdiagonals at the other's.
    of_upper, of_lower = align.split("_")
    offsets = np.arange(high, low - 1, -1)[:, None]
    lengths = np.minimum(columns - np.maximum(offsets, 0), rows + np.minimum(offsets, 0))
    longest = int(lengths.max())
    right = np.where(offsets > 0, of_upper == "RIGHT", of_lower == "RIGHT") | ((offsets == 0) & ("RIGHT" in align))
    steps = np.arange(longest) - np.where(right, longest - lengths, 0)
    filled = (steps >= 0) & (steps < lengths)
    steps = np.where(filled, steps, 0)
    return _Band(steps + np.maximum(-offsets, 0), steps + np.maximum(offsets, 0), filled)


def _checked(x: Tensor, low: int, high: int) -> tuple[int, int]:
    """Return rows and columns of matrices that have these diagonals."""
    if x.ndim < 2:
        raise ValueError(f"matrices have at least two axes, but the shape is {x.shape}.")
    rows, columns = x.shape[-2:]
    if any(limit and not -rows < limit < columns for limit in (low, high)):
        raise ValueError(f"diagonals {low} to {high} are not inside matrices of shape ({rows}, {columns}).")
    return rows, columns


def diag_part(
    input: TensorLike,
    name: str | None = "diag_part",
    k: Any = 0,
    padding_value: TensorLike = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Return diagonals of matrices.

    Parameters
    ----------
    input
        Matrices, of shape (..., m, n).
    name
        Has no effect.
    k
        Which diagonal, positive above the main one; or a pair, the lowest and the highest of several.
    padding_value
        What shorter ones of several diagonals are filled up with.
    align
        The side at which shorter superdiagonals and subdiagonals stand: `"RIGHT_LEFT"`, `"LEFT_RIGHT"`,
        `"LEFT_LEFT"` or `"RIGHT_RIGHT"`.

    Returns
    -------
    Tensor
        One diagonal: shape (..., length). Several: shape (..., number, greatest length), from the highest down.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.reshape(tf.range(9), (3, 3))
    >>> tf.linalg.diag_part(x).numpy().tolist(), tf.linalg.diag_part(x, k=(0, 1)).numpy().tolist()
    ([0, 4, 8], [[0, 1, 5], [0, 4, 8]])
    """
    x = as_tensor(input)
    low, high = _limits(k)
    rows, columns = _checked(x, low, high)
    band = _band(rows, columns, low, high, align)
    table = getitem(x, (..., band.rows, band.columns))
    if not band.filled.all():
        table = _native.where(band.filled, table, _native.cast(padding_value, x.dtype))
    return table if low != high else getitem(table, (..., 0, slice(None)))


def diag(
    diagonal: TensorLike,
    name: str | None = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: TensorLike = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Return matrices with given diagonals.

    Parameters
    ----------
    diagonal
        One diagonal, of shape (..., length), or several as `diag_part` returns them.
    name
        Has no effect.
    k
        Which diagonal it is, positive above the main one; or a pair, the lowest and the highest of several.
    num_rows, num_cols
        The size of the matrices; by default as small as they can be, and square if neither is given.
    padding_value
        What stands beside the diagonals.
    align
        As in `diag_part`.

    Raises
    ------
    ValueError
        If the diagonals do not fit matrices of that shape.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.diag([1.0, 2.0]).numpy().tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    >>> tf.linalg.diag([1.0], k=1).numpy().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    table, low, high = _table(diagonal, k)
    longest = table.shape[-1]
    least_rows, least_columns = longest - min(high, 0), longest + max(low, 0)
    rows, columns = as_int(num_rows), as_int(num_cols)
    if rows == -1 and columns == -1:
        rows = columns = max(least_rows, least_columns)
    rows = least_rows if rows == -1 else rows
    columns = least_columns if columns == -1 else columns
    if rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns):
        raise ValueError(
            f"diag: diagonals {low} to {high} of up to {longest} elements do not fit matrices of shape "
            f"({rows}, {columns})."
        )
    background = _native.cast(padding_value, table.dtype)
    return _with_band(background, table, (*table.shape[:-2], rows, columns), low, high, align)


def set_diag(
    input: TensorLike, diagonal: TensorLike, name: str | None = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """Return matrices with some of their diagonals replaced.

    Parameters
    ----------
    input
        Matrices, of shape (..., m, n).
    diagonal
        The new values, of the shape that `diag_part` returns.
    k, align
        As for `diag_part`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.set_diag(tf.ones((2, 2)), [3.0, 4.0]).numpy().tolist()
    [[3.0, 1.0], [1.0, 4.0]]
    """
    x = as_tensor(input)
    table, low, high = _table(diagonal, k)
    _checked(x, low, high)
    return _with_band(x, _native.cast(table, x.dtype), x.shape, low, high, align)


def _table(diagonal: TensorLike, k: Any) -> tuple[Tensor, int, int]:
    """Return the diagonals with an axis that counts them, the lowest and the highest."""
    table = as_tensor(diagonal)
    low, high = _limits(k)
    if low == high:
        table = expand_dims(table, -2)
    if table.ndim < 2 or table.shape[-2] != high - low + 1:
        raise ValueError(f"the diagonals {low} to {high} cannot have the shape {as_tensor(diagonal).shape}.")
    return table, low, high


def _with_band(background: Tensor, table: Tensor, shape: tuple[int, ...], low: int, high: int, align: str) -> Tensor:
    rows, columns = shape[-2:]
    band = _band(rows, columns, low, high, align)
    if band.filled.shape != table.shape[-2:]:
        raise ValueError(
            f"diagonals {low} to {high} of matrices of shape ({rows}, {columns}) have up to {band.filled.shape[1]} "
            f"elements, not {table.shape[-1]}."
        )
    where = (band.rows[band.filled], band.columns[band.filled])
    covered = np.zeros((rows, columns), np.bool_)
    covered[where] = True
    elements = getitem(table, (..., *np.nonzero(band.filled)))
    return _native.where(covered, index_add(elements, (..., *where), shape), background)


def band_part(input: TensorLike, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Return matrices with zeros outside a band of `num_lower` subdiagonals and `num_upper` superdiagonals.

    A negative number keeps the whole triangle.

    Parameters
    ----------
    input
        Matrices, of shape (..., m, n).
    num_lower, num_upper
        Numbers of diagonals to keep.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.band_part(tf.ones((3, 3)), -1, 0).numpy().tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    """
    lower, upper = as_int(num_lower), as_int(num_upper)
    return parts.band(as_tensor(input), None if lower < 0 else lower, None if upper < 0 else upper)


def trace(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the sums of the diagonals of matrices.

    Parameters
    ----------
    x
        Matrices, of shape (..., m, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.linalg.trace([[1.0, 2.0], [3.0, 4.0]]))
    5.0
    """
    return reduce_sum(parts.diagonal(as_tensor(x)), -1)


def tensor_diag(diagonal: TensorLike, name: str | None = None) -> Tensor:
    """Return the tensor of shape s + s with a tensor of shape s on its diagonal and zeros beside it.

    Parameters
    ----------
    diagonal
        A tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.tensor_diag([1.0, 2.0]).numpy().tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    values = as_tensor(diagonal)
    return _native.reshape(parts.diagonal_matrix(_native.reshape(values, (-1,))), values.shape * 2)


def tensor_diag_part(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the diagonal, of shape s, of a tensor of shape s + s.

    Parameters
    ----------
    input
        A tensor with an even number of axes.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the shape is not some shape twice.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.tensor_diag_part([[1.0, 2.0], [3.0, 4.0]]).numpy().tolist()
    [1.0, 4.0]
    """
    x = as_tensor(input)
    half = x.shape[: x.ndim // 2]
    if half * 2 != x.shape:
        raise ValueError(f"tensor_diag_part: the shape must be some shape twice, not {x.shape}.")
    size = math.prod(half)
    return _native.reshape(parts.diagonal(_native.reshape(x, (size, size))), half)
