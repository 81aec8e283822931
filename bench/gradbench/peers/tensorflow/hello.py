"""The square of a number, and its derivative."""

from bench.gradbench.evals.hello import double, square

__all__ = ["double", "square"]
