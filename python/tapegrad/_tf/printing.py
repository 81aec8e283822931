"""`tf.print`: tensors printed as TensorFlow prints them, in a shortened form if they are long."""

from __future__ import annotations

import pprint
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from tapegrad import nest
from tapegrad._native import Value, array

__all__ = ["print", "summarized"]

_Array = npt.NDArray[Any]


def print(
    *inputs: Any,
    output_stream: TextIO | str | None = None,
    end: str = "\n",
    sep: str = " ",
    summarize: int | None = 3,
    name: str | None = None,
) -> None:
    r"""Print tensors and other objects, to the standard error stream unless another is named.

    Parameters
    ----------
    *inputs
        What to print: tensors, structures that hold tensors, and anything else.
    output_stream
        A stream such as `sys.stdout`, or a string such as `"file:///tmp/log.txt"`: a file to append to.
    end, sep
        What follows the last object, and what separates them.
    summarize
        How many elements to show at the beginning and the end of each axis; -1 or `None` for all.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If `summarize` is less than -1, or the output is neither a stream nor a file.

    Examples
    --------
    >>> import sys, tapegrad as tf
    >>> tf.print("x:", tf.range(10), [tf.constant(0.5)], output_stream=sys.stdout)
    x: [0 1 2 ... 7 8 9] [0.5]
    """
    count = -1 if summarize is None else summarize
    if count < -1:
        raise ValueError(f"summarize is at least -1, not {count}.")
    text = sep.join([_text(x, count) for x in inputs]) + end
    if isinstance(output_stream, str):
        if not output_stream.startswith("file://"):
            raise ValueError(f"output_stream is a stream or 'file://' with a path, not {output_stream!r}.")
        with Path(output_stream.removeprefix("file://")).open("a", encoding="utf-8") as file:
            file.write(text)
        return
    stream = sys.stderr if output_stream is None else output_stream
    stream.write(text)
    stream.flush()


class _Tensor:
    """A tensor in a structure that `pprint` formats: its representation is its elements."""

    def __init__(self, tensor: Value, count: int) -> None:
        self._tensor = tensor
        self._count = count

    def __repr__(self) -> str:
        return summarized(array(self._tensor), self._count)


def _text(x: Any, count: int) -> str:
    if isinstance(x, str):
        return x
    if isinstance(x, Value):
        return summarized(array(x), count)
    if nest.is_nested(x):
        x = nest.map_structure(lambda leaf: _Tensor(leaf, count) if isinstance(leaf, Value) else leaf, x)
    return pprint.pformat(x)


def summarized(values: _Array, count: int) -> str:
    """Return the elements of an array as text, of longer axes than 2 * `count` only the first and last `count`."""
    if values.ndim == 0:
        return _number(values[()])
    return _rows(values, count, 1)


def _rows(values: _Array, count: int, depth: int) -> str:
    size = len(values)
    is_long = count >= 0 and 2 * count < size
    numbers = [*range(count), *range(size - count, size)] if is_long else range(size)
    shown = [_number(values[k]) if values.ndim == 1 else _rows(values[k], count, depth + 1) for k in numbers]
    if is_long:
        shown.insert(count, "...")
    # Rows begin on lines of their own below the bracket, matrices with an empty line between them.
    separator = " " if values.ndim == 1 else "\n" * (values.ndim - 1) + " " * depth
    return f"[{separator.join(shown)}]"


def _number(value: Any) -> str:
    if isinstance(value, np.bool_):
        return str(int(value))
    if isinstance(value, np.float64):
        return _digits(float(value), 15, 17, np.float64)
    if isinstance(value, np.floating):
        return _digits(float(value), 6, 9, np.float32)
    return str(value)


def _digits(value: float, few: int, many: int, kind: type[np.floating[Any]]) -> str:
    """Return the number with a few digits if they say all, else with as many as are needed."""
    text = f"{value:.{few}g}"
    return text if kind(text) == kind(value) or value != value else f"{value:.{many}g}"
