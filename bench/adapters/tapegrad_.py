"""tapegrad, through the same GradientTape programs as TensorFlow, and its own functions for second derivatives."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import tapegrad
from bench.adapters.gradient_tape import GradientTapeAdapter
from bench.oracle import Array
from bench.programs import Function, Ops


class _Tapegrad(GradientTapeAdapter):
    @property
    def ops(self) -> Ops:
        """Return the same functions, but for `W @ x`, which TensorFlow has not for vectors."""
        return replace(super().ops, matvec=operator.matmul)

    def hessian(self, program: Function, x: Array) -> Callable[[], Any]:
        """Return `tapegrad.hessian`."""
        source, hessian = tapegrad.constant(x), tapegrad.hessian(program)
        return lambda: hessian(source)

    def sparse_hessian(self, program: Function, x: Array) -> Callable[[], Any]:
        """Return `tapegrad.sparse_hessian`, whose result holds the elements that are not zero."""
        source, hessian = tapegrad.constant(x), tapegrad.sparse_hessian(program)
        return lambda: hessian(source)

    def hessian_product(self, program: Function, x: Array, v: Array) -> Callable[[], Any]:
        """Return `tapegrad.hvp`."""
        source, vector, product = tapegrad.constant(x), tapegrad.constant(v), tapegrad.hvp(program)
        return lambda: product(source, vector)

    def minimize(self, program: Function, start: Array) -> Callable[[], Any]:
        """Return `tapegrad.scipy.minimize`."""
        from tapegrad.scipy import minimize

        return lambda: minimize(program, start, method="BFGS")


def build() -> GradientTapeAdapter:
    """Return tapegrad's adapter."""
    return _Tapegrad(tapegrad, "tapegrad", tapegrad.__version__, max_nodes=10_000_000)
