"""Functions that only move elements, by what NumPy does with the elements' numbers in place of the elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor

__all__ = ["gathered"]


def gathered(function: Callable[..., Any], *tensors: Tensor, zero: bool = False) -> Tensor:
    """Return `function(*tensors)` for a function of NumPy that moves elements and does nothing else with them.

    Parameters
    ----------
    function
        It gets an array with a number for each element in place of each tensor.
    *tensors
        The operands, of one type.
    zero
        Whether the function can also put zeros in.
    """
    places = []
    count = int(zero)
    for x in tensors:
        places.append(np.arange(count, count + x.size).reshape(x.shape))
        count += x.size
    chosen = function(*places)
    parts: list[Any] = [np.zeros(1, tensors[0].dtype.dtype)] if zero else []
    parts += [_native.reshape(x, (-1,)) for x in tensors]
    elements = parts[0] if len(parts) == 1 else _native.concatenate(parts, 0)
    return _native.take(elements, chosen, 0)
