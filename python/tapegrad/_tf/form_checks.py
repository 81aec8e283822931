"""TensorFlow's assertions about the shapes and types of tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tapegrad._native import Tensor, Value
from tapegrad._ops.arguments import as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad.dtypes import DType, as_dtype, float32

__all__ = [
    "assert_integer",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_shapes",
    "assert_type",
    "is_numeric_tensor",
]


def assert_rank(x: TensorLike, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError, whose text begins with `message`, unless `x` has `rank` dimensions.

    Parameters
    ----------
    x
        A tensor.
    rank
        A number of dimensions.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_rank([[1.0, 2.0]], 2)
    """
    x, expected = as_tensor(x), as_int(rank)
    _require(x.ndim == expected, message, _must_have(x, f"rank {expected}"))


def assert_rank_at_least(x: TensorLike, rank: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError, whose text begins with `message`, unless `x` has `rank` dimensions or more.

    Parameters
    ----------
    x
        A tensor.
    rank
        A number of dimensions.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_rank_at_least([[1.0, 2.0]], 1)
    """
    x, least = as_tensor(x), as_int(rank)
    _require(x.ndim >= least, message, _must_have(x, f"rank at least {least}"))


def assert_rank_in(x: TensorLike, ranks: Iterable[Any], message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError, whose text begins with `message`, unless the number of dimensions of `x` is among `ranks`.

    Parameters
    ----------
    x
        A tensor.
    ranks
        The numbers of dimensions that are right.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_rank_in([[1.0, 2.0]], (1, 2))
    """
    x, allowed = as_tensor(x), tuple(map(as_int, ranks))
    _require(x.ndim in allowed, message, _must_have(x, f"rank in {allowed}"))


def assert_scalar(tensor: TensorLike, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError, whose text begins with `message`, if `tensor` has dimensions.

    Parameters
    ----------
    tensor
        What to check.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_scalar(1.0)
    """
    tensor = as_tensor(tensor)
    _require(tensor.ndim == 0, message, f"Expected scalar shape, saw shape: {tensor.shape}.")


def _must_have(x: Tensor, what: str) -> str:
    return f"Tensor must have {what}. Received rank {x.ndim}, shape {x.shape}"


def _require(holds: bool, message: str | None, text: str, error: type[Exception] = ValueError) -> None:
    if not holds:
        raise error(f"{message}. {text}" if message else text)


def assert_shapes(
    shapes: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """Raise unless tensors have the given shapes, in which letters stand for sizes that must agree.

    Parameters
    ----------
    shapes
        Pairs of a tensor and its shape: a sequence with an integer, a name (equal names stand for equal sizes), or
        `None` or `"."` (any size) for each axis. A first entry `...` or `"*"` stands for any number of axes. A scalar
        counts as a vector of size 1. A shape `None` allows all.
    message
        What the error begins with.
    data, summarize, name
        Have no effect.

    Raises
    ------
    ValueError
        If a tensor has another shape; the message names it, and where the size comes from.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x, y = tf.ones((4, 2)), tf.ones((4, 3))
    >>> tf.debugging.assert_shapes([(x, ("N", "D")), (y, ("N", 3))])
    """
    pairs = shapes.items() if isinstance(shapes, Mapping) else shapes
    origins: dict[Any, tuple[int, str]] = {}
    for value, shape in pairs:
        if shape is None:
            continue
        x = as_tensor(value)
        described = f"Tensor shape={x.shape} dtype={x.dtype.name}"
        _require(isinstance(shape, Iterable), message, f"{described}. Specified shape must be an iterable: {shape!r}")
        symbols = tuple(shape)
        inner = symbols[:1] in ((...,), ("*",))
        symbols = symbols[1:] if inner else symbols or (1,)
        _require(
            ... not in symbols and "*" not in symbols,
            message,
            f"{described}: `...` or `*` for a variable number of dimensions is only allowed as the first entry",
        )
        sizes = x.shape or (1,)
        fits = len(sizes) >= len(symbols) if inner else len(sizes) == len(symbols)
        _require(fits, message, _must_have(x, f"rank {'at least ' if inner else ''}{len(symbols)}"))
        first = len(sizes) - len(symbols)
        for axis, (symbol, size) in enumerate(zip(symbols, sizes[first:], strict=True), first):
            if symbol is None or symbol == ".":
                continue
            expected, origin = _size(symbol, origins, (size, f"by {described} dimension {axis}"))
            _require(
                expected == size,
                message,
                f"Specified {origin}. {described} dimension {axis} must have size {expected}. "
                f"Received size {size}, shape {x.shape}",
            )


def _size(symbol: Any, origins: dict[Any, tuple[int, str]], here: tuple[int, str]) -> tuple[int, str]:
    """Return the size that a symbol stands for, and what says so: itself, or the place where it was first met."""
    try:
        return int(symbol), "explicitly"
    except (TypeError, ValueError):
        return origins.setdefault(symbol, here)


def assert_type(tensor: TensorLike, tf_type: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise TypeError, whose text begins with `message`, unless `tensor` has the type `tf_type`.

    Parameters
    ----------
    tensor
        What to check.
    tf_type
        The dtype that it must have.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_type(tf.constant(1.0), tf.float32)
    """
    found, expected = as_tensor(tensor).dtype, as_dtype(tf_type)
    _require(found is expected, message, f"tensor must be of type {expected!r}; got {found!r}", TypeError)


def assert_integer(x: TensorLike, message: str | None = None, name: str | None = None) -> None:
    """Raise TypeError, whose text begins with `message`, unless the elements of `x` are integers.

    Parameters
    ----------
    x
        A tensor.
    message
        What the error begins with.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_integer([1, 2])
    """
    found = as_tensor(x).dtype
    _require(found.is_integer, message, f'Expected "x" to be integer type. Found: tensor of dtype {found!r}', TypeError)


def assert_proper_iterable(values: object) -> None:
    """Raise TypeError unless `values` is iterable, and no tensor, array or string.

    Parameters
    ----------
    values
        What to check.

    Raises
    ------
    TypeError
        If it is not.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_proper_iterable([1.0, 2.0])
    """
    if isinstance(values, Value | str | bytes) or hasattr(values, "__array__"):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable. Found: {type(values)}')
    if not isinstance(values, Iterable):
        raise TypeError(f'Expected argument "values" to be iterable. Found: {type(values)}')


def assert_same_float_dtype(tensors: Iterable[TensorLike] | None = None, dtype: Any = None) -> DType:
    """Return the floating type that tensors have in common, and that is `dtype` if it is given; float32 for none.

    Parameters
    ----------
    tensors
        The tensors; `None` for none.
    dtype
        The type that they must have, or `None`.

    Raises
    ------
    ValueError
        If the types differ, or are not floating.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.assert_same_float_dtype([tf.ones(2), tf.constant(1.0)])
    tf.float32
    """
    expected = None if dtype is None else as_dtype(dtype)
    for x in tensors or ():
        found = as_tensor(x).dtype
        if expected is not None and found is not expected:
            raise ValueError(f"{as_tensor(x)}, type={found!r}, must be of the same type ({expected!r}) as the others.")
        expected = found
    if expected is None:
        return float32
    if not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected!r}.")
    return expected


def is_numeric_tensor(tensor: object) -> bool:
    """Return whether `tensor` is a tensor, or a variable, of numbers, and not of bools.

    Parameters
    ----------
    tensor
        Any object.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.debugging.is_numeric_tensor(tf.ones(2)), tf.debugging.is_numeric_tensor(3)
    (True, False)
    """
    return isinstance(tensor, Value) and not tensor.dtype.is_bool
