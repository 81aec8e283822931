"""What the tests of ufuncs' calls and methods share: operands, and the comparison with NumPy."""

import numpy as np
from optable import DIFFERENTIABLE

import tapegrad as tf

__all__ = ["BINARY", "X", "Y", "same", "source"]

X = np.array([[0.7, 1.3, 0.4], [2.1, 0.9, 1.7]])
Y = np.array([[1.2, 0.6, 2.2], [0.8, 1.5, 0.3]])
BINARY = [op.name for op in DIFFERENTIABLE if op.operands == 2 and hasattr(np, op.name)]


def same(result, reference):
    """Whether a tensor holds NumPy's result, bit for bit."""
    assert isinstance(result, tf.Tensor), type(result)
    reference = np.asarray(reference)
    assert result.dtype == reference.dtype
    assert result.shape == reference.shape
    assert result.numpy().tobytes() == reference.tobytes()


def source(tape, values):
    """A tensor that the tape watches."""
    x = tf.constant(values)
    tape.watch(x)
    return x
