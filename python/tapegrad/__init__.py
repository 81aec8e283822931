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

from typing import Any as _Any

from tapegrad import _lazy

_EXPORTS = _lazy.exports(__file__)

newaxis = None
"""In an index, a new axis of size 1."""


def __getattr__(name: str) -> _Any:
    # Imported when first used: no program needs all of it.
    value = _lazy.load(__name__, name, _EXPORTS)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__getattr__("__all__"))
