"""A character model: layers of LSTM cells whose matrices are diagonal, over a text.

The gates are computed step by step: the derivative of taking a row from an array is a whole array in autograd.
"""

from __future__ import annotations

import itertools

import autograd.numpy as np
from autograd import grad

from bench.gradbench import inputs, wrap
from bench.gradbench.inputs import Array, Lstm


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _objective(parameters: tuple[Array, Array], data: Lstm) -> Array:
    main, extra = parameters
    sequence = data.sequence
    into, weights, biases = extra[0], extra[1], extra[2]
    gates = [np.split(main[i], 4) for i in range(len(main))]
    states = list(data.state)
    outputs = []
    for now, _ in itertools.pairwise(sequence):
        x = now * into
        for i in range(0, len(states), 2):
            (by_forget, by_ingate, by_outgate, by_change), biases_of_gates = gates[i], gates[i + 1]
            at_forget, at_ingate, at_outgate, at_change = biases_of_gates
            hidden = states[i]
            ingate = _sigmoid(hidden * by_ingate + at_ingate)
            change = np.tanh(hidden * by_change + at_change)
            states[i + 1] = states[i + 1] * _sigmoid(x * by_forget + at_forget) + ingate * change
            states[i] = x = _sigmoid(x * by_outgate + at_outgate) * np.tanh(states[i + 1])
        outputs.append(x)
    y = np.stack(outputs) * weights + biases
    predicted = y - np.log(2.0 + np.sum(np.exp(y), 1, keepdims=True))
    return -np.mean(sequence[1:] * predicted)


@wrap.multiple_runs(pre=inputs.lstm, post=float)
def objective(data: Lstm) -> Array:
    return _objective(data[:2], data)


@wrap.multiple_runs(pre=inputs.lstm, post=inputs.flat)
def jacobian(data: Lstm) -> tuple[Array, Array]:
    return grad(_objective)(data[:2], data)
