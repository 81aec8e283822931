"""The class of boxed arrays, as in `autograd.numpy.numpy_boxes`."""

from __future__ import annotations

from tapegrad.compat.autograd.builtins import SequenceBox
from tapegrad.compat.autograd.tracer import Box

__all__ = ["ArrayBox", "Box", "SequenceBox"]


class ArrayBox(Box):
    """What `isinstance(x, ArrayBox)` asks for: a number or array that a tape records at this moment.

    Such values are tensors. They have the methods of NumPy's arrays and, as `_value`, what they hold.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.numpy.numpy_boxes import ArrayBox
    >>> grad(lambda x: np.sum(x * (x._value if isinstance(x, ArrayBox) else x)))(np.array([1.0, 2.0]))
    array([1., 2.])
    """
