"""A determinant by expansion in minors: recursion over scalars, by the definition."""

from bench.gradbench.evals.det import gradient, primal

__all__ = ["gradient", "primal"]
