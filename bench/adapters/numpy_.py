"""NumPy without a tape, derivatives written out by hand: the yardstick for a library built on NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench import oracle
from bench.adapters import LongChain, Scalar, Training
from bench.numpy_ops import OPS
from bench.oracle import Array
from bench.programs import Function


class _Numpy:
    name = "numpy"
    version = np.__version__
    max_nodes = 0
    ops = OPS

    def constant(self, array: Array) -> Array:
        """Return the array itself."""
        return array

    def scalar(self, kind: str) -> Scalar | None:
        """Return None: nothing is recorded (the plain float chain is a reference of the question itself)."""
        return None

    def long_chain(self, x: float, w: float, b: float, nodes: int) -> LongChain | None:
        """Return None: nothing is recorded."""
        return None

    def vector(self, x: Array, w: Array, b: Array) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients as one would write them by hand."""
        return lambda: oracle.vector_gradient(x, w, b)

    def square(self, x: float) -> Callable[[], Any]:
        """Return the derivative `2 * x`."""
        value = np.float64(x)
        return lambda: 2.0 * value

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Training:
        """Return the hand-written step, timed against itself: a ratio off 1 is the error of all ratios."""
        state = [array.copy() for array in parameters]
        return Training(lambda: oracle.mlp_step(state, images, labels, rate), lambda: state)

    def train(self, loss: Function, parameters: Sequence[Array], rate: float) -> Training | None:
        """Return None: the step by hand is a reference of the question itself."""
        return None

    def value_and_gradients(self, program: Function, arguments: Sequence[Array]) -> None:
        """Return None: NumPy has no derivatives, and its forward pass is a reference of the questions themselves."""

    def jacobian(self, program: Function, x: Array, results: int) -> None:
        """Return None, as above."""

    def hessian(self, program: Function, x: Array) -> None:
        """Return None, as above."""

    def hessian_product(self, program: Function, x: Array, v: Array) -> None:
        """Return None, as above."""

    def minimize(self, program: Function, start: Array) -> Callable[[], Any]:
        """Return what SciPy does without a gradient: finite differences."""
        from scipy.optimize import minimize

        return lambda: minimize(program, start, method="BFGS")


def build() -> _Numpy:
    """Return NumPy's adapter."""
    return _Numpy()
