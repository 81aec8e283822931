"""Python's containers as in `autograd.builtins`: here they are Python's own, and hold tensors themselves.

A function that is differentiated for a list, tuple or dictionary gets one of tensors. So the containers need no
substitutes; `isinstance` and `type` look through tensors at the values.
"""

from __future__ import annotations

import builtins
from builtins import dict, list, tuple  # noqa: UP029 (exported)
from typing import Any

from tapegrad._native import Value
from tapegrad.compat.autograd._boxes import Boxed
from tapegrad.compat.autograd._values import getval, holds_watched

__all__ = ["DictBox", "SequenceBox", "dict", "isinstance", "list", "tuple", "type"]


def isinstance(x: Any, kind: Any) -> bool:
    """Return whether a value, or what a tensor holds, is of a kind.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.builtins import isinstance
    >>> grad(lambda x: np.sum(x) if isinstance(x, np.ndarray) else 0.0 * x)(np.ones(2))
    array([1., 1.])
    """
    return builtins.isinstance(_looked_through(x), kind) or builtins.isinstance(x, kind)


def type(x: Any) -> builtins.type:
    """Return the type of a value, or of what a tensor holds.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.builtins import type
    >>> grad(lambda x: np.sum(x) if type(x) is np.ndarray else 0.0 * x)(np.ones(2))
    array([1., 1.])
    """
    return builtins.type(_looked_through(x))


def _looked_through(x: Any) -> Any:
    return getval(x) if builtins.isinstance(x, (Value, Boxed)) else x


class _Holder(builtins.type):
    """The type of classes whose instances are containers of what tapes record."""

    container: Any

    def __instancecheck__(cls, instance: object) -> bool:
        return builtins.isinstance(instance, cls.container) and holds_watched(instance)


class SequenceBox(metaclass=_Holder):
    """What `isinstance(x, SequenceBox)` asks for: a list or tuple in which there is something that a tape records.

    Examples
    --------
    >>> import builtins
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.builtins import SequenceBox
    >>> grad(lambda x: x[0] if builtins.isinstance(x, SequenceBox) else 0.0)([1.0, 2.0])
    [np.float64(1.0), np.float64(0.0)]
    """

    container = (list, tuple)


class DictBox(metaclass=_Holder):
    """What `isinstance(x, DictBox)` asks for: a dictionary in which there is something that a tape records.

    Examples
    --------
    >>> import builtins
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.builtins import DictBox
    >>> grad(lambda p: p["a"] if builtins.isinstance(p, DictBox) else 0.0)({"a": 1.0, "b": 2.0})
    {'a': np.float64(1.0), 'b': np.float64(0.0)}
    """

    container = dict
