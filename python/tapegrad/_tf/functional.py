"""TensorFlow's names for functions applied along the first axis of tensors: maps, folds and scans.

They are loops over the slices. For what can be written on whole arrays, that is faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import nest
from tapegrad._native import Tensor, Value, own, tensor
from tapegrad._ops.arguments import as_shape, as_tensor
from tapegrad._ops.joining import stack, unstack
from tapegrad._tf.tensor_spec import TensorSpec
from tapegrad.dtypes import DType, as_dtype

__all__ = ["foldl", "foldr", "map_fn", "scan", "vectorized_map"]


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Return the results of `fn` for the slices of `elems` along the first axis, stacked.

    Parameters
    ----------
    fn
        A function of one argument: a slice, or a structure of slices if `elems` is a structure.
    elems
        A tensor, or a structure of tensors with first axes of one size.
    fn_output_signature, dtype
        The type, or `TensorSpec`, of what `fn` returns, or a structure of them; those of `elems` by default. `dtype` is
        its older name.
    parallel_iterations, back_prop, swap_memory, infer_shape, name
        Have no effect.

    Raises
    ------
    ValueError
        If the first axes differ in size, or `fn` returns another structure, shape or type.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.map_fn(lambda row: row / tf.reduce_sum(row), tf.constant([[1.0, 3.0], [2.0, 2.0]])).numpy().tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    >>> tf.map_fn(lambda pair: pair[0] * pair[1], (tf.range(3), tf.range(3)), fn_output_signature=tf.int32).numpy()
    array([0, 1, 4], dtype=int32)
    """
    slices = _slices(elems)
    signature = dtype if fn_output_signature is None else fn_output_signature
    if signature is None:
        signature = nest.map_structure(lambda x: as_tensor(x).dtype, elems)
    columns: list[list[Tensor]] = [[] for _ in nest.flatten(signature)]
    specs = [_spec(leaf) for leaf in nest.flatten(signature)]
    for element in slices:
        result = fn(element)
        nest.assert_same_structure(signature, result)
        for column, leaf, (kind, _) in zip(columns, nest.flatten(result), specs, strict=True):
            column.append(tensor(leaf, kind))
    stacked = [_stacked(column, kind, shape) for column, (kind, shape) in zip(columns, specs, strict=True)]
    return nest.pack_sequence_as(signature, stacked)


def _spec(leaf: Any) -> tuple[DType, tuple[int, ...]]:
    """Return the type and shape that a leaf of a signature names, as far as it does."""
    if isinstance(leaf, TensorSpec):
        return leaf.dtype, as_shape(leaf.shape) if leaf.shape.is_fully_defined() else ()
    return as_dtype(leaf), ()


def _stacked(column: list[Tensor], kind: DType, shape: tuple[int, ...]) -> Tensor:
    return stack(column) if column else own(np.zeros((0, *shape), kind.dtype))


def _slices(elems: Any) -> list[Any]:
    """Return the slices of tensors along their first axis, each in the structure of `elems`."""
    tensors = [as_tensor(leaf) for leaf in nest.flatten(elems)]
    if not tensors:
        raise ValueError(
            f"elems must be a Tensor or (possibly nested) sequence of Tensors. Got {elems!r}, which does not contain "
            "any Tensors."
        )
    if any(x.ndim == 0 for x in tensors):
        raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
    sizes = {x.shape[0] for x in tensors}
    if len(sizes) > 1:
        raise ValueError(f"The tensors in elems have first axes of different sizes: {sorted(sizes)}.")
    return [nest.pack_sequence_as(elems, parts) for parts in zip(*[unstack(x) for x in tensors], strict=True)]


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Return the last of the values `value = fn(value, slice)` over the slices of `elems` along the first axis.

    Parameters
    ----------
    fn
        A function of the value so far and a slice, or a structure of slices.
    elems
        A tensor, or a structure of tensors with first axes of one size.
    initializer
        The first value, a tensor or a structure of tensors; by default the first slice is.
    parallel_iterations, back_prop, swap_memory, name
        Have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.foldl(lambda value, x: 10.0 * value + x, tf.constant([1.0, 2.0, 3.0])))
    123.0
    """
    return _folded("foldl", fn, _slices(elems), initializer)[0]


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Return the last of the values `value = fn(value, slice)` over the slices of `elems`, from the last to the first.

    Parameters
    ----------
    fn
        A function of the value so far and a slice, which returns the next value.
    elems
        A tensor, or a structure of tensors whose first axes are equally long.
    initializer
        The first value; `None` takes the last slice.
    parallel_iterations, back_prop, swap_memory, name
        Have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.foldr(lambda value, x: 10.0 * value + x, tf.constant([1.0, 2.0, 3.0])))
    321.0
    """
    return _folded("foldr", fn, _slices(elems)[::-1], initializer)[0]


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return all the values `value = fn(value, slice)` over the slices of `elems` along the first axis, stacked.

    Parameters
    ----------
    fn
        A function of the value so far and a slice, or a structure of slices.
    elems
        A tensor, or a structure of tensors with first axes of one size.
    initializer
        The value before the first one, a tensor or a structure of tensors; by default the first slice is the first
        value.
    reverse
        Whether to go from the last slice to the first; each value stays at the place of its slice.
    parallel_iterations, back_prop, swap_memory, infer_shape, name
        Have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.scan(lambda value, x: value * x, tf.constant([1.0, 2.0, 3.0])).numpy().tolist()
    [1.0, 2.0, 6.0]
    """
    slices = _slices(elems)
    last, values = _folded("scan", fn, slices[::-1] if reverse else slices, initializer)
    if reverse:
        values.reverse()
    leaves = nest.flatten(last)
    columns = zip(*map(nest.flatten, values), strict=True) if values else [[] for _ in leaves]
    stacked = [_stacked(list(column), leaf.dtype, leaf.shape) for column, leaf in zip(columns, leaves, strict=True)]
    return nest.pack_sequence_as(last, stacked)


def _folded(what: str, fn: Callable[[Any, Any], Any], slices: list[Any], initializer: Any) -> tuple[Any, list[Any]]:
    """Return the last value, and the value for each slice."""
    if not callable(fn):
        raise TypeError(f"{what}: {fn!r} is not callable.")
    values = []
    if initializer is None:
        if not slices:
            raise ValueError(f"{what}: without elements an initializer is needed.")
        value, slices = slices[0], slices[1:]
        values.append(value)
    else:
        value = nest.map_structure(as_tensor, initializer)
    for element in slices:
        result = fn(value, element)
        nest.assert_same_structure(value, result)
        # Plain numbers take the type of the value before; tensors of another type are promoted as anywhere else.
        value = nest.map_structure(
            lambda new, old: as_tensor(new) if isinstance(new, Value) else tensor(new, old.dtype), result, value
        )
        values.append(value)
    return value, values


def vectorized_map(fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Return the results of `fn` for the slices of `elems` along the first axis, stacked; it is a loop over them.

    Parameters
    ----------
    fn
        A function of one argument: a slice, or a structure of slices if `elems` is a structure. It returns a tensor or
        a structure of tensors.
    elems
        A tensor, or a structure of tensors with first axes of one size; those of size 1 are repeated.
    fallback_to_while_loop, warn
        Have no effect.

    Raises
    ------
    ValueError
        If there are no elements.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.vectorized_map(lambda pair: tf.reduce_sum(pair[0] * pair[1]), (tf.ones((2, 3)), tf.ones((1, 3)))).numpy()
    array([3., 3.], dtype=float32)
    """
    tensors = [as_tensor(leaf) for leaf in nest.flatten(elems)]
    size = max((x.shape[0] for x in tensors if x.ndim), default=1)
    repeated = [stack(unstack(x) * size) if x.ndim and x.shape[0] == 1 and size != 1 else x for x in tensors]
    slices = _slices(nest.pack_sequence_as(elems, repeated))
    if not slices:
        raise ValueError("vectorized_map: without elements there is nothing to stack.")
    results = [fn(element) for element in slices]
    return nest.map_structure(lambda *leaves: stack([as_tensor(leaf) for leaf in leaves]), *results)
