"""NumPy's `Ops`: for the forward pass that others are compared with, and for complex steps, which give derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.oracle import Array, MismatchError, array, close
from bench.programs import Ops

STEP = 1e-30


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _logdet(matrix: Array) -> Any:
    """Return the logarithm of the determinant, of complex matrices too: there the sign holds the derivative."""
    sign, logarithm = np.linalg.slogdet(matrix)
    return logarithm + np.log(sign) if np.iscomplexobj(matrix) else logarithm


OPS = Ops(
    exp=np.exp,
    sqrt=np.sqrt,
    log=np.log,
    tanh=np.tanh,
    sigmoid=_sigmoid,
    softplus=lambda x: np.logaddexp(0.0, x),
    sum=np.sum,
    split=lambda x, parts: np.split(x, parts, axis=-1),
    transpose=np.transpose,
    matvec=np.matmul,
    diagonal=np.diagonal,
    solve=np.linalg.solve,
    solve_lower=np.linalg.solve,
    cholesky=np.linalg.cholesky,
    logdet=_logdet,
)


def check_gradients(
    name: str,
    got: tuple[Any, Sequence[Any]],
    program: Callable[..., Any],
    arguments: Sequence[Array],
    rtol: float = 1e-9,
    directions: int = 2,
) -> None:
    """Compare a value and its gradients with `program` (in NumPy's Ops), which takes a complex step in directions.

    Such a derivative is exact to rounding, and independent of every rule. Each argument is moved on its own.

    Raises
    ------
    MismatchError
        If one of them is further away than `rtol`.
    """
    value, gradients = got
    close(f"{name}: value", value, program(*arguments), rtol)
    generator = np.random.default_rng(0)
    for index, (argument, gradient) in enumerate(zip(arguments, gradients, strict=True)):
        if array(gradient).shape != argument.shape:
            raise MismatchError(f"{name}: gradient {index} has shape {array(gradient).shape}, not {argument.shape}")
        for _ in range(directions):
            direction = generator.normal(size=argument.shape)
            moved = [*arguments]
            moved[index] = argument + 1j * STEP * direction
            slope = np.imag(program(*moved)) / STEP
            close(f"{name}: gradient {index}", np.sum(array(gradient) * direction), slope, rtol)
