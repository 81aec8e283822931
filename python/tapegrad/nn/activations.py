"""Activation functions."""

from __future__ import annotations

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.joining import concatenate

__all__ = [
    "crelu",
    "elu",
    "gelu",
    "leaky_relu",
    "log_sigmoid",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

_elu = native.elementwise["elu"]
_gelu = native.elementwise["gelu"]
_gelu_tanh = native.elementwise["gelu_tanh"]
_log_sigmoid = native.elementwise["log_sigmoid"]
_multiply = native.elementwise["multiply"]
_relu = native.elementwise["relu"]
_relu6 = native.elementwise["relu6"]
_selu = native.elementwise["selu"]
_sigmoid = native.elementwise["sigmoid"]
_silu = native.elementwise["silu"]
_softplus = native.elementwise["softplus"]
_softsign = native.elementwise["softsign"]
_tanh = native.elementwise["tanh"]


def relu(features: TensorLike, name: str | None = None) -> Tensor:
    """``max(features, 0)``; its derivative at 0 is 0.

    Parameters
    ----------
    features
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.relu([-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """
    return _relu(features)


def crelu(features: TensorLike, axis: int = -1, name: str | None = None) -> Tensor:
    """`relu` of the features and of their negatives, side by side along `axis` (Shang et al., 2016).

    Parameters
    ----------
    features
        A real tensor of any shape.
    axis
        The axis along which they lie.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.crelu([-1.0, 2.0]).numpy()
    array([0., 2., 1., 0.], dtype=float32)
    """
    features = as_tensor(features)
    return _relu(concatenate([features, -features], axis))


def relu6(features: TensorLike, name: str | None = None) -> Tensor:
    """``min(max(features, 0), 6)``.

    Parameters
    ----------
    features
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.relu6([-1.0, 2.0, 8.0]).numpy()
    array([0., 2., 6.], dtype=float32)
    """
    return _relu6(features)


def leaky_relu(features: TensorLike, alpha: TensorLike = 0.2, name: str | None = None) -> Tensor:
    """`features` where they are positive, else ``alpha * features``.

    Parameters
    ----------
    features
        A real tensor of any shape.
    alpha
        The slope of the negative side.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.leaky_relu([-1.0, 2.0]).numpy()
    array([-0.2,  2. ], dtype=float32)
    """
    features = as_tensor(features)
    return native.where(features > 0, features, _multiply(features, alpha))


def elu(features: TensorLike, name: str | None = None) -> Tensor:
    """`features` where they are positive, else ``exp(features) - 1`` (Clevert et al., 2015).

    Parameters
    ----------
    features
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.elu([-1.0, 2.0]).numpy().round(3)
    array([-0.632,  2.   ], dtype=float32)
    """
    return _elu(features)


def selu(features: TensorLike, name: str | None = None) -> Tensor:
    """The scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al., 2017).

    Parameters
    ----------
    features
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.selu([-1.0, 1.0]).numpy().round(3)
    array([-1.111,  1.051], dtype=float32)
    """
    return _selu(features)


def gelu(features: TensorLike, approximate: bool = False, name: str | None = None) -> Tensor:
    """`features` times the standard normal distribution function of them (Hendrycks and Gimpel, 2016).

    Parameters
    ----------
    features
        Of any shape.
    approximate : bool
        Whether to use the tanh approximation of the distribution function.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.gelu([-3.0, 1.0]).numpy().round(4)
    array([-0.004 ,  0.8413], dtype=float32)
    """
    return _gelu_tanh(features) if approximate else _gelu(features)


def silu(features: TensorLike, beta: TensorLike = 1.0, name: str | None = None) -> Tensor:
    """``features * sigmoid(beta * features)``, also called swish.

    Parameters
    ----------
    features
        A real tensor of any shape.
    beta
        A factor, which is broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.silu([-1.0, 1.0]).numpy().round(3)
    array([-0.269,  0.731], dtype=float32)
    """
    if isinstance(beta, float | int) and beta == 1:
        return _silu(features)
    features = as_tensor(features)
    return _multiply(features, _sigmoid(_multiply(features, beta)))


swish = silu


def sigmoid(x: TensorLike, name: str | None = None) -> Tensor:
    """``1 / (1 + exp(-x))``, without overflow.

    Parameters
    ----------
    x
        A tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.sigmoid([-1000.0, 0.0]).numpy()
    array([0. , 0.5], dtype=float32)
    """
    return _sigmoid(x)


def log_sigmoid(x: TensorLike, name: str | None = None) -> Tensor:
    """``log(sigmoid(x))``, without overflow.

    Parameters
    ----------
    x
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.log_sigmoid([-200.0, 0.0]).numpy().round(3)
    array([-200.   ,   -0.693], dtype=float32)
    """
    return _log_sigmoid(x)


def softplus(features: TensorLike, name: str | None = None) -> Tensor:
    """``log(1 + exp(features))``, without overflow.

    Parameters
    ----------
    features
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.softplus([200.0, 0.0]).numpy().round(3)
    array([200.   ,   0.693], dtype=float32)
    """
    return _softplus(features)


def softsign(features: TensorLike, name: str | None = None) -> Tensor:
    """``features / (1 + abs(features))``.

    Parameters
    ----------
    features
        A real tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.softsign([-1.0, 3.0]).numpy()
    array([-0.5 ,  0.75], dtype=float32)
    """
    return _softsign(features)


def tanh(x: TensorLike, name: str | None = None) -> Tensor:
    """The hyperbolic tangent.

    Parameters
    ----------
    x
        A tensor of any shape.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.tanh([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.762], dtype=float32)
    """
    return _tanh(x)
