"""What rules for broadcasting functions are written with, as in `autograd.numpy.numpy_jvps`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.autograd._values import is_complex

__all__ = ["broadcast"]


def broadcast(x: Any, target: Any) -> Any:
    """Return a tangent in the shape of the result it belongs to, complex if that is.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_jvps import broadcast
    >>> broadcast(1.0, np.zeros(2))
    array([1., 1.])
    """
    shape = np.shape(target)
    x = x if np.shape(x) == shape else np.broadcast_to(x, shape)
    return x + 0j if is_complex(target) and not is_complex(x) else x
