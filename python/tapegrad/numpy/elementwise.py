"""Elementwise functions that NumPy does not have as ufuncs: limits, complex parts, replacements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import bessel, complex_parts
from tapegrad._ops import sinc as sinc_ops
from tapegrad._ops.arguments import as_inexact
from tapegrad._ops.elementwise import elementwise
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import UNSET, Out, TensorLike, as_dtype, delivered, holds_watched, operand, write
from tapegrad.numpy._ufunc_calls import placed
from tapegrad.numpy._unrecorded import computed

__all__ = ["angle", "clip", "i0", "imag", "nan_to_num", "real", "real_if_close", "sinc"]


@implements(np.clip)
def clip(
    a: TensorLike,
    a_min: Any = UNSET,
    a_max: Any = UNSET,
    out: Out = None,
    *,
    min: Any = UNSET,
    max: Any = UNSET,
    **kwargs: Any,
) -> Any:
    """Limit values to an interval; the slope is 1 inside it and at its ends, 0 outside.

    Raises
    ------
    ValueError
        If bounds are given in both ways.
    TypeError
        If other keywords are given for a watched tensor.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.clip([1.0, 2.0, 3.0], 1.5, 2.5).numpy()
    array([1.5, 2. , 2.5])
    """
    has_numbers = type(a_min) is float and type(a_max) is float
    if type(a) is Tensor and has_numbers and out is None and min is UNSET and max is UNSET and not kwargs:
        return elementwise.clip(a, a_min, a_max)
    bounds = {"a_min": a_min, "a_max": a_max, "min": min, "max": max}
    if not holds_watched(a, *bounds.values()):
        given = {name: bound for name, bound in bounds.items() if bound is not UNSET}
        return computed(np.clip, (a,), {**given, "out": out, **kwargs})
    if (a_min is not UNSET or a_max is not UNSET) and (min is not UNSET or max is not UNSET):
        raise ValueError("clip: the bounds are given as a_min and a_max or as min and max, not as both.")
    low = [bound for bound in (a_min, min) if bound is not UNSET and bound is not None] or [-np.inf]
    high = [bound for bound in (a_max, max) if bound is not UNSET and bound is not None] or [np.inf]
    operands = [a if isinstance(a, np.ndarray) else operand(a), low[0], high[0]]
    if kwargs:
        dtype = as_dtype(kwargs.pop("dtype", None))
        where, casting = kwargs.pop("where", True), kwargs.pop("casting", "same_kind")
        if kwargs:
            raise TypeError(f"clip: {', '.join(kwargs)} cannot be given for watched tensors.")
        if dtype is not None:
            operands = [_native.cast(operand(x), dtype) for x in operands]
        return placed(elementwise.clip(*operands), where, out, casting)
    return delivered(elementwise.clip(*operands), out)


@implements(np.real)
def real(val: TensorLike) -> Tensor:
    """Return the real parts.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.real([1 + 2j, 3.0]).numpy()
    array([1., 3.])
    """
    return complex_parts.real(operand(val))


@implements(np.imag)
def imag(val: TensorLike) -> Tensor:
    """Return the imaginary parts.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.imag([1 + 2j, 3.0]).numpy()
    array([2., 0.])
    """
    return complex_parts.imag(operand(val))


@implements(np.angle)
def angle(z: TensorLike, deg: bool = False) -> Tensor:
    """Return the angles of complex numbers in radians, or in degrees with `deg`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.angle([1j, -1.0], deg=True).numpy()
    array([ 90., 180.])
    """
    z = operand(z)
    angles = elementwise.arctan2(imag(z), real(z))
    return elementwise.multiply(angles, 180 / np.pi) if deg else angles


@implements(np.real_if_close)
def real_if_close(a: TensorLike, tol: float = 100) -> Tensor:
    """Return the real parts if all imaginary parts are within `tol` machine epsilons of 0, else `a`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.real_if_close([2.0 + 1e-16j]).numpy()
    array([2.])
    """
    a = operand(a)
    return a if np.iscomplexobj(np.real_if_close(array(a), tol)) else real(a)


@implements(np.nan_to_num)
def nan_to_num(x: TensorLike, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """Replace nan and infinities by numbers; no gradient flows to what was replaced.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.nan_to_num([1.0, np.nan, -np.inf], neginf=-9.0).numpy()
    array([ 1.,  0., -9.])
    """
    result = operand(x)
    if result.dtype.is_complex:
        parts = [_finite(part, nan, posinf, neginf) for part in (real(result), imag(result))]
        result = complex_parts.complex(*parts)
    elif result.dtype.is_floating:
        result = _finite(result, nan, posinf, neginf)
    if not copy and isinstance(x, (Tensor, np.ndarray)):
        write(x, result)
        return x if isinstance(x, Tensor) else result
    return result


def _finite(x: Tensor, nan: Any, posinf: Any, neginf: Any) -> Tensor:
    values, kind = array(x), np.finfo(x.dtype.dtype)
    for there, number in (
        (np.isnan(values), nan),
        (np.isposinf(values), kind.max if posinf is None else posinf),
        (np.isneginf(values), kind.min if neginf is None else neginf),
    ):
        if there.any():
            x = _native.where(there, _native.cast(operand(number), x.dtype), x)
    return x


@implements(np.sinc)
def sinc(x: TensorLike) -> Tensor:
    """Return sin(pi x) / (pi x), and 1 at 0.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.sinc([0.0, 0.5]).numpy().round(6)
    array([1.     , 0.63662])
    """
    result: Tensor = sinc_ops.sinc(as_inexact(operand(x)))
    return result


@implements(np.i0)
def i0(x: TensorLike) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.i0([0.0, 1.0]).numpy().round(6)
    array([1.      , 1.266066])
    """
    result: Tensor = bessel.i0(as_inexact(operand(x)))
    return result
