"""Choosing elements: by position, by condition, among several tensors; and functions of parts of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, unrecorded
from tapegrad._ops import indexing, joining, shaping
from tapegrad._ops.arguments import as_axis, as_vector, shape_along
from tapegrad._ops.writing import set_at
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import Out, TensorLike, delivered, operand, operands_of
from tapegrad.numpy._gathering import gathered
from tapegrad.numpy.order import nonzero

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "choose",
    "compress",
    "extract",
    "ix_",
    "meshgrid",
    "piecewise",
    "select",
    "take",
    "take_along_axis",
    "where",
]


@implements(np.take)
def take(a: TensorLike, indices: Any, axis: Any = None, out: Out = None, mode: str = "raise") -> Any:
    """Return the elements at integer positions along an axis; without an axis, of `a` as a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.take([1.0, 2.0, 3.0], [2, 0]).numpy()
    array([3., 1.])
    """
    a = operand(a)
    places = array(indices)
    if mode != "raise":
        size = a.size if axis is None else a.shape[as_axis(axis, a.ndim, "take")]
        places = np.take(np.arange(size), places, mode=mode)  # type: ignore[call-overload]
    elif not places.size:
        places = places.astype(np.intp)
    return delivered(indexing.take(a, places, axis), out)


@implements(np.take_along_axis)
def take_along_axis(arr: TensorLike, indices: Any, axis: Any = -1) -> Tensor:
    """Return the elements at the positions along an axis that `indices` holds for each place in the others.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.array([[3.0, 1.0], [2.0, 4.0]])
    >>> np.take_along_axis(x, np.argsort(x, axis=1), axis=1).numpy()
    array([[1., 3.],
           [2., 4.]])
    """
    a, places = operand(arr), array(indices)
    if axis is None:
        a, axis = as_vector(a), 0
    place = as_axis(axis, a.ndim, "take_along_axis")
    if places.ndim == a.ndim:
        # The other axes broadcast against each other, as in NumPy.
        sizes = np.broadcast_shapes(*[_without(x.shape, place) for x in (a, places)])
        a = _native.broadcast_to(a, (*sizes[:place], a.shape[place], *sizes[place:]))
    return indexing.take_along_axis(a, places, place)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


@implements(np.where)
def where(condition: TensorLike, x: Any = None, y: Any = None, /) -> Any:
    """Return `x` where the condition is true and `y` elsewhere; with the condition alone, where it is true.

    Raises
    ------
    ValueError
        If only one of `x` and `y` is given.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.array([-1.0, 2.0])
    >>> np.where(x > 0, x, 0.0).numpy()
    array([0., 2.])
    """
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    if type(x) is Tensor and type(y) is Tensor and getattr(condition, "dtype", None) == np.bool_:
        return _native.where(condition, x, y)
    mask = array(condition)
    return _native.where(mask if mask.dtype == np.bool_ else mask.astype(bool), *_choices(x, y))


def _choices(x: Any, y: Any) -> list[Any]:
    """Return both as tensors, but Python's numbers as they are beside one: their type is weak."""
    weak = [type(value) in (int, float, complex) for value in (x, y)]
    if all(weak):
        return [operand(x), operand(y)]
    return [value if is_weak else operand(value) for value, is_weak in zip((x, y), weak, strict=True)]


@implements(np.compress)
def compress(condition: TensorLike, a: TensorLike, axis: Any = None, out: Out = None) -> Any:
    """Return the slices along an axis for which the condition is true; without an axis, elements of a vector.

    Raises
    ------
    ValueError
        If the condition is not a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.compress([True, False, True], [1.0, 2.0, 3.0]).numpy()
    array([1., 3.])
    """
    mask = array(condition)
    if mask.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    return take(a, np.flatnonzero(mask), axis, out)


@implements(np.extract)
def extract(condition: TensorLike, arr: TensorLike) -> Tensor:
    """Return the elements, as a vector, for which the condition is true.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.extract([True, False, True], [1.0, 2.0, 3.0]).numpy()
    array([1., 3.])
    """
    result: Tensor = take(arr, np.flatnonzero(array(condition)))
    return result


@implements(np.choose)
def choose(a: Any, choices: Any, out: Out = None, mode: str = "raise") -> Any:
    """Return at each place the element of that choice which `a` numbers there.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.choose([0, 1], [[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([1., 4.])
    """
    numbers, tensors = array(a), _of_one_type(choices)
    result = gathered(lambda *places: np.choose(numbers, places, mode=mode), *tensors)  # type: ignore[call-overload]
    return delivered(result, out)


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """Return at each place the element of the first choice whose condition is true there, else the default.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.array([-2.0, 1.0, 5.0])
    >>> np.select([x < 0, x > 2], [-x, x**2]).numpy()
    array([ 2.,  0., 25.])
    """
    *tensors, other = _of_one_type([*choicelist, default])
    conditions = unrecorded(list(condlist))
    return gathered(lambda rest, *places: np.select(conditions, list(places), rest), other, *tensors)


def _of_one_type(values: Any) -> list[Tensor]:
    """Return the values as tensors of the type that they promote to, Python's numbers being weak."""
    given = list(values)
    kinds = [type(value)(0) if type(value) in (int, float, complex) else operand(value).dtype.dtype for value in given]
    dtype = np.result_type(*kinds)
    return [_native.cast(operand(value), dtype) for value in given]


@implements(np.piecewise)
def piecewise(x: TensorLike, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Tensor:
    """Return at each place what the function (or number) of its condition gives for the elements there.

    Raises
    ------
    ValueError
        If the number of functions does not fit that of conditions.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.array([-1.0, 2.0])
    >>> np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v**2]).numpy()
    array([1., 4.])
    """
    x = operand(x)
    first = condlist[0] if isinstance(condlist, (list, tuple)) and condlist else condlist
    is_one = np.ndim(unrecorded(first)) == 0 and x.ndim != 0
    conditions = np.asarray([unrecorded(condlist)] if is_one or _is_mask(condlist) else unrecorded(condlist), bool)
    if len(funclist) == len(conditions) + 1:
        conditions = np.concatenate([conditions, ~np.any(conditions, axis=0, keepdims=True)])
    elif len(funclist) != len(conditions):
        count = len(conditions)
        raise ValueError(f"with {count} condition(s), either {count} or {count + 1} functions are expected")
    result = _native.own(np.zeros(x.shape, x.dtype.dtype))
    for there, function in zip(conditions, funclist, strict=True):
        if callable(function):
            if there.any():
                result = set_at(result, there, function(indexing.getitem(x, there), *args, **kw))
        else:
            result = set_at(result, there, function)
    return result


def _is_mask(condlist: Any) -> bool:
    return not isinstance(condlist, (list, tuple)) and getattr(condlist, "ndim", 0) < 2


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: Any, arr: TensorLike, *args: Any, **kwargs: Any) -> Tensor:
    """Return a function of the vectors along an axis, its results in the place of that axis.

    Raises
    ------
    ValueError
        If another axis is empty.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.apply_along_axis(np.sum, 1, [[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([3., 7.])
    """
    a = operand(arr)
    place = as_axis(axis, a.ndim, "apply_along_axis")
    moved = shaping.moveaxis(a, place, -1)
    lead = moved.shape[:-1]
    if 0 in lead:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    rows = joining.unstack(_native.reshape(moved, (-1, moved.shape[-1])))
    results = [operand(func1d(row, *args, **kwargs)) for row in rows]
    stacked = joining.stack(results)
    inner = results[0].shape
    stacked = _native.reshape(stacked, lead + inner)
    return shaping.moveaxis(stacked, range(len(lead), len(lead) + len(inner)), range(place, place + len(inner)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[[Tensor, int], Any], a: TensorLike, axes: Any) -> Tensor:
    """Return `func(a, axis)`, applied to its own result for one axis after the other, which all stay.

    Raises
    ------
    ValueError
        If the function returns fewer dimensions than one less.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.apply_over_axes(np.sum, np.ones((2, 3, 4)), (0, 2)).shape
    (1, 3, 1)
    """
    result = operand(a)
    ndim = result.ndim
    for number in np.atleast_1d(unrecorded(axes)).tolist():
        axis = as_axis(number, ndim, "apply_over_axes")
        part = operand(func(result, axis))
        if part.ndim != ndim:
            part = shaping.expand_dims(part, axis)
        if part.ndim != ndim:
            raise ValueError("function is not returning an array of the correct shape")
        result = part
    return result


@implements(np.ix_)
def ix_(*args: TensorLike) -> tuple[Tensor, ...]:
    """Return vectors of positions as tensors that broadcast to the grid of all their combinations.

    Raises
    ------
    ValueError
        If an argument is not a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.ix_([0, 1], [2, 3, 4])]
    [(2, 1), (1, 3)]
    """
    grid = []
    for k, arg in enumerate(args):
        positions = operand(arg)
        if positions.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if positions.dtype == np.bool_:
            positions = nonzero(positions)[0]
        elif not positions.size:
            positions = _native.cast(positions, np.intp)
        grid.append(_native.reshape(positions, shape_along(k, len(args))))
    return tuple(grid)


@implements(np.meshgrid)
def meshgrid(*xi: TensorLike, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return the coordinates of a grid as one tensor per axis.

    Raises
    ------
    ValueError
        If `indexing` is neither "xy" nor "ij".

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.meshgrid([1.0, 2.0], [3.0, 4.0, 5.0])]
    [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    vectors = operands_of(xi)
    places = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        places[:2] = [1, 0]
    grid = [_native.reshape(x, shape_along(k, len(vectors))) for k, x in zip(places, vectors, strict=True)]
    if sparse:
        return tuple(grid)
    shape = np.broadcast_shapes(*[x.shape for x in grid])
    return tuple([_native.broadcast_to(x, shape) for x in grid])
