"""The saddle point of a function: a descent through the whole of another one."""

from __future__ import annotations

import autograd.numpy as np

from bench.gradbench import wrap
from bench.gradbench.inputs import Array, listed
from bench.gradbench.peers.autograd.solver import argmax, argmin


def _function(p: Array, q: Array) -> Array:
    return np.sum(p * p) - np.sum(q * q)


@wrap.multiple_runs(pre=lambda given: np.array(given["start"]), post=listed)
def rr(start: Array) -> Array:
    def greatest(p: Array) -> Array:
        return _function(p, argmax(lambda q: _function(p, q), start))

    least = argmin(greatest, start)
    return np.concatenate([least, argmax(lambda q: _function(least, q), start)])
