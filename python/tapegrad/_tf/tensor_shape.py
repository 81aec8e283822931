"""`TensorShape`: a shape in which sizes, or even their number, may be unknown.

The shapes of tensors are plain tuples. This class is for what programs say about shapes: specifications, checks and
arguments. Wherever a shape is expected, a fully defined `TensorShape` can be given.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, SupportsIndex, overload

from tapegrad._native import Value, array

__all__ = ["TensorShape"]

_Dims = tuple[int | None, ...]


class TensorShape:
    """The sizes of a tensor's axes, `None` where one is unknown; `TensorShape(None)` has an unknown number of them.

    Parameters
    ----------
    dims
        A sequence of sizes (`None` for an unknown one), one size, another `TensorShape`, or `None`.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size is negative.

    Notes
    -----
    A shape equals the tuples and lists of its sizes; `TensorShape(None)` equals only itself and `None`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> batch = tf.TensorShape([None, 3])
    >>> batch, batch.rank, batch[1], batch.is_compatible_with((8, 3))
    (TensorShape([None, 3]), 2, 3, True)
    >>> batch.merge_with([8, None]) == (8, 3)
    True
    """

    __slots__ = ("_dims",)

    _dims: _Dims | None

    def __init__(self, dims: Any) -> None:
        if dims is None:
            self._dims = None
        elif isinstance(dims, TensorShape):
            self._dims = dims._dims
        else:
            if isinstance(dims, Value):
                dims = array(dims).tolist()
            sizes = dims if isinstance(dims, Iterable) and not isinstance(dims, str) else (dims,)
            self._dims = tuple([_as_size(size) for size in sizes])

    @property
    def rank(self) -> int | None:
        """The number of axes, `None` if it is unknown."""
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        """The same as `rank`."""
        return self.rank

    @property
    def dims(self) -> list[int | None] | None:
        """The sizes, `None` if their number is unknown."""
        return None if self._dims is None else list(self._dims)

    def as_list(self) -> list[int | None]:
        """Return the sizes; raise ValueError if their number is unknown."""
        return list(self._known("as_list() is not defined on an unknown TensorShape."))

    def num_elements(self) -> int | None:
        """Return the product of the sizes, `None` unless all are known."""
        dims = self._dims
        return None if dims is None or None in dims else math.prod(size for size in dims if size is not None)

    def is_fully_defined(self) -> bool:
        """Return whether all sizes are known."""
        return self._dims is not None and None not in self._dims

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether there are shapes that both this and `other` describe."""
        theirs = TensorShape(other)._dims
        if self._dims is None or theirs is None:
            return True
        return len(self._dims) == len(theirs) and all(
            a is None or b is None or a == b for a, b in zip(self._dims, theirs, strict=True)
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Return whether `other` describes all shapes that this one describes."""
        theirs = TensorShape(other)._dims
        if theirs is None or self._dims is None:
            return theirs is None
        return len(self._dims) == len(theirs) and all(
            b is None or a == b for a, b in zip(self._dims, theirs, strict=True)
        )

    def merge_with(self, other: Any) -> TensorShape:
        """Return the shape that knows what this and `other` know; raise ValueError if they contradict."""
        theirs = TensorShape(other)
        if not self.is_compatible_with(theirs):
            raise ValueError(f"Shapes {self} and {theirs} are not compatible")
        if self._dims is None or theirs._dims is None:
            return theirs if self._dims is None else self
        return TensorShape([b if a is None else a for a, b in zip(self._dims, theirs._dims, strict=True)])

    def most_specific_compatible_shape(self, other: Any) -> TensorShape:
        """Return the shape that knows what this and `other` agree on."""
        theirs = TensorShape(other)._dims
        if self._dims is None or theirs is None or len(self._dims) != len(theirs):
            return TensorShape(None)
        return TensorShape([a if a == b else None for a, b in zip(self._dims, theirs, strict=True)])

    def concatenate(self, other: Any) -> TensorShape:
        """Return the axes of this shape followed by those of `other`."""
        theirs = TensorShape(other)._dims
        return TensorShape(None if self._dims is None or theirs is None else self._dims + theirs)

    def with_rank(self, rank: int) -> TensorShape:
        """Return this shape if it has `rank` axes, or may have; raise ValueError otherwise."""
        if self._dims is None:
            return TensorShape([None] * rank)
        return self._checked(len(self._dims) == rank, f"must have rank {rank}")

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Return this shape if it has, or may have, `rank` axes or more; raise ValueError otherwise."""
        return self._checked(self._dims is None or len(self._dims) >= rank, f"must have rank at least {rank}")

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Return this shape if it has, or may have, no more than `rank` axes; raise ValueError otherwise."""
        return self._checked(self._dims is None or len(self._dims) <= rank, f"must have rank at most {rank}")

    def assert_has_rank(self, rank: int) -> None:
        """Raise ValueError if this shape cannot have `rank` axes."""
        self._checked(self.rank in (None, rank), f"must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        """Raise ValueError if this and `other` cannot have the same number of axes."""
        theirs = TensorShape(other)
        if None not in (self.rank, theirs.rank) and self.rank != theirs.rank:
            raise ValueError(f"Shapes {self} and {theirs} must have the same rank")

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless `is_compatible_with(other)`."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible")

    def assert_is_fully_defined(self) -> None:
        """Raise ValueError unless all sizes are known."""
        self._checked(self.is_fully_defined(), "is not fully defined")

    def _known(self, message: str) -> _Dims:
        if self._dims is None:
            raise ValueError(message)
        return self._dims

    def _checked(self, holds: bool, message: str) -> TensorShape:
        if not holds:
            raise ValueError(f"Shape {self} {message}")
        return self

    def __len__(self) -> int:
        return len(self._known("Cannot take the length of shape with unknown rank."))

    def __bool__(self) -> bool:
        return self._dims is not None

    def __iter__(self) -> Iterator[int | None]:
        return iter(self._known("Cannot iterate over a shape with unknown rank."))

    @overload
    def __getitem__(self, key: SupportsIndex) -> int | None: ...
    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...
    def __getitem__(self, key: SupportsIndex | slice) -> int | TensorShape | None:
        if isinstance(key, slice):
            return TensorShape(_of_unknown(key) if self._dims is None else self._dims[key])
        return None if self._dims is None else self._dims[key]

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        try:
            return self._dims == TensorShape(other)._dims
        except (TypeError, ValueError):
            return False

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self) -> str:
        return "<unknown>" if self._dims is None else str(self._dims)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[_Dims | None]]:
        return TensorShape, (self._dims,)


def _as_size(size: Any) -> int | None:
    if size is None:
        return None
    try:
        number = operator.index(size)
    except TypeError:
        raise TypeError(f"Dimension value must be integer or None, got {size!r} of type {type(size)}.") from None
    if number < 0:
        raise ValueError(f"Dimension {number} must be >= 0")
    return number


def _of_unknown(key: slice) -> list[None] | None:
    """Return the sizes of a slice of an unknown shape: known in number only if it counts from the front."""
    start, stop, step = key.start or 0, key.stop, key.step
    if stop is None or start < 0 or stop < 0 or step not in (None, 1):
        return None
    return [None] * max(stop - start, 0)
