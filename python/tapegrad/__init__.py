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

from tapegrad import autodiff, debugging, dtypes, errors, linalg, math, nest, random
from tapegrad._interchange import from_dlpack
from tapegrad._native import Tensor, from_numpy
from tapegrad._ops.complex_parts import complex
from tapegrad._ops.elementwise import elementwise as _elementwise
from tapegrad._ops.registered import register_ufunc
from tapegrad._tf.arithmetic import (
    atan2,
    realdiv,
    scalar_mul,
    truediv,
    truncatediv,
    truncatemod,
)
from tapegrad._tf.arrays import (
    concat,
    meshgrid,
    pad,
    repeat,
    reverse,
    reverse_sequence,
    roll,
    split,
    stack,
    tile,
    transpose,
    unstack,
)
from tapegrad._tf.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from tapegrad._tf.control_flow import (
    case,
    cond,
    switch_case,
    while_loop,
)
from tapegrad._tf.creation import (
    cast,
    constant,
    convert_to_tensor,
    eye,
    fill,
    identity,
    identity_n,
    is_tensor,
    linspace,
    one_hot,
    ones,
    ones_like,
    range,
    saturate_cast,
    sequence_mask,
    zeros,
    zeros_like,
)
from tapegrad._tf.functional import (
    foldl,
    foldr,
    map_fn,
    scan,
    vectorized_map,
)
from tapegrad._tf.functions import (
    executing_eagerly,
    function,
    numpy_function,
    py_function,
)
from tapegrad._tf.indexing import boolean_mask, gather, gather_nd, slice, strided_slice, unravel_index, where
from tapegrad._tf.ordering import argsort, searchsorted, sort, unique, unique_with_counts
from tapegrad._tf.printing import (
    print,
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
from tapegrad._tf.scatter import (
    dynamic_partition,
    dynamic_stitch,
    scatter_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from tapegrad._tf.shapes import (
    broadcast_dynamic_shape,
    broadcast_static_shape,
    broadcast_to,
    ensure_shape,
    expand_dims,
    rank,
    reshape,
    shape,
    shape_n,
    size,
    squeeze,
)
from tapegrad._tf.tensor_shape import (
    TensorShape,
)
from tapegrad._tf.tensor_spec import (
    TensorSpec,
)
from tapegrad.anomaly import AnomalyError, detect_anomaly
from tapegrad.checkpointing import checkpoint, checkpoint_loop, recompute_grad
from tapegrad.custom_gradient import custom_gradient, grad_pass_through, stop_gradient
from tapegrad.debugging import (
    Assert,
    assert_equal,
    assert_greater,
    assert_less,
    assert_rank,
)
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
from tapegrad.functional import (
    elementwise_grad,
    flatten,
    grad,
    hessian,
    hessian_vector_product,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from tapegrad.indexed_slices import IndexedSlices
from tapegrad.linalg import einsum, matmul, tensordot
from tapegrad.module import Module
from tapegrad.primitives import implicit_solve, primitive
from tapegrad.tape import GradientTape, UnconnectedGradients
from tapegrad.variable import Variable

# TensorFlow's name stays where the parameters are named otherwise.
globals().update({name: operation for name, operation in vars(_elementwise).items() if name != "atan2"})

newaxis = None
"""In an index, a new axis of size 1."""

# Imported when first used: not every program needs them.
_LAZY = ("array_api", "keras", "memory", "nn", "numpy", "scipy", "signal", "special", "testing")

# TensorFlow's second names of what Keras has.
_FROM_KERAS = {
    "constant_initializer": "initializers.Constant",
    "initializers": "initializers",
    "losses": "losses",
    "metrics": "metrics",
    "ones_initializer": "initializers.Ones",
    "optimizers": "optimizers",
    "random_normal_initializer": "initializers.RandomNormal",
    "random_uniform_initializer": "initializers.RandomUniform",
    "zeros_initializer": "initializers.Zeros",
}

__all__ = [
    "AnomalyError",
    "Assert",
    "DType",
    "GradientTape",
    "IndexedSlices",
    "Module",
    "Tensor",
    "TensorShape",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "array_api",
    "as_dtype",
    "assert_equal",
    "assert_greater",
    "assert_less",
    "assert_rank",
    "atan2",
    "autodiff",
    "bool",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "checkpoint",
    "checkpoint_loop",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "complex128",
    "complex64",
    "concat",
    "cond",
    "constant",
    "constant_initializer",
    "convert_to_tensor",
    "cumprod",
    "cumsum",
    "custom_gradient",
    "debugging",
    "detect_anomaly",
    "double",
    "dtypes",
    "dynamic_partition",
    "dynamic_stitch",
    "einsum",
    "elementwise_grad",
    "ensure_shape",
    "errors",
    "executing_eagerly",
    "expand_dims",
    "eye",
    "fill",
    "flatten",
    "float16",
    "float32",
    "float64",
    "foldl",
    "foldr",
    "from_dlpack",
    "from_numpy",
    "function",
    "gather",
    "gather_nd",
    "grad",
    "grad_pass_through",
    "half",
    "hessian",
    "hessian_vector_product",
    "hvp",
    "identity",
    "identity_n",
    "implicit_solve",
    "initializers",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_tensor",
    "jacobian",
    "jvp",
    "keras",
    "linalg",
    "linspace",
    "losses",
    "map_fn",
    "math",
    "matmul",
    "memory",
    "meshgrid",
    "metrics",
    "nest",
    "newaxis",
    "nn",
    "norm",
    "numpy",
    "numpy_function",
    "one_hot",
    "ones",
    "ones_initializer",
    "ones_like",
    "optimizers",
    "pad",
    "primitive",
    "print",
    "py_function",
    "random",
    "random_normal_initializer",
    "random_uniform_initializer",
    "range",
    "rank",
    "realdiv",
    "recompute_grad",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "register_ufunc",
    "repeat",
    "reshape",
    "reverse",
    "reverse_sequence",
    "roll",
    "saturate_cast",
    "scalar_mul",
    "scan",
    "scatter_nd",
    "scipy",
    "searchsorted",
    "sequence_mask",
    "shape",
    "shape_n",
    "signal",
    "size",
    "slice",
    "sort",
    "special",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "switch_case",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tensordot",
    "testing",
    "tile",
    "transpose",
    "truediv",
    "truncatediv",
    "truncatemod",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "unique",
    "unique_with_counts",
    "unravel_index",
    "unstack",
    "value_and_grad",
    "vectorized_map",
    "vjp",
    "where",
    "while_loop",
    "zeros",
    "zeros_initializer",
    "zeros_like",
    *(name for name in vars(_elementwise) if name != "atan2"),
]


if _TYPE_CHECKING:
    from tapegrad import array_api, keras, memory, nn, numpy, scipy, signal, special, testing
    from tapegrad.keras import initializers, losses, metrics, optimizers
    from tapegrad.keras.initializers import Constant as constant_initializer  # noqa: N813
    from tapegrad.keras.initializers import Ones as ones_initializer  # noqa: N813
    from tapegrad.keras.initializers import RandomNormal as random_normal_initializer  # noqa: N813
    from tapegrad.keras.initializers import RandomUniform as random_uniform_initializer  # noqa: N813
    from tapegrad.keras.initializers import Zeros as zeros_initializer  # noqa: N813

    __version__: str


def __getattr__(name: str) -> _Callable[..., Tensor]:
    # To a type checker this declares the elementwise operations: their names are only known at run time.
    if name in _FROM_KERAS:
        module, _, member = _FROM_KERAS[name].partition(".")
        found = _import_module(f"{__name__}.keras.{module}")
        return _cast("_Callable[..., Tensor]", getattr(found, member) if member else found)
    if name in _LAZY:
        return _cast("_Callable[..., Tensor]", _import_module(f"{__name__}.{name}"))
    if name == "__version__":
        return _cast("_Callable[..., Tensor]", _import_module("importlib.metadata").version(__name__))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
