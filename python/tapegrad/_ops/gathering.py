"""TensorFlow's gathers and scatters: rows by number, elements by position.

What takes rows along the first axis records that it did: the gradient of a source of which nothing else is used lists
these rows, as `IndexedSlices`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, Value, array
from tapegrad._ops import shaping
from tapegrad._ops.arguments import as_axis, as_int, as_shape, as_tensor, shape_along
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import as_indices, as_positions, getitem, index_add
from tapegrad.dtypes import as_dtype, float32

__all__ = ["gather", "gather_nd", "one_hot", "scatter_nd", "where_true"]


def gather(params: TensorLike, indices: TensorLike, axis: Any = None, batch_dims: Any = 0) -> Tensor:
    """Return the slices of `params` at `indices` along `axis`.

    Parameters
    ----------
    params
        The tensor to take slices from.
    indices
        Integers of any shape, negative ones counting from the end.
    axis
        The axis that the indices count along; `batch_dims` by default.
    batch_dims
        The number of leading axes that `params` and `indices` share: each entry of them is gathered for
        itself.

    Returns
    -------
    Tensor
        Its shape is `params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]`.
    """
    params = as_tensor(params)
    places = as_indices(indices, "gather")
    batch = as_int(batch_dims)
    batch = batch + places.ndim if batch < 0 else batch
    axis = batch if axis is None else as_axis(axis, params.ndim, "gather")
    if batch == 0:
        return _native.take(params, places, axis, sparse=True)
    if not batch <= axis or params.shape[:batch] != places.shape[:batch]:
        raise ValueError(
            f"gather: params of shape {params.shape} and indices of shape {places.shape} "
            f"do not share {batch} batch axes before axis {axis}."
        )
    params = shaping.moveaxis(params, axis, batch)
    result = getitem(params, (*_batch_grid(places, batch), places))
    # The result's axes: the batch, the indices' own, those between batch and axis, those behind it.
    own = places.ndim - batch
    between = axis - batch
    return shaping.moveaxis(result, range(batch, batch + own), range(batch + between, batch + between + own))


def _batch_grid(places: Any, batch: int) -> list[Any]:
    """Return one array per batch axis that counts along it and broadcasts against `places`."""
    return [np.arange(places.shape[k]).reshape(shape_along(k, places.ndim)) for k in range(batch)]


def gather_nd(params: TensorLike, indices: TensorLike, batch_dims: Any = 0) -> Tensor:
    """Return the slices of `params` at the positions in the last axis of `indices`.

    The result's shape is `indices.shape[:-1] + params.shape[batch_dims + indices.shape[-1]:]`.
    """
    params = as_tensor(params)
    batch = as_int(batch_dims)
    places, columns = as_positions(indices, params.shape[batch:], "gather_nd")
    if params.shape[:batch] != places.shape[:batch] or places.ndim <= batch:
        raise ValueError(
            f"gather_nd: params of shape {params.shape} and indices of shape {places.shape} do not share "
            f"{batch} batch axes."
        )
    if len(columns) == 1 and not batch:
        return _native.take(params, columns[0], 0, sparse=True)
    key = (*_batch_grid(places[..., 0], batch), *columns) if batch else columns
    if not key:  # no coordinates: every position is the whole of params
        return _native.broadcast_to(params, places.shape[:-1] + params.shape)
    return getitem(params, key)


def scatter_nd(indices: TensorLike, updates: TensorLike, shape: Any) -> Tensor:
    """Return zeros of `shape` with `updates` added at the positions in the last axis of `indices`."""
    full = as_shape(shape)
    updates = as_tensor(updates)
    places, key = as_positions(indices, full, "scatter_nd")
    expected = places.shape[:-1] + full[len(key) :]
    if updates.shape != expected:
        raise ValueError(
            f"scatter_nd: updates of shape {updates.shape} do not fit indices of shape {places.shape} and "
            f"the result's shape {full}; they must have shape {expected}."
        )
    if not key:
        return _native.sum(updates, axis=tuple(range(places.ndim - 1)))
    return index_add(updates, key, full)


def one_hot(
    indices: TensorLike,
    depth: Any,
    on_value: TensorLike | None = None,
    off_value: TensorLike | None = None,
    axis: Any = None,
    dtype: Any = None,
) -> Tensor:
    """Return a new axis of size `depth` with `on_value` (1) where the index says, `off_value` (0) elsewhere.

    An index outside 0 ... depth - 1 gives a row of `off_value`. The new axis is the last unless `axis` says
    otherwise. The type is `dtype`, else that of the given values, else float32.
    """
    places = as_indices(indices, "one_hot")
    position = places.ndim if axis is None else as_axis(axis, places.ndim + 1, "one_hot")
    row = np.arange(as_int(depth)).reshape(shape_along(position, places.ndim + 1))
    hot = np.expand_dims(places, position) == row
    given = [as_tensor(value) for value in (on_value, off_value) if value is not None]
    kind = as_dtype(dtype) if dtype is not None else given[0].dtype if given else float32
    if not given:
        return _native.own(hot.astype(kind.dtype))
    on = _native.cast(1 if on_value is None else on_value, kind)
    off = _native.cast(0 if off_value is None else off_value, kind)
    return _native.where(hot, on, off)


def where_true(condition: TensorLike) -> Tensor:
    """Return the positions of the true elements, one a row, as int64."""
    values = array(condition) if isinstance(condition, Value) else np.asarray(condition)
    return _native.own(np.argwhere(values).astype(np.int64, copy=False))
