"""Piecewise constant functions, which no tape follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Tensor, Value, array, observe_end, own, tensor
from tapegrad._ops.declare import TensorLike

__all__ = ["untracked"]


def untracked(
    function: Callable[..., np.generic | npt.NDArray[Any]], *operands: TensorLike, **parameters: Any
) -> Tensor:
    """Return a piecewise constant function of the operands' arrays as a tensor that no tape knows.

    Parameters
    ----------
    function
        A function of arrays, which returns one.
    *operands
        Tensors, variables, arrays or numbers.
    **parameters
        What else the function is given.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.extend import untracked
    >>> print(untracked(np.count_nonzero, [1.0, 0.0, 3.0]).numpy())
    2
    """
    values = [x if isinstance(x, Value) else tensor(x) for x in operands]
    result = own(function(*[array(x) for x in values], **parameters))
    observe_end(getattr(function, "__name__", "function"), values, (result,))
    return result
