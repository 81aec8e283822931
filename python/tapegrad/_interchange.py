"""Exchanging values with other array libraries: DLPack both ways, elements of arrays, the Array API's namespace.

The buffer protocol needs nothing here: `memoryview(x)` is a read-only view, made by the native types.
"""

from __future__ import annotations

import opcode
import sys
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Tensor, own

__all__ = ["array_namespace", "from_dlpack", "refuse_storing", "to_dlpack"]

_READ_ONLY_SINCE = (1, 0)
"""The version of DLPack from which on an exporter can say that memory must not be written to."""

_NUMPY_SAYS_IT = np.lib.NumpyVersion(np.__version__) >= "2.1.0"

_CPU = (1, 0)

_API_VERSIONS = ("2022.12", "2023.12", "2024.12")


def to_dlpack(
    view: npt.NDArray[Any],
    *,
    stream: None = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Return the capsule that `__dlpack__` hands to a consumer, for a tensor's read-only memory.

    It is a copy, which the consumer may write to, unless the consumer asks for the memory itself with `copy=False` and
    knows of read-only memory (DLPack 1.0). To share by default would not be safe: PyTorch 2.13 asks for version 1.0,
    and then writes to what is marked as read-only.

    Raises
    ------
    BufferError
        If the memory cannot be exported without a copy, and `copy` is False.
    """
    if dl_device is not None and tuple(dl_device) != _CPU:
        raise BufferError(f"A tensor is in the memory of the CPU, which is the device {_CPU}, not {dl_device}.")
    version = max_version if _NUMPY_SAYS_IT else None
    if copy is not False:
        view = np.array(view)
    elif version is None or tuple(version) < _READ_ONLY_SINCE:
        raise BufferError(
            "A tensor's memory is read-only, which DLPack can say from version 1.0 on: allow a copy, or ask with "
            "max_version=(1, 0)."
        )
    if version is None:
        return view.__dlpack__(stream=stream)
    return view.__dlpack__(stream=stream, max_version=version)


def from_dlpack(x: Any, /, *, device: object = None, copy: bool | None = None) -> Tensor:
    """Return a tensor with the elements of an array of another library, through DLPack.

    Parameters
    ----------
    x
        An object with the methods `__dlpack__` and `__dlpack_device__`, in the memory of the CPU.
    device
        `"cpu"` or None.
    copy
        True and None copy, so that writing to `x` later does not change the tensor. False shares the memory: the caller
        promises not to write to it while the tensor, or a tape that saved it, is alive.

    Raises
    ------
    TypeError
        If `x` is watched by a tape, or tensors cannot have its elements.
    BufferError
        If `x` cannot be exported.
    ValueError
        If the device is not "cpu".

    Examples
    --------
    >>> import numpy as np, tapegrad as tf
    >>> tf.from_dlpack(np.arange(3.0))
    <tf.Tensor: shape=(3,), dtype=float64, numpy=array([0., 1., 2.])>
    """
    if device not in (None, "cpu"):
        raise ValueError(f"from_dlpack: tensors are on the device 'cpu', not {device!r}.")
    try:
        shared = np.from_dlpack(x)
    except RuntimeError as error:  # a type such as bfloat16
        raise TypeError(f"from_dlpack: {error}") from error
    return own(shared if copy is False else np.array(shared))


_STORING = {opcode.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in opcode.opmap}


def refuse_storing(depth: int = 1) -> None:
    """Raise if the statement that called is `container[key] = value`; `depth` is the number of calls in between.

    What a watched value's `__float__` asks: NumPy converts a tensor that becomes an element of an array, `a[0] = x`, as
    `float(x)` does, and the gradient would be lost without a word. The two differ in the caller's instruction only.

    Raises
    ------
    TypeError
        With what to do.
    """
    frame = sys._getframe(depth)
    if frame.f_code.co_code[frame.f_lasti] in _STORING:
        raise TypeError(
            "a tape records this value, and in an array it would leave the tape: write to a tensor instead of an "
            "array, stack values with tapegrad.stack, or store a constant with float(x)"
        )


def array_namespace(api_version: str | None = None) -> ModuleType:
    """Return the functions of the Array API standard for tensors."""
    if api_version is not None and api_version not in _API_VERSIONS:
        raise ValueError(f"Unknown version {api_version!r} of the Array API standard: {', '.join(_API_VERSIONS)}.")
    from tapegrad import array_api

    return array_api
