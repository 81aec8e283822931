"""The k-means cost, and the step of Newton's method whose Hessian is diagonal."""

from bench.gradbench.evals.kmeans import cost, dir

__all__ = ["cost", "dir"]
