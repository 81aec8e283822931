"""`IndexedSlices`: a tensor that is zero but for some of its rows, as the gradient of a gather or an embedding is.

Only those rows are kept: a table of a million rows of which a batch has read fifty has a gradient of fifty rows.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, Value, array
from tapegrad._ops.arguments import as_shape, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import index_add
from tapegrad._ops.writing import add_at
from tapegrad.dtypes import DType

__all__ = ["IndexedSlices", "combined"]


class IndexedSlices:
    """Rows of a tensor that is zero elsewhere: `dense[indices[k]] += values[k]` for all k.

    A row may be named several times; it is the sum. Wherever a tensor is taken, the slices are converted to the whole
    tensor; negation and multiplication by a number keep them as they are, and the sum of two lists of slices is one
    after the other.

    Parameters
    ----------
    values
        The rows, of shape `[n, ...]`.
    indices
        Their numbers: n integers.
    dense_shape
        The shape of the whole tensor. Without it the slices cannot be converted.

    Raises
    ------
    TypeError
        If the indices are not integers.
    ValueError
        If indices and rows are not equally many, or the rows do not fit the shape.

    Examples
    --------
    >>> import tapegrad as tf
    >>> slices = tf.IndexedSlices([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [2, 0, 2], dense_shape=[4, 2])
    >>> tf.convert_to_tensor(slices).numpy().tolist()
    [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [0.0, 0.0]]
    """

    __slots__ = ("_indices", "_shape", "_values")

    # NumPy's arrays and scalars leave operators with slices to the methods below.
    __array_ufunc__ = None

    def __init__(self, values: TensorLike, indices: TensorLike, dense_shape: Any = None) -> None:
        self._values = as_tensor(values)
        self._indices = as_tensor(indices)
        self._shape = None if dense_shape is None else as_shape(dense_shape)
        if not self._indices.dtype.is_integer:
            raise TypeError(f"IndexedSlices: the indices must be integers, not {self._indices.dtype.name}.")
        if self._indices.ndim != 1 or self._values.shape[:1] != self._indices.shape:
            raise ValueError(
                f"IndexedSlices: indices of shape {self._indices.shape} do not number the rows of values of shape "
                f"{self._values.shape}."
            )
        if self._shape is not None and self._shape[1:] != self._values.shape[1:]:
            raise ValueError(
                f"IndexedSlices: values of shape {self._values.shape} are no rows of a tensor of shape {self._shape}."
            )

    @property
    def values(self) -> Tensor:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """The rows' numbers."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the whole tensor as a tensor of integers, if it is known."""
        return None if self._shape is None else _native.own(np.array(self._shape, np.int64))

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of the whole tensor as a tuple, if it is known."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._values.dtype

    def to_dense(self) -> Tensor:
        """Return the whole tensor; gradients flow to the rows."""
        if self._shape is None:
            raise ValueError("IndexedSlices without a dense_shape cannot be converted to a tensor: give the shape.")
        return index_add(self._values, (self._indices,), self._shape)

    def deduplicated(self) -> IndexedSlices:
        """Return the slices in order, those of the same row summed up."""
        rows, places = np.unique(array(self._indices), return_inverse=True)
        if rows.size == places.size and np.array_equal(rows, array(self._indices)):
            return self
        sums = index_add(self._values, (places,), (rows.size, *self._values.shape[1:]))
        return IndexedSlices(sums, _native.own(rows), self._shape)

    def with_values(self, values: TensorLike) -> IndexedSlices:
        """Return other values for the same rows."""
        return IndexedSlices(values, self._indices, self._shape)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("IndexedSlices become an array by a copy only.")
        return np.asarray(self.to_dense(), dtype=dtype)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self._indices}, values={self._values}, dense_shape={self._shape})"

    def __neg__(self) -> IndexedSlices:
        return self.with_values(elementwise.negative(self._values))

    def __mul__(self, other: TensorLike | IndexedSlices) -> Tensor | IndexedSlices:
        if _is_number(other):
            return self.with_values(elementwise.multiply(self._values, other))
        return elementwise.multiply(self.to_dense(), _dense(other))

    __rmul__ = __mul__

    def __truediv__(self, other: TensorLike | IndexedSlices) -> Tensor | IndexedSlices:
        if _is_number(other):
            return self.with_values(elementwise.divide(self._values, other))
        return elementwise.divide(self.to_dense(), _dense(other))

    def __add__(self, other: TensorLike | IndexedSlices) -> Tensor | IndexedSlices:
        if isinstance(other, IndexedSlices):
            return combined(self, other)
        other = as_tensor(other)
        return combined(self, other) if other.shape == self.shape else elementwise.add(self.to_dense(), other)

    __radd__ = __add__

    def __sub__(self, other: TensorLike | IndexedSlices) -> Tensor | IndexedSlices:
        return self + (-other if isinstance(other, IndexedSlices) else elementwise.negative(other))

    def __rsub__(self, other: TensorLike) -> Tensor | IndexedSlices:
        return -self + other


def combined(*cotangents: Tensor | IndexedSlices) -> Tensor | IndexedSlices:
    """Return the sum of one cotangent or more: slices only if all are. Slices are joined once, however many there are.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    shape = next((x.shape for x in cotangents if x.shape is not None), None)
    for x in cotangents:
        if x.shape is not None and x.shape != shape:
            raise ValueError(f"Slices of a tensor of shape {shape} cannot be added to shape {x.shape}.")
    slices = [x for x in cotangents if isinstance(x, IndexedSlices)]
    dense = [x for x in cotangents if not isinstance(x, IndexedSlices)]
    if not slices:
        return functools.reduce(elementwise.add, dense)
    joined = slices[0]
    if len(slices) > 1:
        places = _native.own(np.concatenate([array(x.indices) for x in slices]))
        joined = IndexedSlices(_native.concatenate([x.values for x in slices]), places, shape)
    if not dense:
        return joined
    total = functools.reduce(elementwise.add, dense)
    dtype = np.promote_types(total.dtype.dtype, joined.values.dtype.dtype)
    return add_at(_native.cast(total, dtype), joined.indices, joined.values)


def _is_number(x: Any) -> bool:
    """Whether x is a number, or a value without dimensions."""
    if isinstance(x, Value | np.ndarray):
        return x.ndim == 0
    return isinstance(x, int | float | complex | np.generic)


def _dense(x: TensorLike | IndexedSlices) -> TensorLike:
    return x.to_dense() if isinstance(x, IndexedSlices) else x
