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
from tapegrad.compat.autograd.numpy._index_tricks import c_, r_
from tapegrad.compat.autograd.numpy.numpy_wrapper import (
    array_from_args,
    concatenate_args,
    make_diagonal,
    metadata,
    notrace_primitive,
    numpy_version,
    primitive,
    where,
    wrap_namespace,
)

__version__ = _np.__version__

# NumPy's names, among which are those of c_, r_, where and of the submodules, and autograd's own.
_OWN = {
    "array_from_args": array_from_args,
    "c_": c_,
    "concatenate_args": concatenate_args,
    "fft": fft,
    "linalg": linalg,
    "make_diagonal": make_diagonal,
    "metadata": metadata,
    "notrace_primitive": notrace_primitive,
    "numpy_boxes": numpy_boxes,
    "numpy_jvps": numpy_jvps,
    "numpy_vjps": numpy_vjps,
    "numpy_version": numpy_version,
    "numpy_vspaces": numpy_vspaces,
    "numpy_wrapper": numpy_wrapper,
    "primitive": primitive,
    "r_": r_,
    "random": random,
    "where": where,
    "wrap_namespace": wrap_namespace,
}

__all__ = names_of(_np, _OWN)

_get = mirrored(_np, globals(), lambda name: getattr(_recorded, name, getattr(_np, name)))


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
