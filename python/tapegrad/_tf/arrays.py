"""TensorFlow's names for shapes, joining, indexing and sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import gathering, indexing, joining, padding, shaping, sorting
from tapegrad._ops.arguments import as_axis, as_int, as_shape, as_tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import TensorLike
from tapegrad.dtypes import as_dtype, int32

__all__ = [
    "argsort",
    "boolean_mask",
    "broadcast_to",
    "concat",
    "expand_dims",
    "gather",
    "gather_nd",
    "pad",
    "rank",
    "repeat",
    "reshape",
    "reverse",
    "roll",
    "scatter_nd",
    "shape",
    "size",
    "sort",
    "split",
    "squeeze",
    "stack",
    "tile",
    "top_k",
    "transpose",
    "unstack",
    "where",
]


def shape(input: TensorLike, out_type: Any = int32, name: str | None = None) -> Tensor:
    """Return the shape of `input` as an integer vector; `input.shape` is the tuple."""
    return _native.own(np.array(as_tensor(input).shape, as_dtype(out_type).dtype))


def size(input: TensorLike, out_type: Any = int32, name: str | None = None) -> Tensor:
    """Return the number of elements of `input`."""
    return _native.own(np.array(as_tensor(input).size, as_dtype(out_type).dtype))


def rank(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the number of dimensions of `input`."""
    return _native.own(np.array(as_tensor(input).ndim, np.int32))


def reshape(tensor: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return `tensor` with another shape of the same size; one entry may be -1 and follows from the size.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reshape(tf.range(6), [-1, 3]).shape
    (2, 3)
    """
    return shaping.reshape(tensor, shape)


def transpose(a: TensorLike, perm: Any = None, conjugate: bool = False, name: str | None = "transpose") -> Tensor:
    """Return `a` with its axes reversed, or permuted: axis k of the result is axis `perm[k]` of `a`."""
    result = shaping.transpose(a, perm)
    return _conjugate(result) if conjugate else result


_conjugate = conjugate  # the name is a parameter above


def squeeze(input: TensorLike, axis: Any = None, name: str | None = None) -> Tensor:
    """Return `input` without its axes of size 1, or without those that `axis` names."""
    return shaping.squeeze(input, axis)


def expand_dims(input: TensorLike, axis: Any, name: str | None = None) -> Tensor:
    """Return `input` with a new axis of size 1 at position `axis`."""
    return shaping.expand_dims(input, as_int(axis))


def broadcast_to(input: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return `input` repeated to `shape` by NumPy's broadcasting rules."""
    return shaping.broadcast_to(input, shape)


def tile(input: TensorLike, multiples: Any, name: str | None = None) -> Tensor:
    """Return `input` repeated `multiples[k]` times along axis k."""
    x, counts = as_tensor(input), as_shape(multiples)
    if len(counts) != x.ndim:
        raise ValueError(f"tile: multiples {counts} must have one number per axis of a tensor of shape {x.shape}.")
    return shaping.tile(x, counts)


def repeat(input: TensorLike, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Return `input` with element k along `axis` repeated `repeats` (or `repeats[k]`) times.

    Without `axis` the elements are those of `input` as a vector.
    """
    return shaping.repeat(input, repeats, axis)


def reverse(tensor: TensorLike, axis: Any, name: str | None = None) -> Tensor:
    """Return `tensor` in reverse order along each of the axes in the list `axis`."""
    return shaping.flip(tensor, as_shape(axis))


def roll(input: TensorLike, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return `input` shifted circularly by `shift` places along `axis`."""
    return shaping.roll(input, shift, axis)


def pad(
    tensor: TensorLike,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: TensorLike = 0,
    name: str | None = None,
) -> Tensor:
    """Return `tensor` with elements added around it.

    Parameters
    ----------
    tensor
        The tensor to extend.
    paddings
        One pair (before, after) per axis.
    mode
        `"CONSTANT"`, `"REFLECT"` (mirrored at the edge element) or `"SYMMETRIC"` (mirrored beside it).
    constant_values
        The number that the mode `"CONSTANT"` adds.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.pad([1, 2, 3], [[2, 1]], "REFLECT").numpy().tolist()
    [3, 2, 1, 2, 3, 2]
    """
    return padding.pad(tensor, paddings, mode.lower(), constant_values)


def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """Return the tensors joined along an existing axis."""
    if not isinstance(values, list | tuple):
        return as_tensor(values)
    return joining.concatenate(values, axis)


def stack(values: Sequence[TensorLike], axis: Any = 0, name: str | None = "stack") -> Tensor:
    """Return the tensors, which have one shape, joined along a new axis."""
    return joining.stack(values, axis)


def unstack(value: TensorLike, num: int | None = None, axis: Any = 0, name: str | None = "unstack") -> list[Tensor]:
    """Return the slices of `value` along `axis`, without that axis; `num` checks how many there are."""
    value = as_tensor(value)
    parts = joining.unstack(value, axis)
    if num is not None and num != len(parts):
        raise ValueError(f"unstack: axis {axis} of a tensor of shape {value.shape} has {len(parts)} slices, not {num}.")
    return parts


def split(
    value: TensorLike,
    num_or_size_splits: Any,
    axis: Any = 0,
    num: int | None = None,
    name: str | None = "split",
) -> list[Tensor]:
    """Return the pieces of `value` along `axis`.

    Parameters
    ----------
    value
        The tensor to split.
    num_or_size_splits
        How many equal pieces, or a list of their sizes, one of which may be -1 for what is left.
    axis
        The axis to split along.
    num
        Checks how many pieces there are.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [part.shape for part in tf.split(tf.zeros((4, 6)), [2, -1], axis=1)]
    [(4, 2), (4, 4)]
    """
    value = as_tensor(value)
    if np.ndim(num_or_size_splits) == 0:
        parts = joining.split(value, as_int(num_or_size_splits), axis)
    else:
        total = value.shape[as_axis(axis, value.ndim, "split")]
        sizes = list(as_shape(num_or_size_splits))
        if sizes.count(-1) == 1:
            sizes[sizes.index(-1)] = total - (sum(sizes) + 1)
        if sum(sizes) != total or min(sizes, default=0) < 0:
            raise ValueError(
                f"split: pieces of {list(as_shape(num_or_size_splits))} do not add up to axis {axis} of a "
                f"tensor of shape {value.shape}."
            )
        parts = joining.split(value, np.cumsum(sizes)[:-1].tolist(), axis)
    if num is not None and num != len(parts):
        raise ValueError(f"split: there are {len(parts)} pieces, not {num}.")
    return parts


def gather(
    params: TensorLike,
    indices: TensorLike,
    validate_indices: object = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Return the slices of `params` at `indices` along `axis` (`batch_dims` by default).

    The first `batch_dims` axes are shared by `params` and `indices`. `validate_indices` and `name` have no
    effect: an index out of range always raises an IndexError.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.gather([[1.0, 2.0], [3.0, 4.0]], [1, 0, 1]).numpy().tolist()
    [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]
    """
    return gathering.gather(params, indices, axis, batch_dims)


def gather_nd(params: TensorLike, indices: TensorLike, batch_dims: Any = 0, name: str | None = None) -> Tensor:
    """Return the slices of `params` at the positions in the last axis of `indices`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 0], [1, 1]]).numpy().tolist()
    [1, 4]
    """
    return gathering.gather_nd(params, indices, batch_dims)


def scatter_nd(indices: TensorLike, updates: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return zeros of `shape` with `updates` added at the positions in the last axis of `indices`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.scatter_nd([[0], [2], [0]], [1, 2, 3], [4]).numpy().tolist()
    [4, 0, 2, 0]
    """
    return gathering.scatter_nd(indices, updates, shape)


def boolean_mask(tensor: TensorLike, mask: TensorLike, axis: Any = None, name: str | None = "boolean_mask") -> Tensor:
    """Return the elements of `tensor` where `mask` is true; the mask covers the axes from `axis` (0) on."""
    return indexing.boolean_mask(tensor, mask, axis)


def where(
    condition: TensorLike, x: TensorLike | None = None, y: TensorLike | None = None, name: str | None = None
) -> Tensor:
    """Return `x` where `condition` is true and `y` elsewhere.

    Without `x` and `y` it returns the positions of the true elements, one a row. The value that is not chosen
    contributes nothing to the gradient, whatever it is.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.where([True, False], 1.0, 2.0).numpy().tolist()
    [1.0, 2.0]
    >>> tf.where([False, True]).numpy().tolist()
    [[1]]
    """
    if x is None and y is None:
        return gathering.where_true(condition)
    if x is None or y is None:
        raise ValueError("where: give both x and y, or none of them.")
    return _native.where(condition, x, y)


def sort(values: TensorLike, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """Return `values` sorted along `axis`, `"ASCENDING"` or `"DESCENDING"`."""
    return sorting.sort(values, axis, _is_descending("sort", direction))


def argsort(
    values: TensorLike,
    axis: Any = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return the positions that sort `values` along `axis`, as int32."""
    return _native.cast(sorting.argsort(values, axis, _is_descending("argsort", direction), stable), int32)


def _is_descending(what: str, direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{what}: direction is 'ASCENDING' or 'DESCENDING', not {direction!r}.")
    return direction == "DESCENDING"


def top_k(
    input: TensorLike, k: Any = 1, sorted: bool = True, index_type: Any = int32, name: str | None = None
) -> sorting.TopK:
    """Return the `k` greatest elements along the last axis, the greatest first, and their positions.

    They are always sorted: `sorted` and `name` have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> values, indices = tf.math.top_k([1.0, 3.0, 2.0], k=2)
    >>> values.numpy().tolist(), indices.numpy().tolist()
    ([3.0, 2.0], [1, 2])
    """
    values, indices = sorting.top_k(input, k)
    return sorting.TopK(values, _native.cast(indices, as_dtype(index_type)))
