"""Writing to tensors: `x[key] = value`, and `x.at[key]` for new tensors that differ from `x` in some elements.

A tensor's value never changes. A write records an operation that makes the new value out of the old one, and then lets
the object stand for it, as the statement `x = x.at[key].set(value)` would. What a tape has saved, and other objects
with the old value, stay as they were: unlike an array, a part `y = x[2:]` does not see what is written to `x`, nor the
other way round. A write copies the whole tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._conversion import holds_value
from tapegrad._native import Tensor, Value, VariableSlice, is_watched
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import Operation, TensorLike, linear, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import Selection, getitem, select, selection_of
from tapegrad._ops.scattering import max_at, min_at

__all__ = ["At", "Elements", "add_at", "check_writable", "set_at", "setitem"]


def _set(x: npt.NDArray[Any], value: npt.NDArray[Any], *, at: Selection) -> npt.NDArray[Any]:
    out = x.copy()
    out[at.key] = value
    return out


def _add(x: npt.NDArray[Any], value: npt.NDArray[Any], *, at: Selection) -> npt.NDArray[Any]:
    out = x.copy()
    if at.repeats:
        np.add.at(out, at.key, value)
    else:
        out[at.key] += value
    return out


def _last_ones(g: Tensor, at: Selection) -> Tensor:
    """The cotangent of what was written: of several values for one element the last one stayed."""
    part: Tensor = select(g, at=at)
    if not at.repeats:
        return part
    numbers = np.arange(at.positions.size)
    writer = np.zeros(math.prod(at.shape), np.intp)
    writer[at.positions.reshape(-1)] = numbers
    stayed = (writer[at.positions.reshape(-1)] == numbers).reshape(at.selected)
    return part if stayed.all() else _native.where(stayed, part, np.zeros((), part.dtype.dtype))


_without: Operation = linear(
    "without",
    forward=lambda a, *, at: at.without(a),
    transpose=lambda g, at: _without(g, at=at),
    axes=(),
)
_setitem: Operation = structural(
    "setitem",
    forward=_set,
    x=lambda g, at: _without(g, at=at),
    value=_last_ones,
)
_add_at: Operation = structural(
    "add_at",
    forward=_add,
    x=lambda g: g,
    value=lambda g, at: select(g, at=at),
)


# How far an element's kind reaches: each holds what those before it do.
_RANKS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def setitem(x: Tensor, key: Any, value: TensorLike) -> None:
    """Make `x` the tensor that `set_at` returns: what `x[key] = value` does.

    Raises
    ------
    TypeError
        If `x` is part of a variable, or is itself watched by a tape that records, which could not find the object
        again; or as `set_at` does.
    """
    check_writable(x)
    _native.rebind(x, set_at(x, key, value))


def check_writable(x: Tensor) -> None:
    """Raise TypeError for a tensor that cannot get another value, for the reasons that `setitem` names."""
    if isinstance(x, VariableSlice):
        raise TypeError("A part of a variable is not written to: use `variable[...].assign(value)`.")
    if _native.is_source(x):
        raise TypeError(
            "A tape watches this tensor, and after a write to it the tape's gradient with respect to it would be lost. "
            "Write to a copy, `y = tf.identity(x)`, or make a new tensor: `y = x.at[...].set(value)`."
        )


def set_at(x: Value, key: Any, value: TensorLike) -> Tensor:
    """Return `x` with `value` for the elements at `key`; of several values for one element the last one counts.

    The value is broadcast to what the key selects, and converted to the type of `x`, both as in NumPy.

    Raises
    ------
    TypeError
        If a complex value is written to real elements, or a watched one to elements that have no derivative.
    IndexError
        If an index is out of range.
    ValueError
        If the value cannot be broadcast.
    """
    return _written(_setitem, x, selection_of(x, key), _converted(x, value))


def add_at(x: Value, key: Any, value: TensorLike) -> Tensor:
    """Return `x` with `value` added to the elements at `key`; what meets at one element is summed.

    Errors are those of `set_at`; a value of another kind (floating for integer elements) raises TypeError, too.
    """
    return _written(_add_at, x, selection_of(x, key), _converted(x, value, "add"))


def _written(operation: Operation, x: Value, at: Selection, value: Tensor) -> Tensor:
    """Apply `_setitem` or `_add_at`, to whose value NumPy allows axes of size 1 in front of what is selected."""
    if value.ndim and value.shape[0] == 1 and not all(isinstance(part, int) for part in at.key):
        surplus = value.ndim - len(at.selected)
        if surplus > 0 and value.shape[:surplus] == (1,) * surplus:
            value = _native.reshape(value, value.shape[surplus:])
    result: Tensor = operation(as_tensor(x), value, at=at)
    return result


def _converted(x: Value, value: TensorLike, what: str | None = None) -> Tensor:
    """Return `value` in the type of `x`; if `what` is given, an operation's name, it must be of no further kind."""
    target = x.dtype
    if isinstance(value, list | tuple) and holds_value(value):
        value = _native.tensor(value)
    dtype = value.dtype.dtype if isinstance(value, Value) else np.asarray(value).dtype
    if _RANKS.get(dtype.kind, 0) > _RANKS[target.dtype.kind]:
        if what is not None:
            raise TypeError(f"{what}: the result would be of type {dtype}, which {target.name} elements cannot hold.")
        if dtype.kind == "c":
            raise TypeError(f"Complex values cannot be written to {target.name} elements: write their real part.")
        if is_watched(value):
            raise TypeError(
                f"A watched {dtype} value cannot be written to {target.name} elements: its gradient would be lost. "
                "Convert the tensor with tf.cast first, or write the value's .numpy()."
            )
    if isinstance(value, Value):
        return _native.cast(value, target)
    return _native.own(np.asarray(value, target.dtype))


def _applied(
    x: Value, key: Any, function: Callable[..., TensorLike], values: tuple[TensorLike, ...], what: str
) -> Tensor:
    """Return `x` with `function(elements, *values)` for the elements at `key`, one after the other where they meet."""
    at = selection_of(x, key)
    x = as_tensor(x)
    operands = [_converted(x, value, what) for value in values]
    if not at.repeats:
        return _written(_setitem, x, at, _converted(x, function(select(x, at=at), *operands), what))
    # In turns, each of which changes an element at most once.
    places = at.positions.reshape(-1)
    turns = _turns(places)
    vectors = [_native.reshape(_native.broadcast_to(operand, at.selected), (-1,)) for operand in operands]
    flat = _native.reshape(x, (-1,))
    for turn in range(turns.max(initial=-1) + 1):
        which = np.flatnonzero(turns == turn)
        some = Selection((places[which],), flat.shape, repeats=False)
        new = function(select(flat, at=some), *[_native.take(vector, which) for vector in vectors])
        flat = _written(_setitem, flat, some, _converted(x, new, what))
    return _native.reshape(flat, x.shape)


def _turns(places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return for each number how many equal ones stand before it."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    count = np.arange(places.size)
    starts = np.where(np.append(True, ordered[1:] != ordered[:-1])[: places.size], count, 0)
    turns = np.empty_like(places)
    turns[order] = count - np.maximum.accumulate(starts)
    return turns


class At:
    """What `x.at` is: `x.at[key]` names elements of `x`, for which a new tensor is to have other values."""

    __slots__ = ("_x",)

    def __init__(self, x: Value) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Elements:
        return Elements(self._x, key)


class Elements:
    """Elements of a tensor; each method returns a new tensor, in which they are changed.

    Where the key names an element several times, `set` takes the last value, and all others apply every one, in their
    order. Values are broadcast to what the key selects and converted to the tensor's type. A value of another kind
    (floating for integers, complex for real numbers) raises TypeError, except that `set` cuts floating numbers off, as
    assignment does.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant([1.0, 2.0, 3.0])
    >>> x.at[1:].set(0.0).numpy().tolist(), x.at[[0, 0]].add(1.0).numpy().tolist()
    ([1.0, 0.0, 0.0], [3.0, 2.0, 3.0])
    >>> x.at[x > 1.5].multiply(10.0).numpy().tolist()
    [1.0, 20.0, 30.0]
    """

    __slots__ = ("_key", "_x")

    def __init__(self, x: Value, key: Any) -> None:
        self._x = x
        self._key = key

    def get(self) -> Tensor:
        """Return the elements: `x[key]`."""
        return getitem(self._x, self._key)

    def set(self, value: TensorLike) -> Tensor:
        """Return the tensor with `value` for the elements."""
        return set_at(self._x, self._key, value)

    def add(self, value: TensorLike) -> Tensor:
        """Return the tensor with `value` added to the elements."""
        return add_at(self._x, self._key, value)

    def subtract(self, value: TensorLike) -> Tensor:
        """Return the tensor with `value` subtracted from the elements."""
        return add_at(self._x, self._key, elementwise.negative(_converted(self._x, value, "subtract")))

    def multiply(self, value: TensorLike) -> Tensor:
        """Return the tensor with the elements multiplied by `value`."""
        return _applied(self._x, self._key, elementwise.multiply, (value,), "multiply")

    def divide(self, value: TensorLike) -> Tensor:
        """Return the tensor with the elements divided by `value`."""
        return _applied(self._x, self._key, elementwise.divide, (value,), "divide")

    def power(self, value: TensorLike) -> Tensor:
        """Return the tensor with the elements raised to `value`."""
        return _applied(self._x, self._key, elementwise.power, (value,), "power")

    def min(self, value: TensorLike) -> Tensor:
        """Return the tensor with the elements, or `value` where that is less."""
        return min_at(self._x, selection_of(self._x, self._key), _converted(self._x, value, "min"))

    def max(self, value: TensorLike) -> Tensor:
        """Return the tensor with the elements, or `value` where that is greater."""
        return max_at(self._x, selection_of(self._x, self._key), _converted(self._x, value, "max"))

    def apply(self, function: Callable[[Tensor], TensorLike]) -> Tensor:
        """Return the tensor with `function(element)` for the elements; it is given many of them at once."""
        return _applied(self._x, self._key, function, (), "apply")
