"""TensorFlow's names for joining and cutting tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad._native import Tensor
from tapegrad._ops import joining
from tapegrad._ops.arguments import as_axis, as_int, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike

__all__ = [
    "concat",
    "split",
    "stack",
    "unstack",
]


def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """Return the tensors joined along an existing axis.

    Parameters
    ----------
    values
        A list of tensors, whose shapes differ along `axis` at most.
    axis
        The axis to join along.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.concat([[[1.0, 2.0]], [[3.0, 4.0]]], axis=0).numpy().tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if type(values) is not list and not isinstance(values, list | tuple):
        return as_tensor(values)
    return joining.concatenate(values, axis)


def stack(values: Sequence[TensorLike], axis: Any = 0, name: str | None = "stack") -> Tensor:
    """Return the tensors, which have one shape, joined along a new axis.

    Parameters
    ----------
    values
        Tensors of one shape.
    axis
        The place of the new axis.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.stack([tf.constant(1.0), 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    return joining.stack(values, axis)


def unstack(value: TensorLike, num: int | None = None, axis: Any = 0, name: str | None = "unstack") -> list[Tensor]:
    """Return the slices of `value` along `axis`, without that axis; `num` checks how many there are.

    Parameters
    ----------
    value
        A tensor.
    num
        How many slices there must be, or `None`.
    axis
        The axis to cut along.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If `num` is given and not the number of slices.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [part.numpy().tolist() for part in tf.unstack([[1.0, 2.0], [3.0, 4.0]])]
    [[1.0, 2.0], [3.0, 4.0]]
    """
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

    Raises
    ------
    ValueError
        If the pieces do not add up to the axis, or `num` is not their number.

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
