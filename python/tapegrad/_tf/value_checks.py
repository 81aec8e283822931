"""TensorFlow's assertions about the elements of tensors, and the check that numbers are finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Tensor, array
from tapegrad._ops import checks
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad.errors import InvalidArgumentError

__all__ = [
    "Assert",
    "assert_all_finite",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "check_numerics",
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
        shown = "\n".join([_listed(x, 3 if summarize is None else summarize) for x in data])
        raise InvalidArgumentError(f"Expected '{condition!s}' to be true. Summarized data: {shown}")


def _listed(x: Any, count: int) -> str:
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
    """Raise unless `x != y` for all elements; the parameters are those of `assert_equal` but for their order.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_none_equal([1, 2], 0)
    """
    _compare("!=", np.not_equal, x, y, message, summarize)


def assert_less(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x < y`, elementwise; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_less([1, 2], 3)
    """
    _compare("<", np.less, x, y, message, summarize)


def assert_less_equal(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x <= y`, elementwise; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_less_equal([1, 2], 2)
    """
    _compare("<=", np.less_equal, x, y, message, summarize)


def assert_greater(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x > y`, elementwise; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_greater([1, 2], 0)
    """
    _compare(">", np.greater, x, y, message, summarize)


def assert_greater_equal(
    x: TensorLike, y: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x >= y`, elementwise; the parameters are those of `assert_equal`.

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
    raise _failure(message, *lines)


def _arrays(x: TensorLike, y: TensorLike, message: str | None) -> tuple[_Array, _Array]:
    left, right = array(as_tensor(x)), array(as_tensor(y))
    try:
        np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise _failure(message, f"Incompatible shapes: {left.shape} vs. {right.shape}") from None
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
    lines += [f"{label} ({_kind(values)}) = {_listed(values, count)}" for label, values in (("x", left), ("y", right))]
    raise _failure(message, *lines)


def assert_positive(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x > 0` for all elements; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_positive([1.0, 2.0])
    """
    _compare_with_zero(">", np.greater, x, message, summarize)


def assert_negative(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x < 0` for all elements; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_negative([-1.0, -2.0])
    """
    _compare_with_zero("<", np.less, x, message, summarize)


def assert_non_negative(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x >= 0` for all elements; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_non_negative([0.0, 2.0])
    """
    _compare_with_zero(">=", np.greater_equal, x, message, summarize)


def assert_non_positive(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x <= 0` for all elements; the parameters are those of `assert_equal`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_non_positive([0.0, -2.0])
    """
    _compare_with_zero("<=", np.less_equal, x, message, summarize)


def _compare_with_zero(symbol: str, holds: np.ufunc, x: TensorLike, message: str | None, summarize: int | None) -> None:
    values = array(as_tensor(x))
    if np.all(holds(values, 0)):
        return
    shown = _listed(values, 3 if summarize is None else summarize)
    raise _failure(message, f"Condition x {symbol} 0 did not hold element-wise:", f"x ({_kind(values)}) = {shown}")


def _failure(message: str | None, *lines: str) -> InvalidArgumentError:
    """Return the error with these lines, after the user's message if there is one."""
    text = "\n".join(lines)
    return InvalidArgumentError(f"{message}\n{text}" if message else text)


def _kind(values: _Array) -> str:
    return f"shape={values.shape} dtype={values.dtype}"


def check_numerics(tensor: TensorLike, message: str, name: str | None = None) -> Tensor:
    """Return `tensor`, and raise if an element of it, or later of its gradient, is NaN or infinite.

    Raises
    ------
    InvalidArgumentError
        Which begins with `message`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.check_numerics([1.0, 2.0], "the loss").numpy().tolist()
    [1.0, 2.0]
    >>> tf.debugging.check_numerics([1.0, float("nan")], "the loss")
    Traceback (most recent call last):
    ...
    tapegrad.errors.InvalidArgumentError: the loss : Tensor had NaN values ...
    """
    return checks.check_numerics(tensor, message)


def assert_all_finite(x: TensorLike, message: str, name: str | None = None) -> Tensor:
    """Return `x`, and raise if an element of it, or later of its gradient, is NaN or infinite: `check_numerics`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_all_finite([1.0, 2.0], "the loss").numpy().tolist()
    [1.0, 2.0]
    """
    return checks.check_numerics(x, message)
