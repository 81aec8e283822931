"""NumPy as in `autograd.numpy`: numbers and arrays go to NumPy itself, tensors are recorded.

Values are NumPy's, bit for bit. Unlike plain NumPy, these functions take lists of tensors.

Examples
--------
>>> import tapegrad.compat.autograd.numpy as np
>>> from tapegrad.compat.autograd import grad
>>> grad(lambda x: np.sum([x, np.exp(x)]))(0.0)
np.float64(2.0)
"""

from __future__ import annotations

from typing import Any

import numpy as _np

import tapegrad.numpy as _recorded
from tapegrad.compat.autograd._namespaces import mirrored, names_of
from tapegrad.compat.autograd.numpy import (
    fft,
    linalg,
    numpy_boxes,
    numpy_jvps,
    numpy_vjps,
    numpy_vspaces,
    numpy_wrapper,
    random,
)
from tapegrad.compat.autograd.numpy.numpy_wrapper import make_diagonal

__version__ = _np.__version__

__all__ = names_of(_np, {"make_diagonal": make_diagonal})

__all__ += ["numpy_boxes", "numpy_jvps", "numpy_vjps", "numpy_vspaces", "numpy_wrapper"]

_get = mirrored(_np, globals(), lambda name: getattr(_recorded, name, getattr(_np, name)))


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
