"""Linear algebra as in `autograd.numpy.linalg`: NumPy's, recorded for tensors."""

from __future__ import annotations

from typing import Any

import numpy as _np

import tapegrad.numpy as _recorded
from tapegrad.compat.autograd._namespaces import mirrored, names_of

__all__ = names_of(_np.linalg)

_get = mirrored(_np.linalg, globals(), lambda name: getattr(_recorded.linalg, name, getattr(_np.linalg, name)))


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
