"""NumPy's functions that write to their first argument. A tensor becomes its next version, an array is written to."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, Value, array, unrecorded
from tapegrad._ops.writing import check_writable
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import holds_watched, operand, write
from tapegrad.numpy._gathering import gathered

__all__ = ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"]


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write the elements of `src`, where `where` is true, to `dst`.

    Raises
    ------
    TypeError
        If values cannot be cast by the rule.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.zeros(3)
    >>> np.copyto(x, [1.0, 2.0, 3.0], where=[True, False, True])
    >>> x.numpy()
    array([1., 0., 3.])
    """
    if _is_for_numpy(np.copyto, dst, src):
        np.copyto(dst, unrecorded(src), casting, unrecorded(where))
        return
    new = operand(src)
    if type(src) in (int, float, complex):
        new = _native.cast(new, np.result_type(src, dst.dtype.dtype))
    if new.dtype != dst.dtype and not np.can_cast(new.dtype.dtype, dst.dtype.dtype, casting):
        raise TypeError(f"Cannot cast from {new.dtype.name} to {dst.dtype.name} by the rule {casting!r}.")
    new = _native.broadcast_to(_native.cast(new, dst.dtype), dst.shape)
    if where is not True:
        new = _native.where(np.broadcast_to(array(where), dst.shape), new, _native.version(dst))
    write(dst, new)


def _is_for_numpy(function: Any, target: Any, values: Any) -> bool:
    """Return whether the target is an array, which NumPy writes to; raise if the values would leave a tape there."""
    if isinstance(target, Tensor):
        check_writable(target)
        return False
    if isinstance(target, Value):
        raise TypeError(f"numpy.{function.__name__}: a variable is not written to; use its method assign.")
    if holds_watched(values):
        raise TypeError(
            f"numpy.{function.__name__}: a tape watches the values, and in a numpy.ndarray they would leave the tape: "
            "make the array a tensor first, x = tapegrad.numpy.array(x)."
        )
    return True


def _write(function: Any, target: Any, values: Any, *before: Any, **options: Any) -> None:
    """Write values to an array or a tensor as a function of NumPy does, which moves elements only."""
    if _is_for_numpy(function, target, values):
        function(target, *unrecorded(before), unrecorded(values), **options)
        return
    new = _native.cast(operand(values), target.dtype)

    def moved(places: Any, numbers: Any) -> Any:
        function(places, *unrecorded(before), numbers, **options)
        return places

    _native.rebind(target, gathered(moved, _native.version(target), new))


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values, repeated as often as needed, to positions in `a` as a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.zeros(3)
    >>> np.put(x, [0, 2], [1.0, 2.0])
    >>> x.numpy()
    array([1., 0., 2.])
    """
    _write(np.put, a, v, ind, mode=mode)


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write the values one after the other, repeated as often as needed, where the mask is true.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.zeros(3)
    >>> np.place(x, [True, False, True], [1.0, 2.0])
    >>> x.numpy()
    array([1., 0., 2.])
    """
    _write(np.place, arr, vals, mask)


@implements(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """Write, where the mask is true, the value that stands at the same place of the repeated values.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.zeros(3)
    >>> np.putmask(x, [True, False, True], [1.0, 2.0])
    >>> x.numpy()
    array([1., 0., 1.])
    """
    _write(np.putmask, a, values, mask)


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """Write values to the positions along an axis that `indices` holds for each place in the others.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.zeros((2, 2))
    >>> np.put_along_axis(x, [[0], [1]], 5.0, axis=1)
    >>> x.numpy()
    array([[5., 0.],
           [0., 5.]])
    """
    places = np.asarray(unrecorded(indices)) if isinstance(arr, Tensor) else indices
    _write(np.put_along_axis, arr, values, places, axis=axis)


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write values to the main diagonal; with `wrap` it starts again below each square of a tall matrix.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.zeros((2, 2))
    >>> np.fill_diagonal(x, [1.0, 2.0])
    >>> x.numpy()
    array([[1., 0.],
           [0., 2.]])
    """
    _write(np.fill_diagonal, a, val, wrap=wrap)
