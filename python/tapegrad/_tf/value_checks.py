"""TensorFlow's assertions that compare the elements of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import array
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad.errors import InvalidArgumentError

__all__ = [
    "Assert",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_none_equal",
]

_Array = npt.NDArray[Any]


def Assert(  # noqa: N802
    condition: TensorLike, data: Sequence[Any], summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless all elements of `condition` are true; the error shows `data`.

    Parameters
    ----------
    condition
        A bool, or a tensor of them.
    data
        A list of tensors and other objects to show.
    summarize
        How many elements of each tensor to show, 3 by default.
    name
        Has no effect.

    Raises
    ------
    InvalidArgumentError
        If an element is false.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.Assert(tf.reduce_all(tf.constant([1.0, 2.0]) > 0.0), ["not positive"])
    """
    if not np.all(array(as_tensor(condition))):
        shown = "\n".join([listed(x, 3 if summarize is None else summarize) for x in data])
        raise InvalidArgumentError(f"Expected '{condition!s}' to be true. Summarized data: {shown}")


def listed(x: Any, count: int) -> str:
    if isinstance(x, str):
        return x
    values = array(as_tensor(x)).ravel()
    return ", ".join([*map(str, values[:count]), *(["..."] if values.size > count else [])])


def assert_equal(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x == y`, elementwise with broadcasting.

    Parameters
    ----------
    x, y
        What to compare.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Raises
    ------
    InvalidArgumentError
        If an element differs, or the shapes cannot be broadcast.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_equal([1, 2], [1, 2])
    """
    _compare("==", np.equal, x, y, message, summarize)


def assert_none_equal(
    x: TensorLike, y: TensorLike, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """Raise unless `x != y` for all elements.

    Parameters
    ----------
    x, y
        Tensors, which are broadcast.
    summarize
        How many elements the error shows, 3 by default.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_none_equal([1, 2], 0)
    """
    _compare("!=", np.not_equal, x, y, message, summarize)


def assert_less(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x < y`, elementwise.

    Parameters
    ----------
    x, y
        Real tensors, which are broadcast.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_less([1, 2], 3)
    """
    _compare("<", np.less, x, y, message, summarize)


def assert_less_equal(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x <= y`, elementwise.

    Parameters
    ----------
    x, y
        Real tensors, which are broadcast.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_less_equal([1, 2], 2)
    """
    _compare("<=", np.less_equal, x, y, message, summarize)


def assert_greater(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x > y`, elementwise.

    Parameters
    ----------
    x, y
        Real tensors, which are broadcast.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_greater([1, 2], 0)
    """
    _compare(">", np.greater, x, y, message, summarize)


def assert_greater_equal(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x >= y`, elementwise.

    Parameters
    ----------
    x, y
        Real tensors, which are broadcast.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_greater_equal([1, 2], 1)
    """
    _compare(">=", np.greater_equal, x, y, message, summarize)


def _compare(
    symbol: str, holds: np.ufunc, x: TensorLike, y: TensorLike, message: str | None, summarize: int | None
) -> None:
    left, right = _arrays(x, y, message)
    result: _Array = np.asarray(holds(left, right))
    if result.all():
        return
    count = 3 if summarize is None else summarize
    lines = [f"Condition x {symbol} y did not hold."]
    if left.shape == right.shape:
        places = np.argwhere(~result)[:count]
        lines += [
            f"Indices of first {len(places)} different values:\n{places}",
            f"Corresponding x values:\n{left[~result][:count]}",
            f"Corresponding y values:\n{right[~result][:count]}",
        ]
    for name, values in (("x", left), ("y", right)):
        shown = values.ravel()[:count]
        lines.append(f"First {len(shown)} elements of {name}:\n{shown}")
    raise failure(message, *lines)


def _arrays(x: TensorLike, y: TensorLike, message: str | None) -> tuple[_Array, _Array]:
    left, right = array(as_tensor(x)), array(as_tensor(y))
    try:
        np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise failure(message, f"Incompatible shapes: {left.shape} vs. {right.shape}") from None
    return left, right


def assert_near(
    x: TensorLike,
    y: TensorLike,
    rtol: TensorLike | None = None,
    atol: TensorLike | None = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raise unless `abs(x - y) <= atol + rtol * abs(y)`, elementwise.

    Parameters
    ----------
    x, y
        What to compare.
    rtol, atol
        The tolerances; by default ten times the machine epsilon of the operands' type.
    message, summarize, name
        As for `assert_equal`.

    Raises
    ------
    InvalidArgumentError
        If an element is too far away, or the shapes cannot be broadcast.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_near(tf.constant([1.0]), tf.constant([1.0000001]))
    """
    left, right = _arrays(x, y, message)
    kind = np.result_type(left, right)
    tolerance = 10 * np.finfo(kind).eps if kind.kind in "fc" else 0
    relative, absolute = [tolerance if given is None else array(as_tensor(given)) for given in (rtol, atol)]
    # Unsigned integers would wrap around; infinities are equal, though their difference is nan.
    wide = np.result_type(kind, np.int64) if kind.kind in "biu" else kind
    with np.errstate(invalid="ignore"):
        difference = np.abs(np.subtract(left, right, dtype=wide))
    if np.all((difference <= absolute + relative * np.abs(right)) | (left == right)):
        return
    count = 3 if summarize is None else summarize
    lines = [f"x and y not equal to tolerance rtol = {relative}, atol = {absolute}"]
    lines += [f"{label} ({form(values)}) = {listed(values, count)}" for label, values in (("x", left), ("y", right))]
    raise failure(message, *lines)


def failure(message: str | None, *lines: str) -> InvalidArgumentError:
    """Return the error with these lines, after the user's message if there is one."""
    text = "\n".join(lines)
    return InvalidArgumentError(f"{message}\n{text}" if message else text)


def form(values: _Array) -> str:
    return f"shape={values.shape} dtype={values.dtype}"
