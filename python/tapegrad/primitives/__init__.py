"""Solvers and compiled functions made differentiable: `primitive`, and `implicit_solve` for equations."""

from tapegrad.primitives.external import primitive
from tapegrad.primitives.implicit import implicit_solve

__all__ = ["implicit_solve", "primitive"]
