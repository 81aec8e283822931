"""The functions to differentiate, one text each in the operations that all libraries share.

A program takes a library's `Ops` and its `constant` (an array as the library's own value), and returns a function of
tensors. Loops over time stay Python loops: eager libraries are asked for what a user writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.oracle import Array

Function = Callable[..., Any]
Constant = Callable[[Array], Any]


@dataclass(frozen=True)
class Ops:
    """A library's functions for the operations that have no operator; matrices and axes are NumPy's."""

    exp: Function
    sqrt: Function
    log: Function
    tanh: Function
    sigmoid: Function
    softplus: Function
    sum: Function
    """`sum(x)` or `sum(x, axis)`."""
    split: Function
    """Divide the last axis into a number of equal parts."""
    transpose: Function
    matvec: Function
    diagonal: Function
    solve: Function
    solve_lower: Function
    cholesky: Function
    logdet: Function


def layer(ops: Ops, constant: Constant, weights: Array) -> Function:
    """Return `tanh(W x)`: as many results as W has rows."""
    w, tanh, matvec = constant(weights), ops.tanh, ops.matvec

    def outputs(x: Any) -> Any:
        return tanh(matvec(w, x))

    return outputs


def rosenbrock(ops: Ops, constant: Constant) -> Function:
    """Return the sum of `100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2`."""
    add_up = ops.sum

    def value(x: Any) -> Any:
        first = x[:-1]
        a = x[1:] - first * first
        b = 1.0 - first
        return add_up(100.0 * a * a + b * b)

    return value


def logistic(ops: Ops, constant: Constant, rows: Array, signs: Array, ridge: float) -> Function:
    """Return the mean logistic loss of labels -1 and 1, with a ridge penalty."""
    features, labels, scale = constant(rows), constant(-signs), 1.0 / len(signs)

    def loss(w: Any) -> Any:
        margins = labels * ops.matvec(features, w)
        return scale * ops.sum(ops.softplus(margins)) + 0.5 * ridge * ops.sum(w * w)

    return loss


def network(ops: Ops, constant: Constant, inputs: Array) -> Function:
    """Return the mean square of the outputs of a deep tanh network, a function of its kernels."""
    start = constant(inputs)

    def loss(*kernels: Any) -> Any:
        h = start
        for kernel in kernels:
            h = ops.tanh(h @ kernel)
        return ops.sum(h * h) * (1.0 / len(inputs))

    return loss


def lstm(ops: Ops, constant: Constant, inputs: Array, targets: Array, hidden: int) -> Function:
    """Return the squared error of what an LSTM says after the last of `inputs` (time, batch, features)."""
    steps, wanted = [constant(step) for step in inputs], constant(targets)
    zeros = constant(np.zeros((inputs.shape[1], hidden), inputs.dtype))
    sigmoid, tanh, split = ops.sigmoid, ops.tanh, ops.split

    def loss(kernel: Any, recurrent: Any, bias: Any, readout: Any) -> Any:
        h = c = zeros
        for x in steps:
            i, f, g, o = split(x @ kernel + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            h = sigmoid(o) * tanh(c)
        error = h @ readout - wanted
        return ops.sum(error * error) * (1.0 / targets.size)

    return loss


def kalman(ops: Ops, constant: Constant, observations: Array, step: float) -> Function:
    """Return a Kalman filter's log-likelihood (but for a constant) of positions in a plane, seen with noise.

    The state is two positions and two velocities; the arguments are the logarithms of the two variances (process,
    measurement), and the first state (4, 1).
    """
    move = np.eye(4)
    move[:2, 2:] = step * np.eye(2)
    pushed = np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
    forward, back, shape = constant(move), constant(move.T.copy()), constant(np.kron(pushed, np.eye(2)))
    look, look_back = constant(np.eye(2, 4)), constant(np.eye(4, 2))
    unit, start = constant(np.eye(2)), constant(np.eye(4))
    seen = [constant(position[:, None]) for position in observations]

    def log_likelihood(log_variances: Any, state: Any) -> Any:
        process = ops.exp(log_variances[0]) * shape
        noise = ops.exp(log_variances[1]) * unit
        covariance, total = start, 0.0
        for position in seen:
            state = forward @ state
            covariance = forward @ covariance @ back + process
            surprise = position - look @ state
            seen_covariance = look @ covariance
            spread = seen_covariance @ look_back + noise
            gain = ops.transpose(ops.solve(spread, seen_covariance))
            misfit = ops.sum(surprise * ops.solve(spread, surprise))
            total = total - 0.5 * (misfit + ops.logdet(spread))
            state = state + gain @ surprise
            covariance = covariance - gain @ seen_covariance
        return total

    return log_likelihood


def gaussian_process(ops: Ops, constant: Constant, x: Array, y: Array, by_cholesky: bool) -> Function:
    """Return a Gaussian process's negative log marginal likelihood (but for a constant).

    The argument holds the logarithms of the kernel's variance, its length, and the noise's variance.
    """
    distances, unit, values = constant(-0.5 * (x[:, None] - x) ** 2), constant(np.eye(len(x))), constant(y[:, None])

    def loss(logs: Any) -> Any:
        kernel = ops.exp(logs[0] + ops.exp(-2.0 * logs[1]) * distances) + ops.exp(logs[2]) * unit
        if by_cholesky:
            factor = ops.cholesky(kernel)
            white = ops.solve_lower(factor, values)
            return 0.5 * ops.sum(white * white) + ops.sum(ops.log(ops.diagonal(factor)))
        return 0.5 * (ops.sum(values * ops.solve(kernel, values)) + ops.logdet(kernel))

    return loss


def orbits(ops: Ops, constant: Constant, masses: Array, observed: Array, step: float, every: int) -> Function:
    """Return the squared distance between bodies moved by the leapfrog and where they were seen, `every` steps.

    The arguments are the positions and velocities (bodies, 3) at the start.
    """
    # The diagonal of the squared distances is 0 and would be divided by; 1 there multiplies a difference of 0.
    attracting, itself = constant(masses[None, :]), constant(np.eye(len(masses)))
    seen = [constant(positions) for positions in observed]

    def acceleration(x: Any) -> Any:
        apart = x[None, :, :] - x[:, None, :]
        squares = ops.sum(apart * apart, -1) + itself
        weights = attracting / (squares * ops.sqrt(squares))
        return ops.sum(apart * weights[:, :, None], 1)

    def misfit(x: Any, v: Any) -> Any:
        pull, total = acceleration(x), 0.0
        for positions in seen:
            for _ in range(every):
                v = v + 0.5 * step * pull
                x = x + step * v
                pull = acceleration(x)
                v = v + 0.5 * step * pull
            error = x - positions
            total = total + ops.sum(error * error)
        return total

    return misfit
