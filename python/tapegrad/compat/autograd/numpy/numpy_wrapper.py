"""How NumPy's functions are made to take tensors, and a few more, as in `autograd.numpy.numpy_wrapper`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import tapegrad.numpy as recorded
from tapegrad._native import Value
from tapegrad.compat.autograd._namespaces import wrapped
from tapegrad.compat.autograd._noting import one_step
from tapegrad.compat.autograd._primitives import notrace_primitive, primitive

__all__ = ["array_from_args", "concatenate_args", "make_diagonal", "metadata", "notrace_primitive", "numpy_version"]
__all__ += ["primitive", "where", "wrap_namespace"]

numpy_version = np.__version__


def wrap_namespace(old: Mapping[str, Any], new: dict[str, Any]) -> None:
    """Put the public names of a module into another one, with functions that take tensors.

    NumPy's functions are recorded; of others, a rule must be defined.

    Examples
    --------
    >>> import math
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import defvjp
    >>> from tapegrad.compat.autograd.numpy.numpy_wrapper import wrap_namespace
    >>> wrapped = {}
    >>> wrap_namespace(vars(math), wrapped)
    >>> defvjp(wrapped["sin"], lambda ans, x: lambda g: g * wrapped["cos"](x))
    >>> grad(wrapped["sin"])(0.0)
    np.float64(1.0)
    """
    for name, value in old.items():
        if not name.startswith("_"):
            known = getattr(recorded, name, value) if getattr(np, name, None) is value else None
            new[name] = wrapped(value, known)


def metadata(A: Any) -> tuple[tuple[int, ...], int, Any, bool]:  # noqa: N803 (autograd's name)
    """Return the shape, the number of axes and the dtype of a value, and whether it is complex.

    Examples
    --------
    >>> from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata
    >>> metadata(1.0)
    ((), 0, dtype('float64'), False)
    """
    dtype = A.dtype.dtype if isinstance(A, Value) else np.result_type(A)
    return np.shape(A), np.ndim(A), dtype, dtype.kind == "c"


@one_step
def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:  # noqa: N803 (autograd's name)
    """Return matrices with the last axis of an array on their diagonals, and zeros elsewhere.

    Parameters
    ----------
    D
        An array of shape (..., n).
    offset, axis1, axis2
        The diagonal, which must be the main one, and where the result, of shape (..., n, n), has its last two axes:
        they must be the last ones or, of a single matrix, the first two.

    Raises
    ------
    NotImplementedError
        For other diagonals or axes.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> np.make_diagonal(np.array([1.0, 2.0]))
    array([[1., 0.],
           [0., 2.]])
    """
    if offset != 0 or {axis1 % (np.ndim(D) + 1), axis2 % (np.ndim(D) + 1)} != {np.ndim(D) - 1, np.ndim(D)}:
        raise NotImplementedError(
            f"make_diagonal: only the main diagonal of the last two axes can be made, not offset={offset}, "
            f"axis1={axis1}, axis2={axis2}."
        )
    return np.where(np.eye(np.shape(D)[-1], dtype=bool), np.expand_dims(D, -1), 0.0)


@one_step
def concatenate_args(axis: int, *args: Any) -> Any:
    """Return arrays, given one by one, joined along an axis.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> np.concatenate_args(0, np.ones(2), np.zeros(1))
    array([1., 1., 0.])
    """
    return _concatenate(args, axis)


@one_step
def array_from_args(array_args: Sequence[Any], array_kwargs: Mapping[str, Any], *args: Any) -> Any:
    """Return an array of elements or rows that are given one by one, with more arguments for `numpy.array`.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> np.array_from_args((), {"dtype": np.float32}, 1.0, 2.0)
    array([1., 2.], dtype=float32)
    """
    return _array(list(args), *array_args, **array_kwargs)


_concatenate = wrapped(np.concatenate, recorded.concatenate)
_array = wrapped(np.array, recorded.array)
_where = wrapped(np.where, recorded.where)
_BRANCHES = inspect.signature(lambda x, y: None)


def where(condition: Any, *args: Any, **kwargs: Any) -> Any:
    """Return `numpy.where`; of Python's numbers and lists it is one, not an array.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> np.where(True, 1.0, 2.0), np.where(np.array([True, False]), x=1.0, y=2.0)
    (1.0, array([1., 2.]))
    """
    if not args and not kwargs:
        return _where(condition)
    branches = _BRANCHES.bind(*args, **kwargs).args
    result = _where(condition, *branches)
    if isinstance(result, np.ndarray) and not any([_holds_array(x) for x in (condition, *branches)]):
        return result.tolist()
    return result


def _holds_array(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any([_holds_array(element) for element in x])
    return isinstance(x, (np.ndarray, np.generic, Value))


def __getattr__(name: str) -> Any:
    """Return NumPy's names, as they are in `autograd.numpy`."""
    from tapegrad.compat.autograd import numpy

    return getattr(numpy, name)
