"""The saddle point of a function: a descent through the whole of another one."""

from bench.gradbench.evals.saddle import ff, fr, rf, rr

__all__ = ["ff", "fr", "rf", "rr"]
