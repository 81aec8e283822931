"""Sorting with the standard's arguments: in descending order, too."""

from __future__ import annotations

from tapegrad._native import Tensor, Value
from tapegrad._ops import sorting

__all__ = ["argsort", "sort"]


def sort(x: Value, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return `x` sorted along an axis; each element takes its derivative along.

    Parameters
    ----------
    x
        A real tensor.
    axis
        The axis to sort along.
    descending
        Whether the greatest comes first.
    stable
        Whether equal elements stay in their order.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.sort(xp.asarray([1.0, 3.0, 2.0]), descending=True).numpy()
    array([3., 2., 1.])
    """
    return sorting.sort(x, axis, descending, stable=stable)


def argsort(x: Value, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the positions that sort `x` along an axis; equal elements stay in their order if `stable`.

    Parameters
    ----------
    x
        A real tensor.
    axis
        The axis to sort along.
    descending
        Whether the greatest comes first.
    stable
        Whether equal elements stay in their order.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.argsort(xp.asarray([1.0, 3.0, 1.0]), descending=True).numpy()
    array([1, 0, 2])
    """
    return sorting.argsort(x, axis, descending, stable)
