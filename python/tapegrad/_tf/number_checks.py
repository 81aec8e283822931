"""TensorFlow's assertions about numbers by themselves: their sign, and that they are finite."""

from __future__ import annotations

import numpy as np

from tapegrad._native import Tensor, array
from tapegrad._ops import checks
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._tf.value_checks import failure, form, listed

__all__ = [
    "assert_all_finite",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_positive",
    "check_numerics",
]


def assert_positive(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x > 0` for all elements.

    Parameters
    ----------
    x
        A real tensor.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_positive([1.0, 2.0])
    """
    _compare_with_zero(">", np.greater, x, message, summarize)


def assert_negative(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x < 0` for all elements.

    Parameters
    ----------
    x
        A real tensor.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_negative([-1.0, -2.0])
    """
    _compare_with_zero("<", np.less, x, message, summarize)


def assert_non_negative(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x >= 0` for all elements.

    Parameters
    ----------
    x
        A real tensor.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_non_negative([0.0, 2.0])
    """
    _compare_with_zero(">=", np.greater_equal, x, message, summarize)


def assert_non_positive(
    x: TensorLike, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless `x <= 0` for all elements.

    Parameters
    ----------
    x
        A real tensor.
    message
        What the error begins with.
    summarize
        How many elements the error shows, 3 by default.
    name
        Has no effect.

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
    shown = listed(values, 3 if summarize is None else summarize)
    raise failure(message, f"Condition x {symbol} 0 did not hold element-wise:", f"x ({form(values)}) = {shown}")


def check_numerics(tensor: TensorLike, message: str, name: str | None = None) -> Tensor:
    """Return `tensor`, and raise if an element of it, or later of its gradient, is NaN or infinite.

    Parameters
    ----------
    tensor
        A floating or complex tensor.
    message
        What the error begins with.
    name
        Has no effect.

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

    Parameters
    ----------
    x
        A floating or complex tensor.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_all_finite([1.0, 2.0], "the loss").numpy().tolist()
    [1.0, 2.0]
    """
    return checks.check_numerics(x, message)
