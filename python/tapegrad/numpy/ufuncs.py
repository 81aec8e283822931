"""NumPy's ufuncs for tensors: callable objects with NumPy's keywords and methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._examples import example, lines
from tapegrad._native import UFUNC_OPERATIONS, Tensor, Value
from tapegrad._ops import complex_parts, mantissa, products
from tapegrad.numpy._arguments import operand
from tapegrad.numpy._ufunc_calls import PIECEWISE_CONSTANT, apply

__all__ = [
    "RecordedUfunc",
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "conj",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "divmod",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "isnat",
    "lcm",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "minimum",
    "mod",
    "modf",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "reciprocal",
    "remainder",
    "right_shift",
    "rint",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "spacing",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "vecdot",
]


class RecordedUfunc:
    """A ufunc of NumPy that takes and gives tensors.

    It is called as NumPy's, with `out=`, `where=`, `dtype=` and so on, and has the methods `reduce`, `accumulate`,
    `reduceat`, `outer` and `at`. Other attributes are NumPy's.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.add([1.0, 2.0], 3.0).numpy()
    array([4., 5.])
    >>> float(np.multiply.reduce([2.0, 3.0]))
    6.0
    """

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc = ufunc
        self._operation: Callable[..., Any] | None = UFUNC_OPERATIONS.get(ufunc)
        self._count = ufunc.nin if self._operation is not None else -1
        self.__name__ = ufunc.__name__
        self.__wrapped__ = ufunc
        remark = "Piecewise constant: what it returns is on no tape." if ufunc in PIECEWISE_CONSTANT else "Recorded."
        table = "elementwise" if ufunc.__name__ in lines("elementwise") else "numpy"
        self.__doc__ = f"NumPy's ufunc `{ufunc.__name__}`, of tensors too. {remark}" + example(
            table, "tapegrad.numpy", ufunc.__name__
        )

    def __call__(self, *operands: Any, **keywords: Any) -> Any:
        """Return the operation on the operands, elementwise."""
        if not keywords and len(operands) == self._count:
            for x in operands:
                if type(x) is not Tensor:
                    break
            else:
                return self._operation(*operands)  # type: ignore[misc]
        if len(operands) > self.ufunc.nin:
            keywords["out"] = operands[self.ufunc.nin :]
            operands = operands[: self.ufunc.nin]
        elif "out" in keywords and not isinstance(keywords["out"], tuple):
            keywords["out"] = (keywords["out"],)
        if keywords.get("out") is not None and all(out is None for out in keywords["out"]):
            del keywords["out"]
        return apply(self.ufunc, "__call__", _operands(operands), keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ufunc, name)

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r} of tapegrad.numpy>"

    def __reduce__(self) -> tuple[Any, ...]:
        return RecordedUfunc, (self.ufunc,)

    def reduce(self, array: Any, *args: Any, **keywords: Any) -> Any:
        """Return the operation applied to all elements along an axis (the first by default)."""
        return apply(self.ufunc, "reduce", (operand(array), *args), keywords)

    def accumulate(self, array: Any, *args: Any, **keywords: Any) -> Any:
        """Return the results of the operation after each element along an axis."""
        return apply(self.ufunc, "accumulate", (operand(array), *args), keywords)

    def reduceat(self, array: Any, indices: Any, *args: Any, **keywords: Any) -> Any:
        """Return the reductions of the segments that start at the indices."""
        return apply(self.ufunc, "reduceat", (operand(array), indices, *args), keywords)

    def outer(self, a: Any, b: Any, /, **keywords: Any) -> Any:
        """Return the operation on each pair of elements."""
        return apply(self.ufunc, "outer", (operand(a), operand(b)), keywords)

    def at(self, a: Any, indices: Any, b: Any = None, /) -> None:
        """Apply the operation to the elements of `a` at the indices, where elements can be named twice."""
        apply(self.ufunc, "at", (a, indices) if b is None else (a, indices, b), {})


def _operands(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return operands of which one at least is a tensor or an array; those beside one are left as they are."""
    if any(isinstance(x, (Value, np.ndarray, np.generic)) for x in operands):
        return operands
    return tuple([operand(x) for x in operands])


# Those of NumPy's ufuncs that are not in the table of elementwise operations.
for _name, _function in (
    ("conjugate", complex_parts.conjugate),
    ("divmod", mantissa.divmod),
    ("float_power", mantissa.float_power),
    ("frexp", mantissa.frexp),
    ("ldexp", mantissa.ldexp),
    ("modf", mantissa.modf),
    ("vecdot", products.vecdot),
    ("matvec", products.matvec),
    ("vecmat", products.vecmat),
):
    if hasattr(np, _name):
        UFUNC_OPERATIONS[getattr(np, _name)] = _function

abs = absolute = RecordedUfunc(np.absolute)
acos = arccos = RecordedUfunc(np.arccos)
acosh = arccosh = RecordedUfunc(np.arccosh)
add = RecordedUfunc(np.add)
arcsin = asin = RecordedUfunc(np.arcsin)
arcsinh = asinh = RecordedUfunc(np.arcsinh)
arctan = atan = RecordedUfunc(np.arctan)
arctan2 = atan2 = RecordedUfunc(np.arctan2)
arctanh = atanh = RecordedUfunc(np.arctanh)
bitwise_and = RecordedUfunc(np.bitwise_and)
bitwise_count = RecordedUfunc(np.bitwise_count)
bitwise_invert = bitwise_not = invert = RecordedUfunc(np.invert)
bitwise_left_shift = left_shift = RecordedUfunc(np.left_shift)
bitwise_or = RecordedUfunc(np.bitwise_or)
bitwise_right_shift = right_shift = RecordedUfunc(np.right_shift)
bitwise_xor = RecordedUfunc(np.bitwise_xor)
cbrt = RecordedUfunc(np.cbrt)
ceil = RecordedUfunc(np.ceil)
conj = conjugate = RecordedUfunc(np.conjugate)
copysign = RecordedUfunc(np.copysign)
cos = RecordedUfunc(np.cos)
cosh = RecordedUfunc(np.cosh)
deg2rad = RecordedUfunc(np.deg2rad)
degrees = RecordedUfunc(np.degrees)
divide = true_divide = RecordedUfunc(np.divide)
divmod = RecordedUfunc(np.divmod)
equal = RecordedUfunc(np.equal)
exp = RecordedUfunc(np.exp)
exp2 = RecordedUfunc(np.exp2)
expm1 = RecordedUfunc(np.expm1)
fabs = RecordedUfunc(np.fabs)
float_power = RecordedUfunc(np.float_power)
floor = RecordedUfunc(np.floor)
floor_divide = RecordedUfunc(np.floor_divide)
fmax = RecordedUfunc(np.fmax)
fmin = RecordedUfunc(np.fmin)
fmod = RecordedUfunc(np.fmod)
frexp = RecordedUfunc(np.frexp)
gcd = RecordedUfunc(np.gcd)
greater = RecordedUfunc(np.greater)
greater_equal = RecordedUfunc(np.greater_equal)
heaviside = RecordedUfunc(np.heaviside)
hypot = RecordedUfunc(np.hypot)
isfinite = RecordedUfunc(np.isfinite)
isinf = RecordedUfunc(np.isinf)
isnan = RecordedUfunc(np.isnan)
isnat = RecordedUfunc(np.isnat)
lcm = RecordedUfunc(np.lcm)
ldexp = RecordedUfunc(np.ldexp)
less = RecordedUfunc(np.less)
less_equal = RecordedUfunc(np.less_equal)
log = RecordedUfunc(np.log)
log10 = RecordedUfunc(np.log10)
log1p = RecordedUfunc(np.log1p)
log2 = RecordedUfunc(np.log2)
logaddexp = RecordedUfunc(np.logaddexp)
logaddexp2 = RecordedUfunc(np.logaddexp2)
logical_and = RecordedUfunc(np.logical_and)
logical_not = RecordedUfunc(np.logical_not)
logical_or = RecordedUfunc(np.logical_or)
logical_xor = RecordedUfunc(np.logical_xor)
matmul = RecordedUfunc(np.matmul)
maximum = RecordedUfunc(np.maximum)
minimum = RecordedUfunc(np.minimum)
mod = remainder = RecordedUfunc(np.remainder)
modf = RecordedUfunc(np.modf)
multiply = RecordedUfunc(np.multiply)
negative = RecordedUfunc(np.negative)
nextafter = RecordedUfunc(np.nextafter)
not_equal = RecordedUfunc(np.not_equal)
positive = RecordedUfunc(np.positive)
pow = power = RecordedUfunc(np.power)
rad2deg = RecordedUfunc(np.rad2deg)
radians = RecordedUfunc(np.radians)
reciprocal = RecordedUfunc(np.reciprocal)
rint = RecordedUfunc(np.rint)
sign = RecordedUfunc(np.sign)
signbit = RecordedUfunc(np.signbit)
sin = RecordedUfunc(np.sin)
sinh = RecordedUfunc(np.sinh)
spacing = RecordedUfunc(np.spacing)
sqrt = RecordedUfunc(np.sqrt)
square = RecordedUfunc(np.square)
subtract = RecordedUfunc(np.subtract)
tan = RecordedUfunc(np.tan)
tanh = RecordedUfunc(np.tanh)
trunc = RecordedUfunc(np.trunc)
vecdot = RecordedUfunc(np.vecdot)

if hasattr(np, "matvec"):  # since NumPy 2.2
    matvec = RecordedUfunc(np.matvec)
    vecmat = RecordedUfunc(np.vecmat)
    __all__ += ["matvec", "vecmat"]
