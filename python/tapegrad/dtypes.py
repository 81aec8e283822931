"""The element types of tensors: one `DType` object per type, with TensorFlow's names.

A `DType` is interchangeable with NumPy's: `np.zeros(3, tf.float32)` works, and `tf.float32 == np.float32`
holds. This module imports nothing but NumPy at first, because the native module reads `DTYPES` while it
is being imported.
"""

from __future__ import annotations

import builtins
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

__all__ = [
    "DType",
    "as_dtype",
    "bool",
    "cast",
    "complex",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "saturate_cast",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


class DType:
    """The element type of a tensor.

    There is exactly one object per type, so `is` compares them; `==` also accepts whatever names the type for
    NumPy (a NumPy dtype or scalar type, a string).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.float32
    tf.float32
    >>> tf.float32 == "float32"
    True
    >>> tf.as_dtype(float), tf.int64.is_integer, tf.complex64.itemsize
    (tf.float32, True, 8)
    """

    __slots__ = (
        "as_numpy_dtype",
        "dtype",
        "is_bool",
        "is_complex",
        "is_floating",
        "is_integer",
        "itemsize",
        "name",
    )

    name: str
    """TensorFlow's and NumPy's name, such as `"float32"`."""
    as_numpy_dtype: type[np.generic]
    """NumPy's scalar type."""
    dtype: np.dtype[Any]
    """NumPy's dtype object; NumPy looks for it under this name when a `DType` is given as a dtype."""
    itemsize: int
    """Bytes of one element."""
    is_bool: builtins.bool
    """Whether the type is `tf.bool`."""
    is_integer: builtins.bool
    """Whether it is a signed or unsigned integer type; `tf.bool` is not."""
    is_floating: builtins.bool
    """Whether it is a real floating-point type."""
    is_complex: builtins.bool
    """Whether it is a complex type."""

    def __init__(self, name: str) -> None:
        dtype = np.dtype(name)
        put = object.__setattr__
        put(self, "name", name)
        put(self, "dtype", dtype)
        put(self, "as_numpy_dtype", dtype.type)
        put(self, "itemsize", dtype.itemsize)
        put(self, "is_bool", dtype.kind == "b")
        put(self, "is_integer", dtype.kind in "iu")
        put(self, "is_floating", dtype.kind == "f")
        put(self, "is_complex", dtype.kind == "c")

    @property
    def is_unsigned(self) -> builtins.bool:
        """Whether it is an unsigned integer type."""
        return self.dtype.kind == "u"

    @property
    def is_numeric(self) -> builtins.bool:
        """Whether it is a type of numbers, and not of bools."""
        return not self.is_bool

    @property
    def base_dtype(self) -> DType:
        """The type itself; there are no reference types."""
        return self

    @property
    def real_dtype(self) -> DType:
        """The type of a complex number's parts; of another type the type itself."""
        return as_dtype(f"float{self.itemsize * 4}") if self.is_complex else self

    def is_compatible_with(self, other: Any) -> builtins.bool:
        """Whether `other` names this type."""
        return self.__eq__(other)

    @property
    def size(self) -> int:
        """Bytes of one element; TensorFlow's name for `itemsize`."""
        return self.itemsize

    @property
    def min(self) -> Any:
        """The lowest finite value of a bool, integer or floating type."""
        return self._limit("min", False)

    @property
    def max(self) -> Any:
        """The greatest finite value of a bool, integer or floating type."""
        return self._limit("max", True)

    def _limit(self, which: str, of_bool: builtins.bool) -> Any:
        if self.is_bool:
            return of_bool
        if self.is_complex:
            raise TypeError(f"Cannot find the {which}imum value of {self!r}: complex numbers have no order.")
        info: Any = np.iinfo(self.dtype) if self.is_integer else np.finfo(self.dtype)
        return getattr(info, which)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self!r} is immutable.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self!r} is immutable.")

    def __eq__(self, other: object) -> builtins.bool:
        if isinstance(other, DType):
            return self is other
        if other is None:
            return False  # np.dtype(None) is float64
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    # One object per type: the object's own hash is consistent with equality among DTypes.
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        # `kind`, `type`, `char`, ...: what programs written for NumPy ask of `x.dtype`.
        if name.startswith("__"):
            raise AttributeError(f"'DType' object has no attribute {name!r}")
        return getattr(self.dtype, name)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


bool = DType("bool")
int8 = DType("int8")
int16 = DType("int16")
int32 = DType("int32")
int64 = DType("int64")
uint8 = DType("uint8")
uint16 = DType("uint16")
uint32 = DType("uint32")
uint64 = DType("uint64")
float16 = DType("float16")
float32 = DType("float32")
float64 = DType("float64")
complex64 = DType("complex64")
complex128 = DType("complex128")
half = float16
double = float64

# The order is the native module's numbering of the types.
DTYPES: tuple[DType, ...] = (
    bool,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    float16,
    float32,
    float64,
    complex64,
    complex128,
)

# Python's own types mean what Python numbers become in a tensor, not what NumPy makes of them.
_BY_KEY: dict[Any, DType] = {
    builtins.float: float32,
    builtins.int: int32,
    builtins.bool: bool,
    builtins.complex: complex128,
    "float": float32,
    "half": float16,
    "double": float64,
}
for _dtype in DTYPES:
    _BY_KEY.update({_dtype: _dtype, _dtype.name: _dtype, _dtype.as_numpy_dtype: _dtype, _dtype.dtype: _dtype})


def as_dtype(type_value: Any) -> DType:
    """Return the `DType` that `type_value` names.

    Parameters
    ----------
    type_value
        A `DType`, a NumPy dtype or scalar type, a string such as `"float32"`, or one of Python's `bool`,
        `int`, `float` and `complex` (which give `tf.bool`, `tf.int32`, `tf.float32` and `tf.complex128`).

    Raises
    ------
    TypeError
        If no tensor can have such elements.

    Examples
    --------
    >>> import numpy as np, tapegrad as tf
    >>> tf.as_dtype(np.float64), tf.as_dtype("int8")
    (tf.float64, tf.int8)
    """
    try:
        return _BY_KEY[type_value]
    except (KeyError, TypeError):  # not hashable, or another spelling ("<f4", an array's byte-swapped dtype)
        pass
    try:
        if type_value is not None:
            return _BY_KEY[np.dtype(type_value).name]
    except (KeyError, TypeError, ValueError):
        pass
    names = ", ".join(dtype.name for dtype in DTYPES)
    raise TypeError(f"Cannot convert {type_value!r} to a dtype; tensors have one of: {names}.")


# Conversions are operations, which come after the native module and so after this one.
_CONVERSIONS = {
    "cast": "tapegrad._tf.conversion",
    "complex": "tapegrad._ops.complex_parts",
    "saturate_cast": "tapegrad._tf.conversion",
}

if TYPE_CHECKING:
    from tapegrad._ops.complex_parts import complex
    from tapegrad._tf.conversion import cast, saturate_cast


def __getattr__(name: str) -> Any:
    if name in _CONVERSIONS:
        return getattr(import_module(_CONVERSIONS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
