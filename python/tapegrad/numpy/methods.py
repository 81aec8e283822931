"""The attributes and methods of NumPy's arrays on tensors and variables: `x.T`, `x.sum(axis=0)`, `x.reshape(2, -1)`.

They are the functions of this namespace with the value as the first argument. The native types come here for names that
they do not have themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad._native import Tensor, Value, array
from tapegrad.numpy._arguments import write

__all__ = ["METHODS", "PROPERTIES", "attribute"]


def _reshape(x: Value, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    return tnp.reshape(x, shape[0] if len(shape) == 1 else shape, order, copy=copy)


def _transpose(x: Value, *axes: Any) -> Tensor:
    return tnp.transpose(x, (axes[0] if len(axes) == 1 else axes) if axes else None)


def _flatten(x: Value, order: str = "C") -> Tensor:
    return tnp.ravel(x, order)


def _astype(
    x: Value, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    if not np.can_cast(x.dtype.dtype, np.dtype(dtype), casting):
        raise TypeError(f"Cannot cast from {x.dtype.name} to {np.dtype(dtype)} by the rule {casting!r}.")
    return tnp.astype(x, dtype, copy=copy)


def _item(x: Value, *index: Any) -> Any:
    return array(x).item(*index)


def _tolist(x: Value) -> Any:
    return array(x).tolist()


def _fill(x: Value, value: Any) -> None:
    tnp.copyto(x, value, casting="unsafe")


def _sort(x: Value, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    write(x, tnp.sort(x, axis, kind, order, stable=stable))


def _partition(x: Value, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> None:
    write(x, tnp.partition(x, kth, axis, kind, order))


def _compress(x: Value, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return tnp.compress(condition, x, axis, out)


PROPERTIES: dict[str, Callable[[Value], Any]] = {
    "T": tnp.transpose,
    "imag": tnp.imag,
    "itemsize": lambda x: x.dtype.itemsize,
    "mT": tnp.matrix_transpose,
    "nbytes": lambda x: x.size * x.dtype.itemsize,
    "real": tnp.real,
}

METHODS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(tnp, name)
        for name in (
            *(
                "all",
                "any",
                "argmax",
                "argmin",
                "argpartition",
                "argsort",
                "choose",
                "clip",
                "conj",
                "conjugate",
                "copy",
            ),
            *(
                "cumprod",
                "cumsum",
                "diagonal",
                "dot",
                "max",
                "mean",
                "min",
                "nonzero",
                "prod",
                "put",
                "ravel",
                "repeat",
            ),
            *("round", "searchsorted", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var"),
        )
    },
    "astype": _astype,
    "compress": _compress,
    "fill": _fill,
    "flatten": _flatten,
    "item": _item,
    "partition": _partition,
    "reshape": _reshape,
    "sort": _sort,
    "tobytes": lambda x, order="C": array(x).tobytes(order),
    "tolist": _tolist,
    "transpose": _transpose,
}


def attribute(value: Value, name: str) -> Any:
    """Return an attribute or bound method of NumPy's arrays for a tensor or a variable.

    Raises
    ------
    AttributeError
        If NumPy's arrays have no such attribute, or one that tensors cannot have.

    Examples
    --------
    >>> import tapegrad as tf
    >>> from tapegrad.numpy.methods import attribute
    >>> attribute(tf.constant([[1.0, 2.0]]), "T").shape
    (2, 1)
    """
    method = METHODS.get(name)
    if method is not None:
        return partial(method, value)
    of = PROPERTIES.get(name)
    if of is not None:
        return of(value)
    kind = type(value).__name__
    hint = ": write to a copy of it, or take x.numpy()" if hasattr(np.ndarray, name) else ""
    raise AttributeError(f"{kind!r} object has no attribute {name!r}{hint}")
