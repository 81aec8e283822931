"""The log-likelihood of a Gaussian mixture with a Wishart prior, in ADBench's parameters."""

from bench.gradbench.evals.gmm import jacobian, objective

__all__ = ["jacobian", "objective"]
