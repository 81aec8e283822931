"""TensorFlow's `tf.math`: elementwise operations, reductions, segments and special functions.

Every elementwise operation is here under NumPy's name, and under TensorFlow's where that is another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tapegrad._native import Tensor
from tapegrad._ops.elementwise import elementwise
from tapegrad._tf import math_special as special
from tapegrad._tf.arithmetic import (
    accumulate_n,
    add_n,
    angle,
    atan2,
    conj,
    floordiv,
    floormod,
    imag,
    is_finite,
    is_inf,
    is_nan,
    l2_normalize,
    polyval,
    real,
    reciprocal_no_nan,
    rsqrt,
    scalar_mul,
    truediv,
)
from tapegrad._tf.counting import (
    bincount,
    confusion_matrix,
    zero_fraction,
)
from tapegrad._tf.extremes import argmax, argmin, in_top_k, top_k
from tapegrad._tf.gamma import (
    betainc,
    digamma,
    erfcinv,
    erfinv,
    igamma,
    igammac,
    lbeta,
    lgamma,
    ndtri,
    polygamma,
    zeta,
)
from tapegrad._tf.math_special import (
    bessel_i0,
    bessel_i0e,
    bessel_i1,
    bessel_i1e,
)
from tapegrad._tf.ordering import invert_permutation, is_non_decreasing, is_strictly_increasing
from tapegrad._tf.reductions import (
    count_nonzero,
    reduce_all,
    reduce_any,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_std,
    reduce_sum,
    reduce_variance,
)
from tapegrad._tf.running import cumprod, cumsum, cumulative_logsumexp
from tapegrad._tf.segments import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
    unsorted_segment_max,
    unsorted_segment_mean,
    unsorted_segment_min,
    unsorted_segment_prod,
    unsorted_segment_sqrt_n,
    unsorted_segment_sum,
)
from tapegrad._tf.softmax import (
    log_softmax,
    softmax,
)

__all__ = [
    "accumulate_n",
    "add_n",
    "angle",
    "argmax",
    "argmin",
    "atan2",
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "betainc",
    "bincount",
    "confusion_matrix",
    "conj",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
    "digamma",
    "erfcinv",
    "erfinv",
    "floordiv",
    "floormod",
    "igamma",
    "igammac",
    "imag",
    "in_top_k",
    "invert_permutation",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_non_decreasing",
    "is_strictly_increasing",
    "l2_normalize",
    "lbeta",
    "lgamma",
    "log_softmax",
    "ndtri",
    "polygamma",
    "polyval",
    "real",
    "reciprocal_no_nan",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "rsqrt",
    "scalar_mul",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "softmax",
    "special",
    "top_k",
    "truediv",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
    "zero_fraction",
    "zeta",
    *(name for name in vars(elementwise) if name != "atan2"),
]

# TensorFlow's names stay where the parameters are named otherwise.
globals().update({name: operation for name, operation in vars(elementwise).items() if name != "atan2"})

if TYPE_CHECKING:
    # What else there is are the elementwise operations, whose names are only known at run time.
    def __getattr__(name: str) -> Callable[..., Tensor]: ...
