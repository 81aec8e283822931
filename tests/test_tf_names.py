"""The namespaces: every listed name is there, `dir` lists them, and second names are the same objects."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

# What TensorFlow's guides and tests of automatic differentiation use of its top level.
NAMES = """
Assert DType GradientTape Module Tensor TensorShape TensorSpec UnconnectedGradients Variable abs acos acosh add
add_n argmax argmin argsort as_dtype asin asinh assert_equal assert_greater assert_less assert_rank atan atan2 atanh
bool boolean_mask broadcast_dynamic_shape broadcast_static_shape broadcast_to case cast clip_by_global_norm
clip_by_norm clip_by_value complex complex128 complex64 concat cond constant constant_initializer convert_to_tensor
cos cosh cumsum custom_gradient debugging divide double dtypes dynamic_partition dynamic_stitch einsum ensure_shape
equal errors executing_eagerly exp expand_dims eye fill float16 float32 float64 floor foldl foldr function gather
gather_nd grad_pass_through greater greater_equal half identity identity_n initializers int16 int32 int64 int8
is_tensor keras less less_equal linalg linspace logical_and logical_not logical_or losses map_fn math matmul maximum
meshgrid metrics minimum multiply negative nest newaxis nn norm not_equal numpy_function one_hot ones
ones_initializer ones_like optimizers pad pow print py_function random random_normal_initializer
random_uniform_initializer range rank realdiv reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean
reduce_min reduce_prod reduce_sum repeat reshape reverse reverse_sequence roll round saturate_cast scalar_mul scan
scatter_nd searchsorted sequence_mask shape shape_n sigmoid sign sin sinh size slice sort split sqrt square squeeze
stack stop_gradient strided_slice subtract switch_case tan tanh tensor_scatter_nd_add tensor_scatter_nd_max
tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile transpose truediv truncatediv
truncatemod uint16 uint32 uint64 uint8 unique unique_with_counts unravel_index unstack vectorized_map where
while_loop zeros zeros_initializer zeros_like
""".split()  # noqa: SIM905
NAMESPACES = ["", "debugging", "dtypes", "errors", "math", "math.special", "nest", "nn"]


def namespace(name: str) -> Any:
    found: Any = tf
    for part in filter(None, name.split(".")):
        found = getattr(found, part)
    return found


def test_tensorflows_names_are_there() -> None:
    assert [name for name in NAMES if name not in tf.__all__] == []


@pytest.mark.parametrize("name", NAMESPACES)
def test_listed_names_exist(name: str) -> None:
    module = namespace(name)
    assert len(set(module.__all__)) == len(module.__all__)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="nothing_like_this"):
        module.nothing_like_this  # noqa: B018


@pytest.mark.parametrize("name", NAMESPACES)
def test_public_functions_are_documented(name: str) -> None:
    module = namespace(name)
    functions = [getattr(module, listed) for listed in module.__all__]
    assert [f.__name__ for f in functions if callable(f) and not (f.__doc__ or "").strip()] == []


def test_second_names() -> None:
    assert tf.optimizers is tf.keras.optimizers
    assert tf.losses is tf.keras.losses
    assert tf.metrics is tf.keras.metrics
    assert tf.initializers is tf.keras.initializers
    assert tf.zeros_initializer is tf.keras.initializers.Zeros
    assert tf.random_normal_initializer(stddev=0.0)((2,)).numpy().tolist() == [0.0, 0.0]
    for name in ("cast", "complex", "saturate_cast", "as_dtype", "DType", "float32"):
        assert getattr(tf.dtypes, name) is getattr(tf, name)
    for name in ("top_k", "in_top_k", "l2_normalize", "zero_fraction", "softmax", "log_softmax"):
        assert getattr(tf.nn, name) is getattr(tf.math, name)


def test_what_types_say() -> None:
    assert [dtype.is_numeric for dtype in (tf.float32, tf.int8, tf.complex64, tf.bool)] == [True, True, True, False]
    assert [dtype.is_unsigned for dtype in (tf.uint8, tf.int8, tf.float32, tf.bool)] == [True, False, False, False]
    assert tf.complex64.real_dtype is tf.float32
    assert tf.complex128.real_dtype is tf.float64
    assert tf.int8.real_dtype is tf.int8 is tf.int8.base_dtype
    assert [tf.int32.is_compatible_with(kind) for kind in ("int32", np.int32, tf.int64)] == [True, True, False]


def test_importing_the_package_imports_neither_scipy_nor_keras() -> None:
    code = (
        "import sys, tapegrad as tf; tf.math.sin(1.0); tf.dtypes.cast(1.0, tf.int32);"
        "print([name for name in ('scipy', 'tapegrad.keras', 'tapegrad.nn', 'tapegrad.special')"
        " if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_modules_list_what_they_define() -> None:
    for name in ("arithmetic", "arrays", "control_flow", "counting", "functional", "indexing", "ordering", "scatter"):
        module = importlib.import_module(f"tapegrad._tf.{name}")
        assert module.__all__ == sorted(module.__all__)
        assert [listed for listed in module.__all__ if not hasattr(module, listed)] == []
