"""A character model: layers of LSTM cells whose matrices are diagonal, over a text."""

from bench.gradbench.evals.lstm import jacobian, objective

__all__ = ["jacobian", "objective"]
