"""The saddle point of a function: a descent through the whole of another one."""

from __future__ import annotations

from typing import NamedTuple

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.evals.solver import Point, argmax, argmin, gradient_of
from bench.gradbench.inputs import Json


class _Starts(NamedTuple):
    """The start of each descent, as tensors of its own: watching one must not make the other a source."""

    p: Point
    q: Point


def _starts(given: Json) -> _Starts:
    p, q = ([tf.constant(number, tf.float64) for number in given["start"]] for _ in range(2))
    return _Starts(p, q)


def _function(p: Point, q: Point) -> tf.Tensor:
    return (p[0] * p[0] + p[1] * p[1]) - (q[0] * q[0] + q[1] * q[1])


def _eval(mode: str) -> wrap.Timed:
    outer, inner = map(gradient_of, mode)

    @wrap.multiple_runs(pre=_starts, post=lambda output: [float(number) for number in output])
    def saddle(start: _Starts) -> Point:
        def greatest(p: Point) -> tf.Tensor:
            return _function(p, argmax(lambda q: _function(p, q), inner, start.q))

        least = argmin(greatest, outer, start.p)
        return least + argmax(lambda q: _function(least, q), outer, start.q)

    return saddle


rr, rf, fr, ff = map(_eval, ("rr", "rf", "fr", "ff"))
