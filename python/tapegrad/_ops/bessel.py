"""The modified Bessel functions of the first kind of orders 0 (NumPy's `i0`) and 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.declare import Operation, silent, structural
from tapegrad._ops.elementwise import elementwise

__all__ = ["i0", "i1"]

_Array = npt.NDArray[Any]

# Chebyshev coefficients of exp(-z) I1(z) / z in t = z / 4 - 1 for z from 0 to 8, and of exp(-z) I1(z) sqrt(z) in
# t = 16 / z - 1 for greater z, computed with 40 digits.
_NEAR = (
    0.12629359322181683, -0.17641651835783406, 0.1026436586898471, -0.052945981208094991, 0.024726449030626517,
    -0.010564084894626198, 0.0041564229443128882, -0.0015135724506312531, 0.00051228595616857577,
    -0.00016176081582589675, 4.7815651075500542e-5, -1.3273163656039436e-5, 3.4702513081376785e-6,
    -8.5687202646954547e-7, 2.0032947535521353e-7, -4.4450591287963281e-8, 9.3815373864957718e-9,
    -1.8872497517228293e-9, 3.625590281552117e-10, -6.6634897235020277e-11, 1.1736186298890902e-11,
    -1.9839743977649437e-12, 3.2237933659455747e-13, -5.0421855047279117e-14, 7.6006842947354069e-15,
    -1.1055969477353863e-15, 1.5536319577362005e-16, -2.1114212143581661e-17, 2.7779141127610464e-18,
)  # fmt: skip
_FAR = (
    0.38928811750914006, -0.0097610974913614684, -0.00011058893876262372, -3.8825648088776904e-6,
    -2.5122362378702089e-7, -2.6314688468895195e-8, -3.835380385964237e-9, -5.5897434621965838e-10,
    -1.8974958123505412e-11, 3.2526035830154882e-11, 1.4125807436613781e-11, 2.0356285441470895e-12,
    -7.1985517762459085e-13, -4.0835511110921973e-13, -2.1015418427726643e-14, 4.2724400167119514e-14,
    1.0420276984128803e-14, -3.8144030724370078e-15, -1.8803547755107824e-15, 3.3082023109209283e-16,
    2.9626289976459501e-16, -3.209525921993424e-17, -4.6503053684893583e-17, 4.4143483230717079e-18,
    7.5172963108421048e-18, -9.3141788673268834e-19, -1.242193275194891e-18,
)  # fmt: skip


def _chebyshev(t: _Array, coefficients: tuple[float, ...]) -> _Array:
    """Return the sum of Chebyshev polynomials with these coefficients, by Clenshaw's recurrence."""
    previous, value = np.zeros_like(t), np.zeros_like(t)
    for coefficient in coefficients[:0:-1]:
        previous, value = value, 2.0 * t * value - previous + coefficient
    return t * value - previous + coefficients[0]


@silent
def _i1_over_exp(x: _Array) -> _Array:
    """Return exp(-|x|) I1(|x|) in float64."""
    z = np.abs(x).astype(np.float64)
    far = np.maximum(z, 8.0)
    near: _Array = _chebyshev(np.minimum(z, 8.0) / 4.0 - 1.0, _NEAR) * z
    beyond: _Array = _chebyshev(16.0 / far - 1.0, _FAR) / np.sqrt(far)
    return np.where(z <= 8.0, near, beyond)


@silent
def _i1_forward(x: _Array) -> _Array:
    # Half of the exponential at a time: it overflows later than the product does.
    half = np.exp(np.abs(x.astype(np.float64)) / 2.0)
    result: _Array = np.copysign(_i1_over_exp(x) * half * half, x).astype(x.dtype)
    return result


def _i1_vjp(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    # I1' = I0 - I1 / x, which is 1/2 at 0.
    ratio = _native.where(elementwise.equal(x, 0.0), np.asarray(0.5, x.dtype.dtype), elementwise.divide_no_nan(out, x))
    return elementwise.multiply_no_nan(elementwise.subtract(i0(x), ratio), g)


i0: Operation = structural(
    "i0",
    silent(lambda x: np.i0(x).astype(x.dtype, copy=False)),
    x=lambda g, x: elementwise.multiply_no_nan(i1(x), g),
)
i1: Operation = structural("i1", _i1_forward, x=_i1_vjp)
