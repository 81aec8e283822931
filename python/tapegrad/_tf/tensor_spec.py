"""`TensorSpec`: the shape and type of a tensor, without its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad._native import Tensor
from tapegrad._tf.tensor_shape import TensorShape
from tapegrad.dtypes import DType, as_dtype, float32

__all__ = ["TensorSpec"]


class TensorSpec:
    """What a program says about a tensor: its shape, possibly with unknown sizes, and its type.

    Parameters
    ----------
    shape
        What `TensorShape` takes.
    dtype
        The type of the elements.
    name
        A name to print.

    Examples
    --------
    >>> import tapegrad as tf
    >>> spec = tf.TensorSpec([None, 2])
    >>> spec
    TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)
    >>> spec.is_compatible_with(tf.ones((5, 2))), spec.is_compatible_with(tf.ones(2))
    (True, False)
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @classmethod
    def from_spec(cls, spec: TensorSpec, name: str | None = None) -> TensorSpec:
        """Return a copy of `spec`, under the name `name` if that is given."""
        return cls(spec.shape, spec.dtype, name or spec.name)

    @classmethod
    def from_tensor(cls, tensor: Tensor, name: str | None = None) -> TensorSpec:
        """Return what describes `tensor`; raise ValueError for anything else."""
        if not isinstance(tensor, Tensor):
            raise ValueError(f"`tensor` should be a tf.Tensor, but got type {type(tensor)}.")
        return cls(tensor.shape, tensor.dtype, name)

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name given to the constructor."""
        return self._name

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Return whether a tensor is, or another specification may be, of this shape and type."""
        return (
            isinstance(spec_or_tensor, TensorSpec | Tensor)
            and self._dtype is spec_or_tensor.dtype
            and self._shape.is_compatible_with(spec_or_tensor.shape)
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Return whether every tensor of this specification is one of `other`'s."""
        return isinstance(other, TensorSpec) and self._dtype is other.dtype and self._shape.is_subtype_of(other.shape)

    def most_specific_compatible_type(self, other: TensorSpec) -> TensorSpec:
        """Return what this and `other` agree on; raise ValueError if the types differ."""
        if self._dtype is not other.dtype:
            raise ValueError(f"No TensorSpec is compatible with both {self} and {other}")
        return TensorSpec(self._shape.most_specific_compatible_shape(other.shape), self._dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[TensorShape, DType, str | None]:
        return self._shape, self._dtype, self._name

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return TensorSpec, self._key()
