"""Steering a charged particle: a descent through a simulation whose forces are themselves gradients."""

from bench.gradbench.evals.particle import ff, fr, rf, rr

__all__ = ["ff", "fr", "rf", "rr"]
