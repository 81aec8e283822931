"""How tensors and variables print: TensorFlow's forms, with NumPy's digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Value, array

__all__ = ["tensor_repr", "tensor_str", "variable_repr"]


def tensor_repr(tensor: Value) -> str:
    """Return `<tf.Tensor: shape=(), dtype=float32, numpy=3.0>`."""
    return f"<tf.Tensor: shape={tensor.shape}, dtype={tensor.dtype.name}, numpy={_literal(array(tensor))}>"


def tensor_str(tensor: Value) -> str:
    """Return `tf.Tensor(3.0, shape=(), dtype=float32)`."""
    elements = _apart(str(array(tensor)))
    return f"tf.Tensor({elements}, shape={tensor.shape}, dtype={tensor.dtype.name})"


def variable_repr(variable: Value, name: str) -> str:
    """Return `<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=3.0>`."""
    value = _literal(array(variable))
    return f"<tf.Variable '{name}' shape={variable.shape} dtype={variable.dtype.name}, numpy={value}>"


def _literal(values: npt.NDArray[Any]) -> str:
    # A number's str has no type around it, as it has in NumPy's repr of a 0-d array.
    return str(values) if np.ndim(values) == 0 else _apart(repr(values))


def _apart(text: str) -> str:
    """Put the rows of a matrix below each other: they start on a line of their own."""
    return "\n" + text if "\n" in text else text
