"""The classic Runge-Kutta method on a system whose right-hand side depends on the parameters."""

from bench.gradbench.evals.ode import gradient, primal

__all__ = ["gradient", "primal"]
