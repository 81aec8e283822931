"""New tensors: from values (recorded), filled, and counted. The types are NumPy's: float64 by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._conversion import holds_value
from tapegrad._interchange import from_dlpack
from tapegrad._native import Tensor, Value, unrecorded, wrapped
from tapegrad._ops.arguments import as_shape
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, as_dtype, check_device, operand, stacked
from tapegrad.numpy._unrecorded import registered

__all__ = [
    "array",
    "asanyarray",
    "asarray",
    "asarray_chkfinite",
    "ascontiguousarray",
    "asfortranarray",
    "astype",
    "copy",
    "diag_indices",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "frombuffer",
    "fromfunction",
    "fromiter",
    "full",
    "full_like",
    "identity",
    "indices",
    "mask_indices",
    "ones",
    "ones_like",
    "require",
    "tri",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]


@implements(np.array)
def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: str | None = "K",
    subok: bool = False,
    ndmin: int = 0,
    ndmax: int = 0,
    like: Any = None,
) -> Tensor:
    """Return a tensor of numbers, arrays or nested lists; tensors in the lists are stacked, which is recorded.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x = np.array(2.0)
    >>> np.array([x, [3.0, x][0], 1]).numpy()
    array([2., 3., 1.])
    """
    kind = as_dtype(dtype)
    if isinstance(object, Value):
        result = operand(object)
        if copy and result is object:
            result = _native.reshape(result, result.shape)  # a copy to which can be written
    elif isinstance(object, (list, tuple)) and holds_value(object):
        result = stacked(object, kind)
    else:
        source = np.asarray(object, kind)
        result = _native.own(source.copy() if source is object or source.base is not None else source)
    if kind is not None:
        result = _native.cast(result, kind)
    return _native.reshape(result, (1,) * (ndmin - result.ndim) + result.shape) if ndmin > result.ndim else result


@implements(np.asarray, np.asanyarray)
def asarray(
    a: Any,
    dtype: Any = None,
    order: str | None = None,
    *,
    device: str | None = None,
    copy: bool | None = None,
    like: Any = None,
) -> Tensor:
    """Return `a` as a tensor; itself if it is one of that type.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.asarray([1.0, 2.0]).numpy()
    array([1., 2.])
    """
    check_device(device)
    return array(a, dtype, copy=copy)


asanyarray = asarray


@implements(np.ascontiguousarray, np.asfortranarray)
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Tensor:
    """Return `a` as a tensor with one dimension at least; how memory is laid out is not for a tensor to say.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.ascontiguousarray(1.0).shape
    (1,)
    """
    return array(a, dtype, copy=None, ndmin=1)


asfortranarray = ascontiguousarray


def asarray_chkfinite(a: Any, dtype: Any = None, order: str | None = None) -> Tensor:
    """Return `a` as a tensor, or raise ValueError if it holds nan or infinities.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.asarray_chkfinite([1.0, 2.0]).numpy()
    array([1., 2.])
    """
    result = array(a, dtype, copy=None)
    np.asarray_chkfinite(_native.array(result))
    return result


@implements(np.require)
def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Tensor:
    """Return `a` as a tensor of a type; requirements of memory do not apply to tensors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.require([1.0, 2.0], np.float32).dtype.name
    'float32'
    """
    return array(a, dtype, copy=None)


@implements(np.copy)
def copy(a: TensorLike, order: str = "K", subok: bool = False) -> Tensor:
    """Return a tensor with the values of `a`; writing to one of them does not change the other.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.copy([1.0, 2.0]).numpy()
    array([1., 2.])
    """
    return _native.reshape(a, a.shape) if isinstance(a, Value) else array(a)


@implements("astype")
def astype(x: TensorLike, dtype: Any, /, *, copy: bool = True, device: str | None = None) -> Tensor:
    """Return `x` in another type; a gradient comes back in the type of `x`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.astype(np.ones(2), np.float32).dtype.name
    'float32'
    """
    check_device(device)
    return array(x, dtype, copy=copy)


@implements(np.zeros)
def zeros(shape: Any, dtype: Any = None, order: str = "C", *, device: str | None = None, like: Any = None) -> Tensor:
    """Return zeros.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.zeros(2).numpy()
    array([0., 0.])
    """
    check_device(device)
    return _native.own(np.zeros(as_shape(shape), as_dtype(dtype)))


@implements(np.empty)
def empty(shape: Any, dtype: Any = None, order: str = "C", *, device: str | None = None, like: Any = None) -> Tensor:
    """Return a tensor of a shape, to be written to: zeros, for there is no memory without values.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.empty(2).shape
    (2,)
    """
    return zeros(shape, dtype, device=device)


@implements(np.ones)
def ones(shape: Any, dtype: Any = None, order: str = "C", *, device: str | None = None, like: Any = None) -> Tensor:
    """Return ones.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.ones(2).numpy()
    array([1., 1.])
    """
    check_device(device)
    return _native.own(np.ones(as_shape(shape), as_dtype(dtype)))


@implements(np.full)
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: str | None = None, like: Any = None
) -> Tensor:
    """Return a tensor filled with a value, with respect to which it is differentiable.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.full(2, 3.0).numpy()
    array([3., 3.])
    """
    check_device(device)
    return _native.broadcast_to(array(fill_value, dtype, copy=None), as_shape(shape))


@implements(np.full_like)
def full_like(
    a: TensorLike,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: str | None = None,
) -> Tensor:
    """Return a tensor like `a`, filled with a value, with respect to which it is differentiable.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.full_like([1.0, 2.0], 3).numpy()
    array([3., 3.])
    """
    return full(_like(a, shape), fill_value, _dtype_like(a, dtype), device=device)


@implements(np.zeros_like, constant=True)
def zeros_like(
    a: TensorLike,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: str | None = None,
) -> Tensor:
    """Return zeros of the shape and type of `a`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.zeros_like([1, 2]).numpy()
    array([0, 0])
    """
    return zeros(_like(a, shape), _dtype_like(a, dtype), device=device)


@implements(np.empty_like, constant=True)
def empty_like(
    prototype: TensorLike,
    /,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: str | None = None,
) -> Tensor:
    """Return a tensor of the shape and type of another, to be written to.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.empty_like([1.0, 2.0]).shape
    (2,)
    """
    return zeros(_like(prototype, shape), _dtype_like(prototype, dtype), device=device)


@implements(np.ones_like, constant=True)
def ones_like(
    a: TensorLike,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: str | None = None,
) -> Tensor:
    """Return ones of the shape and type of `a`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.ones_like([1.0, 2.0]).numpy()
    array([1., 1.])
    """
    return ones(_like(a, shape), _dtype_like(a, dtype), device=device)


def _like(a: TensorLike, shape: Any) -> Any:
    return operand(a).shape if shape is None else shape


def _dtype_like(a: TensorLike, dtype: Any) -> Any:
    return operand(a).dtype if dtype is None else dtype


def _made_by(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Return a function of NumPy's that makes an array, with a tensor as its result."""

    def create(*args: Any, like: Any = None, **keywords: Any) -> Any:
        return wrapped(function(*unrecorded(args), **unrecorded(keywords)))

    return registered(function, create, "as a tensor.")


eye = _made_by(np.eye)
identity = _made_by(np.identity)
tri = _made_by(np.tri)
indices = _made_by(np.indices)
fromfunction = _made_by(np.fromfunction)
frombuffer = _made_by(np.frombuffer)
fromiter = _made_by(np.fromiter)
diag_indices = _made_by(np.diag_indices)
mask_indices = _made_by(np.mask_indices)
tril_indices = _made_by(np.tril_indices)
triu_indices = _made_by(np.triu_indices)

implements(np.from_dlpack)(from_dlpack)
