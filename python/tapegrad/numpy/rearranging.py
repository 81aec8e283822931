"""The order and repetition of elements: turning, shifting, tiling, padding, triangles and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import shaping
from tapegrad._ops.arguments import as_axes, as_int, as_shape
from tapegrad._ops.indexing import getitem
from tapegrad._ops.matrix import parts
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import Out, TensorLike, as_dtype, delivered, operand
from tapegrad.numpy._gathering import gathered

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "flip",
    "fliplr",
    "flipud",
    "repeat",
    "roll",
    "rot90",
    "sliding_window_view",
    "tile",
    "trace",
    "tril",
    "trim_zeros",
    "triu",
]


@implements(np.flip)
def flip(m: TensorLike, axis: Any = None) -> Tensor:
    """Return the elements in reverse order along `axis`: one, several or all.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.flip([1.0, 2.0, 3.0]).numpy()
    array([3., 2., 1.])
    """
    return shaping.flip(operand(m), axis)


@implements(np.flipud)
def flipud(m: TensorLike) -> Tensor:
    """Return the rows in reverse order.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.flipud([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([[3., 4.],
           [1., 2.]])
    """
    return shaping.flip(operand(m), 0)


@implements(np.fliplr)
def fliplr(m: TensorLike) -> Tensor:
    """Return the columns in reverse order.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fliplr([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([[2., 1.],
           [4., 3.]])
    """
    return shaping.flip(operand(m), 1)


@implements(np.rot90)
def rot90(m: TensorLike, k: Any = 1, axes: Any = (0, 1)) -> Tensor:
    """Return `m` turned `k` times by 90 degrees from the first axis of `axes` to the second.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.rot90([[1, 2], [3, 4]]).numpy()
    array([[2, 4],
           [1, 3]])
    """
    m = operand(m)
    first, second = as_axes(axes, m.ndim, "rot90")
    turns = as_int(k) % 4
    if turns == 0:
        return m
    if turns == 2:
        return shaping.flip(m, (first, second))
    if turns == 1:
        return shaping.swapaxes(shaping.flip(m, second), first, second)
    return shaping.flip(shaping.swapaxes(m, first, second), second)


@implements(np.roll)
def roll(a: TensorLike, shift: Any, axis: Any = None) -> Tensor:
    """Return the elements shifted circularly along `axis`; without an axis, as a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.roll([1.0, 2.0, 3.0], 1).numpy()
    array([3., 1., 2.])
    """
    a = operand(a)
    if np.ndim(shift) and (axis is None or np.ndim(axis) == 0):
        shift, axis = (np.sum(shift), axis) if axis is None else (shift, (axis,) * len(shift))
    return shaping.roll(a, shift, axis)


@implements(np.tile)
def tile(A: TensorLike, reps: Any) -> Tensor:  # noqa: N803 (NumPy's name)
    """Return a tensor repeated `reps[k]` times along axis k.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.tile([1.0, 2.0], (2, 2)).numpy()
    array([[1., 2., 1., 2.],
           [1., 2., 1., 2.]])
    """
    return shaping.tile(operand(A), reps)


@implements(np.repeat)
def repeat(a: TensorLike, repeats: Any, axis: Any = None) -> Tensor:
    """Return the elements along `axis`, each repeated; without an axis, those of `a` as a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.repeat([1.0, 2.0], [1, 3]).numpy()
    array([1., 2., 2., 2.])
    """
    return shaping.repeat(operand(a), repeats, axis)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: TensorLike, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Tensor:
    """Return all windows of a shape, in last axes behind those that count the windows.

    Parameters
    ----------
    x
        A tensor.
    window_shape
        A size, or one for each of the axes.
    axis
        The axes that the windows lie along, some perhaps several times; `None` for all.
    subok, writeable
        Have no effect: the result is a new tensor.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.sliding_window_view([1.0, 2.0, 3.0], 2).numpy()
    array([[1., 2.],
           [2., 3.]])
    """
    shape = as_shape(window_shape)
    return gathered(lambda places: np.lib.stride_tricks.sliding_window_view(places, shape, axis), operand(x))


@implements(np.trim_zeros)
def trim_zeros(filt: TensorLike, trim: str = "fb", axis: Any = None) -> Tensor:
    """Return the part that is left when zeros at the front ("f") and the back ("b") are cut off.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.trim_zeros([0.0, 1.0, 0.0, 2.0, 0.0]).numpy()
    array([1., 0., 2.])
    """
    a = operand(filt)
    values, where = array(a), trim.lower()
    axes = as_axes(axis, a.ndim, "trim_zeros")
    found = np.argwhere(values)
    key: list[slice] = []
    for k, size in enumerate(a.shape):
        first, last = (found[:, k].min(), found[:, k].max() + 1) if len(found) else (size, size)
        if k not in axes:
            first, last = 0, size
        elif not len(found):
            first, last = (size, size) if "f" in where else (0, 0)
        key.append(slice(int(first) if "f" in where else 0, int(last) if "b" in where else size))
    return getitem(a, tuple(key))


@implements(np.diagonal)
def diagonal(a: TensorLike, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Tensor:
    """Return the diagonals of the matrices in two axes, in a last axis.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.diagonal([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([1., 4.])
    """
    a = operand(a)
    axes = as_axes((axis1, axis2), a.ndim, "diagonal")
    matrices = a if axes == (a.ndim - 2, a.ndim - 1) else shaping.moveaxis(a, axes, (-2, -1))
    return parts.diagonal(matrices, as_int(offset))


@implements(np.diag)
def diag(v: TensorLike, k: Any = 0) -> Tensor:
    """Return the diagonal of a matrix, or the matrix with a vector on its diagonal.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.diag([1.0, 2.0]).numpy()
    array([[1., 0.],
           [0., 2.]])
    """
    v = operand(v)
    if v.ndim == 2:
        return diagonal(v, k)
    return gathered(lambda places: np.diag(places, as_int(k)), v, zero=True)


@implements(np.diagflat)
def diagflat(v: TensorLike, k: Any = 0) -> Tensor:
    """Return the matrix with all elements of `v` on its diagonal.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.diagflat([[1.0], [2.0]]).numpy()
    array([[1., 0.],
           [0., 2.]])
    """
    return diag(_native.reshape(operand(v), (-1,)), k)


@implements(np.trace)
def trace(a: TensorLike, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Out = None) -> Any:
    """Return the sum over the diagonal of the matrices in two axes.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.trace([[1.0, 2.0], [3.0, 4.0]]))
    5.0
    """
    elements = diagonal(a, offset, axis1, axis2)
    kind = as_dtype(dtype)
    if kind is not None:
        elements = _native.cast(elements, kind)
    return delivered(_native.sum(elements, -1), out)


@implements(np.tril)
def tril(m: TensorLike, k: Any = 0) -> Tensor:
    """Return matrices with zeros above the diagonal `k`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.tril([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([[1., 0.],
           [3., 4.]])
    """
    m = operand(m)
    return _native.where(_below(m.shape, as_int(k)), m, np.zeros((), m.dtype.dtype))


@implements(np.triu)
def triu(m: TensorLike, k: Any = 0) -> Tensor:
    """Return matrices with zeros below the diagonal `k`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.triu([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([[1., 2.],
           [0., 4.]])
    """
    m = operand(m)
    return _native.where(_below(m.shape, as_int(k) - 1), np.zeros((), m.dtype.dtype), m)


def _below(shape: tuple[int, ...], k: int) -> npt.NDArray[np.bool_]:
    """Return which elements of the matrices in the last two axes are on the diagonal `k` or below it."""
    return np.tri(shape[-2] if len(shape) > 1 else shape[-1], shape[-1], k, np.bool_)
