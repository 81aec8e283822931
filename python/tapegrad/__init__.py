"""Exact derivatives of NumPy programs at native speed, with TensorFlow's `GradientTape` as the interface.

Examples
--------
>>> import tapegrad as tf
>>> x = tf.Variable(3.0)
>>> with tf.GradientTape() as tape:
...     y = x**2
>>> float(tape.gradient(y, x))
6.0
"""

from collections.abc import Callable as _Callable
from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import cast as _cast

from tapegrad import autodiff, dtypes, linalg, math, nest, random
from tapegrad._native import Tensor, from_numpy
from tapegrad._ops.complex_parts import complex
from tapegrad._ops.elementwise import elementwise as _elementwise
from tapegrad._tf.arrays import (
    argsort,
    boolean_mask,
    broadcast_to,
    concat,
    expand_dims,
    gather,
    gather_nd,
    pad,
    rank,
    repeat,
    reshape,
    reverse,
    roll,
    scatter_nd,
    shape,
    size,
    sort,
    split,
    squeeze,
    stack,
    tile,
    transpose,
    unstack,
    where,
)
from tapegrad._tf.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from tapegrad._tf.creation import (
    cast,
    constant,
    convert_to_tensor,
    eye,
    fill,
    identity,
    is_tensor,
    linspace,
    one_hot,
    ones,
    ones_like,
    range,
    zeros,
    zeros_like,
)
from tapegrad._tf.reductions import (
    add_n,
    argmax,
    argmin,
    cumprod,
    cumsum,
    norm,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from tapegrad.custom_gradient import custom_gradient, grad_pass_through, stop_gradient
from tapegrad.dtypes import (
    DType,
    as_dtype,
    bool,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tapegrad.linalg import einsum, matmul, tensordot
from tapegrad.math import scalar_mul, truediv
from tapegrad.module import Module
from tapegrad.tape import GradientTape, UnconnectedGradients
from tapegrad.variable import Variable

globals().update(vars(_elementwise))

newaxis = None
"""In an index, a new axis of size 1."""

# Imported when first used: not every program needs them.
_LAZY = ("keras", "memory", "nn", "testing")

__all__ = [
    "DType",
    "GradientTape",
    "Module",
    "Tensor",
    "UnconnectedGradients",
    "Variable",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "as_dtype",
    "autodiff",
    "bool",
    "boolean_mask",
    "broadcast_to",
    "cast",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "complex128",
    "complex64",
    "concat",
    "constant",
    "convert_to_tensor",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "double",
    "dtypes",
    "einsum",
    "expand_dims",
    "eye",
    "fill",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "gather",
    "gather_nd",
    "grad_pass_through",
    "half",
    "identity",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_tensor",
    "keras",
    "linalg",
    "linspace",
    "math",
    "matmul",
    "memory",
    "nest",
    "newaxis",
    "nn",
    "norm",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "random",
    "range",
    "rank",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "repeat",
    "reshape",
    "reverse",
    "roll",
    "scalar_mul",
    "scatter_nd",
    "shape",
    "size",
    "sort",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "tensordot",
    "testing",
    "tile",
    "transpose",
    "truediv",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "unstack",
    "where",
    "zeros",
    "zeros_like",
    *vars(_elementwise),
]


if _TYPE_CHECKING:
    from tapegrad import keras, memory, nn, testing

    __version__: str


def __getattr__(name: str) -> _Callable[..., Tensor]:
    # To a type checker this declares the elementwise operations: their names are only known at run time.
    if name in _LAZY:
        return _cast("_Callable[..., Tensor]", _import_module(f"{__name__}.{name}"))
    if name == "__version__":
        return _cast("_Callable[..., Tensor]", _import_module("importlib.metadata").version(__name__))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
