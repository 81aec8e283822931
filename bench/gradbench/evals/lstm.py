"""A character model: layers of LSTM cells whose matrices are diagonal, over a text."""

from __future__ import annotations

from typing import Any

import tapegrad as tf
from bench.gradbench import inputs, wrap
from bench.gradbench.inputs import Json, Lstm


def _tensors(given: Json) -> Lstm:
    return inputs.convert(inputs.lstm(given), tf.constant)


def _layer(x: tf.Tensor, weights: tf.Tensor, biases: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor) -> tf.Tensor:
    """Return a layer's output `(c, b)` for its input `(c, b)`.

    Two of the four gates see only the input, so they are computed for all times at once.
    """
    by_forget, by_ingate, by_outgate, by_change = tf.split(weights, 4)
    at_forget, at_ingate, at_outgate, at_change = tf.split(biases, 4)
    forgets = tf.sigmoid(x * by_forget + at_forget)
    outgates = tf.sigmoid(x * by_outgate + at_outgate)
    outputs = []
    for forget, outgate in zip(tf.unstack(forgets), tf.unstack(outgates), strict=True):
        ingate = tf.sigmoid(hidden * by_ingate + at_ingate)
        change = tf.tanh(hidden * by_change + at_change)
        cell = cell * forget + ingate * change
        hidden = outgate * tf.tanh(cell)
        outputs.append(hidden)
    return tf.stack(outputs)


@wrap.multiple_runs(pre=_tensors, post=float)
def objective(data: Lstm) -> tf.Tensor:
    """Return the mean loss of predicting each character from those before it."""
    main, extra, state, sequence = data
    into, weights, biases = tf.unstack(extra)
    x = sequence[:-1] * into
    parameters, states = tf.unstack(main), tf.unstack(state)
    for i in range(0, len(parameters), 2):
        x = _layer(x, parameters[i], parameters[i + 1], states[i], states[i + 1])
    y = x * weights + biases
    predicted = y - tf.math.log(2.0 + tf.reduce_sum(tf.exp(y), 1, keepdims=True))
    return -tf.reduce_mean(sequence[1:] * predicted)


@wrap.multiple_runs(pre=_tensors, post=inputs.flat)
def jacobian(data: Lstm) -> Any:
    """Return the gradient with respect to the layers' parameters and those of the in- and output."""
    sources = [data.main, data.extra]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = objective(data)
    return tape.gradient(y, sources)
