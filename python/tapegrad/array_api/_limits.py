"""Limiting values with the standard's arguments."""

from __future__ import annotations

from tapegrad import numpy as tnp
from tapegrad._native import Tensor, Value

__all__ = ["clip"]


def clip(x: Value, /, min: Value | int | float | None = None, max: Value | int | float | None = None) -> Tensor:
    """Return `x` limited to an interval, which may be open on either side; the slope at its ends is 1.

    Parameters
    ----------
    x
        A real tensor.
    min, max
        The bounds, which are broadcast to the shape of `x`; `None` for none.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.clip(xp.asarray([1.0, 2.0, 3.0]), max=2.0).numpy()
    array([1., 2., 2.])
    """
    limited: Tensor = tnp.positive(x) if min is None and max is None else tnp.clip(x, min, max)
    return limited
