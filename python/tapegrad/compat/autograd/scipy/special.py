"""Special functions as in `autograd.scipy.special`: SciPy's, recorded for tensors by `tapegrad.special`."""

from __future__ import annotations

from typing import Any

from scipy import special as _special

import tapegrad.special as _recorded
from tapegrad.compat.autograd._namespaces import mirrored, names_of

__all__ = names_of(_special)

_get = mirrored(_special, globals(), lambda name: getattr(_recorded, name, None))


def __getattr__(name: str) -> Any:
    return _get(name)


def __dir__() -> list[str]:
    return __all__
