"""The operation that lets finite numbers pass, and finite cotangents on their way back."""

from __future__ import annotations

import numpy as np

from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import Operation, TensorLike, linear
from tapegrad.errors import InvalidArgumentError

__all__ = ["check_numerics"]


def check_numerics(x: TensorLike, message: str) -> Tensor:
    """Return `x`, and raise if an element of it, or later of its cotangent, is NaN or infinite.

    Raises
    ------
    InvalidArgumentError
        Which begins with `message`; during the reverse sweep it says that it is about a gradient.
    """
    x = as_tensor(x)
    values = array(x)
    found = [what for what, is_bad in (("Inf", np.isinf), ("NaN", np.isnan)) if is_bad(values).any()]
    if found:
        raise InvalidArgumentError(
            f"{message} : Tensor had {' and '.join(found)} values (shape={x.shape} dtype={x.dtype.name}): {values}"
        )
    result: Tensor = _pass(x, message=message)
    return result


_pass: Operation = linear(
    "check_numerics",
    forward=lambda a, *, message: a,
    transpose=lambda g, message: check_numerics(
        g, f"Not a number (NaN) or infinity (Inf) values detected in gradient. {message}"
    ),
    axes=(),
)
