"""The logarithm of a sum of exponentials, safe from overflow."""

from bench.gradbench.evals.lse import gradient, primal

__all__ = ["gradient", "primal"]
