"""A hashable stand-in for a tensor or variable, whose own `==` compares elements."""

from __future__ import annotations

from typing import Generic, TypeVar

from tapegrad._native import Value

__all__ = ["Reference"]

_V = TypeVar("_V", bound=Value)


class Reference(Generic[_V]):
    """The identity of a tensor or variable, to be used in sets and as a key; `deref` gives the object.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(5.0)
    >>> names = {x.ref(): "x"}
    >>> names[x.ref()], x.ref().deref() is x
    ('x', True)
    """

    __slots__ = ("_value",)

    def __init__(self, value: _V) -> None:
        self._value = value

    def deref(self) -> _V:
        """Return the tensor or variable."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return self._value is other._value if isinstance(other, Reference) else NotImplemented

    def __hash__(self) -> int:
        return id(self._value)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._value!r}>"
