"""Derivatives of the programs, worked out by hand in NumPy: what is compared with, in figures and in time."""

from __future__ import annotations

import numpy as np

from bench.oracle import Array


def layer_jacobian(weights: Array, x: Array) -> Array:
    """Return the Jacobian of `tanh(W x)` by the arithmetic of one sweep with all seeds.

    Rows of the identity are carried back through tanh and the product; where there are more results than arguments,
    its columns forward. (The closed form, W with scaled rows, needs no product of matrices.)
    """
    y = np.tanh(weights @ x)
    partial = 1.0 - y * y
    results, arguments = weights.shape
    jacobian: Array
    if results <= arguments:
        jacobian = (np.eye(results) * partial) @ weights
    else:
        jacobian = (weights @ np.eye(arguments)) * partial[:, None]
    return jacobian


def rosenbrock_gradient(x: Array) -> Array:
    """Return the gradient of Rosenbrock's function."""
    gradient = np.zeros_like(x)
    first = x[:-1]
    a = x[1:] - first * first
    gradient[:-1] = -400.0 * first * a - 2.0 * (1.0 - first)
    gradient[1:] += 200.0 * a
    return gradient


def _rosenbrock_diagonals(x: Array) -> tuple[Array, Array]:
    """Return the Hessian's diagonal and the one beside it; all else is 0."""
    first = x[:-1]
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200.0 * first * first - 400.0 * x[1:] + 2.0
    diagonal[1:] += 200.0
    return diagonal, -400.0 * first


def rosenbrock_hessian(x: Array) -> Array:
    """Return the Hessian of Rosenbrock's function, a full matrix."""
    diagonal, beside = _rosenbrock_diagonals(x)
    n = len(x)
    hessian = np.zeros((n, n))
    flat = hessian.reshape(-1)
    flat[:: n + 1] = diagonal
    flat[1 :: n + 1] = beside
    flat[n :: n + 1] = beside
    return hessian


def rosenbrock_hessian_product(x: Array, v: Array) -> Array:
    """Return the product of Rosenbrock's Hessian and a vector."""
    diagonal, beside = _rosenbrock_diagonals(x)
    product = diagonal * v
    product[:-1] += beside * v[1:]
    product[1:] += beside * v[:-1]
    return product


def rosenbrock_with_gradient(x: Array) -> tuple[float, Array]:
    """Return value and gradient, for SciPy."""
    first = x[:-1]
    a = x[1:] - first * first
    b = 1.0 - first
    return float(np.sum(100.0 * a * a + b * b)), rosenbrock_gradient(x)


def logistic_with_gradient(w: Array, rows: Array, signs: Array, ridge: float) -> tuple[float, Array]:
    """Return the mean logistic loss and its gradient, for SciPy."""
    margins = -signs * (rows @ w)
    loss = float(np.mean(np.logaddexp(0.0, margins)) + 0.5 * ridge * (w @ w))
    pull = -signs / (1.0 + np.exp(-margins)) / len(signs)
    return loss, pull @ rows + ridge * w


def network_gradients(kernels: tuple[Array, ...], inputs: Array) -> tuple[float, list[Array]]:
    """Return the loss of the deep tanh network and the gradients of its kernels."""
    layers = [inputs]
    for kernel in kernels:
        layers.append(np.tanh(layers[-1] @ kernel))
    loss = float(np.sum(layers[-1] ** 2)) / len(inputs)
    g = layers[-1] * (2.0 / len(inputs))
    gradients = []
    for kernel, output, before in zip(reversed(kernels), reversed(layers[1:]), reversed(layers[:-1]), strict=True):
        g = g * (1.0 - output * output)
        gradients.append(before.T @ g)
        g = g @ kernel.T
    return loss, gradients[::-1]


def lstm_step(parameters: list[Array], inputs: Array, targets: Array, rate: float) -> float:
    """Train an LSTM one step by plain gradient descent, in place; return the mean squared error."""
    kernel, recurrent, bias, readout = parameters
    n = len(recurrent)
    h = c = np.zeros((inputs.shape[1], n), inputs.dtype)
    saved = []
    for x in inputs:
        a = x @ kernel + h @ recurrent + bias
        gates = 1.0 / (1.0 + np.exp(-a))
        g = np.tanh(a[:, 2 * n : 3 * n])
        i, f, o = gates[:, :n], gates[:, n : 2 * n], gates[:, 3 * n :]
        before, h_before = c, h
        c = f * c + i * g
        t = np.tanh(c)
        h = o * t
        saved.append((x, h_before, before, i, f, g, o, t))
    error = h @ readout - targets
    scaled = error * (2.0 / targets.size)
    gradients = [np.zeros_like(kernel), np.zeros_like(recurrent), np.zeros_like(bias), h.T @ scaled]
    gh, gc = scaled @ readout.T, np.zeros_like(c)
    for x, h_before, before, i, f, g, o, t in reversed(saved):
        gc = gc + gh * o * (1.0 - t * t)
        ga = np.concatenate(
            [gc * g * i * (1.0 - i), gc * before * f * (1.0 - f), gc * i * (1.0 - g * g), gh * t * o * (1.0 - o)], 1
        )
        gradients[0] += x.T @ ga
        gradients[1] += h_before.T @ ga
        gradients[2] += ga.sum(0)
        gh, gc = ga @ recurrent.T, gc * f
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter -= rate * gradient
    return float(np.mean(error * error))
