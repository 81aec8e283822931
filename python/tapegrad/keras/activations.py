"""Activation functions by name, as layers take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad import _native as native
from tapegrad import nn
from tapegrad._native import Tensor

__all__ = [
    "elu",
    "exponential",
    "gelu",
    "get",
    "leaky_relu",
    "linear",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

Activation = Callable[[Any], Any]

elu = nn.elu
gelu = nn.gelu
leaky_relu = nn.leaky_relu
log_softmax = nn.log_softmax
relu = nn.relu
relu6 = nn.relu6
selu = nn.selu
sigmoid = nn.sigmoid
silu = nn.silu
softmax = nn.softmax
softplus = nn.softplus
softsign = nn.softsign
swish = nn.silu
tanh = nn.tanh


def exponential(x: Any) -> Tensor:
    """``exp(x)``.

    Parameters
    ----------
    x
        A tensor of any shape.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.activations.exponential(0.0))
    1.0
    """
    return native.elementwise["exp"](x)


def linear(x: Any) -> Any:
    """``x`` itself.

    Parameters
    ----------
    x
        A tensor of any shape.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.activations.linear(2.0))
    2.0
    """
    return x


_BY_NAME: dict[str, Activation] = {name: globals()[name] for name in __all__ if name != "get"}


def get(identifier: str | Activation | None) -> Activation:
    """The activation function that `identifier` names.

    Parameters
    ----------
    identifier
        A name of this module, a function (returned as it is), or None (`linear`).

    Raises
    ------
    ValueError
        If no activation has this name.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.activations.get("relu") is tf.nn.relu
    True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise ValueError(f"Unknown activation function {identifier!r}; known are {', '.join(sorted(_BY_NAME))}.")
        return _BY_NAME[identifier]
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret activation {identifier!r}: expected a name, a function or None.")
