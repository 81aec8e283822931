"""The standard's functions of types, and its questions to the library."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tapegrad import numpy as tnp
from tapegrad._native import Tensor, Value
from tapegrad.dtypes import DType, as_dtype
from tapegrad.numpy._arguments import check_device

__all__ = ["__array_namespace_info__", "astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

_DTypeLike: TypeAlias = DType | npt.DTypeLike

_KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


def astype(x: Value, dtype: _DTypeLike, /, *, copy: bool = True, device: str | None = None) -> Tensor:
    """Return `x` in another type; a gradient comes back in the type of `x`.

    Complex numbers do not become real ones: take their real part.

    Parameters
    ----------
    x
        A tensor.
    dtype
        The type of the result.
    copy
        Whether to make a new tensor even if `x` has that type.
    device
        `None` or ``"cpu"``.

    Raises
    ------
    TypeError
        If complex numbers are to become real ones.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.astype(xp.ones(2), xp.float32).dtype
    tf.float32
    """
    wanted = as_dtype(dtype)
    if x.dtype.is_complex and not wanted.is_complex:
        raise TypeError(f"astype: {x.dtype.name} does not become {wanted.name}; take real(x) first.")
    return tnp.astype(x, wanted.dtype, copy=copy, device=device)


def can_cast(from_: Value | _DTypeLike, to: _DTypeLike, /) -> bool:
    """Return whether the rules of promotion lead from one type to another.

    Parameters
    ----------
    from_
        A type, or a tensor of it.
    to
        A type.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.can_cast(xp.int32, xp.float64), xp.can_cast(xp.float64, xp.float32)
    (True, False)
    """
    return bool(np.can_cast(_numpy_type(from_), as_dtype(to).dtype))


def _numpy_type(of: Value | _DTypeLike) -> np.dtype[Any]:
    """Return NumPy's name for a type, or for that of a tensor's elements."""
    return (of.dtype if isinstance(of, Value) else as_dtype(of)).dtype


def result_type(*arrays_and_dtypes: Any) -> DType:
    """Return the type of an operation's result on tensors, types and Python's numbers.

    Parameters
    ----------
    arrays_and_dtypes
        Tensors, types and numbers, with one tensor or type at least.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.result_type(xp.ones(2, dtype=xp.float32), xp.float64), xp.result_type(xp.float32, 1.0)
    (tf.float64, tf.float32)
    """
    of_numpy = [x.dtype.dtype if isinstance(x, Value) else getattr(x, "dtype", x) for x in arrays_and_dtypes]
    return as_dtype(np.result_type(*of_numpy))


def finfo(type: Value | _DTypeLike, /) -> np.finfo[Any]:
    """Return the limits of a floating or complex type, or of a tensor's.

    Parameters
    ----------
    type
        A type, or a tensor of it.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.finfo(xp.float32).bits
    32
    """
    return np.finfo(_numpy_type(type))


def iinfo(type: Value | _DTypeLike, /) -> np.iinfo[Any]:
    """Return the limits of an integer type, or of a tensor's.

    Parameters
    ----------
    type
        A type, or a tensor of it.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.iinfo(xp.int8).max
    127
    """
    return np.iinfo(_numpy_type(type))


def isdtype(dtype: _DTypeLike, kind: _DTypeLike | tuple[Any, ...], /) -> bool:
    """Return whether a type is of a kind: another type, one of the standard's names of kinds, or one of several.

    Parameters
    ----------
    dtype
        A type.
    kind
        A type, one of ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``, ``"real floating"``,
        ``"complex floating"``, ``"numeric"``, or a tuple of these.

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.isdtype(xp.float32, "real floating"), xp.isdtype(xp.int8, ("bool", xp.int8))
    (True, True)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    name = as_dtype(dtype).name
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"isdtype: {kind!r} is no kind of types: {', '.join(map(repr, _KINDS))}.")
        return name in _KINDS[kind]
    return name == as_dtype(kind).name


class __array_namespace_info__:  # noqa: N801 - the standard's name
    """What the library can do.

    Examples
    --------
    >>> from tapegrad import array_api as xp
    >>> xp.__array_namespace_info__().default_dtypes()["real floating"]
    tf.float64
    """

    def capabilities(self) -> dict[str, Any]:
        """Return the optional behaviour: boolean indices, shapes that depend on values, the number of dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Return the device of new tensors."""
        return "cpu"

    def devices(self) -> list[str]:
        """Return all devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """Return the types of new tensors by kind: those of `tapegrad.numpy`."""
        check_device(device)
        defaults = {
            "real floating": "float64",
            "complex floating": "complex128",
            "integral": "int64",
            "indexing": "int64",
        }
        return {kind: as_dtype(name) for kind, name in defaults.items()}

    def dtypes(self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """Return the types by name: all, or those of a kind or of several."""
        check_device(device)
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        return {name: as_dtype(name) for one in kinds for name in _KINDS[one]}
