"""Fourier transforms as in `autograd.numpy.fft`: NumPy's, recorded for tensors."""

from __future__ import annotations

from typing import Any

import numpy as _np

import tapegrad.numpy as _recorded
from tapegrad.compat.autograd._namespaces import mirrored, names_of

__all__ = names_of(_np.fft)

_get = mirrored(_np.fft, globals(), lambda name: getattr(_recorded.fft, name, getattr(_np.fft, name)))


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
