"""A character model: layers of LSTM cells whose matrices are diagonal, over a text."""

from __future__ import annotations

import torch

from bench.gradbench import inputs, wrap
from bench.gradbench.inputs import Json, Lstm
from bench.gradbench.peers.torch.conversion import leaf


def _tensors(given: Json) -> Lstm:
    return inputs.convert(inputs.lstm(given), torch.from_numpy)


def _layer(
    x: torch.Tensor, weights: torch.Tensor, biases: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
) -> torch.Tensor:
    by_forget, by_ingate, by_outgate, by_change = weights.chunk(4)
    at_forget, at_ingate, at_outgate, at_change = biases.chunk(4)
    forgets = torch.sigmoid(x * by_forget + at_forget).unbind()
    outgates = torch.sigmoid(x * by_outgate + at_outgate).unbind()
    outputs = []
    for forget, outgate in zip(forgets, outgates, strict=True):
        ingate = torch.sigmoid(hidden * by_ingate + at_ingate)
        change = torch.tanh(hidden * by_change + at_change)
        cell = cell * forget + ingate * change
        hidden = outgate * torch.tanh(cell)
        outputs.append(hidden)
    return torch.stack(outputs)


@wrap.multiple_runs(pre=_tensors, post=float)
def objective(data: Lstm) -> torch.Tensor:
    main, extra, state, sequence = data
    into, weights, biases = extra
    x = sequence[:-1] * into
    for i in range(0, len(main), 2):
        x = _layer(x, main[i], main[i + 1], state[i], state[i + 1])
    y = x * weights + biases
    predicted = y - torch.log(2.0 + torch.sum(torch.exp(y), 1, keepdim=True))
    return -torch.mean(sequence[1:] * predicted)


@wrap.multiple_runs(pre=_tensors, post=inputs.flat)
def jacobian(data: Lstm) -> tuple[torch.Tensor, ...]:
    sources = [leaf(data.main), leaf(data.extra)]
    return torch.autograd.grad(objective(Lstm(*sources, data.state, data.sequence)), sources)
