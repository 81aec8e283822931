"""Steering a charged particle: a descent through a simulation whose forces are themselves gradients."""

from __future__ import annotations

from typing import Any

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.evals.solver import Gradient, Point, argmin, gradient_of
from bench.gradbench.inputs import Json

STEP = 0.1


def _number(given: Json) -> tf.Tensor:
    return tf.constant(given["w"], tf.float64)


def _constants(*numbers: float) -> Point:
    return [tf.constant(number, tf.float64) for number in numbers]


def _miss(w: tf.Tensor, gradient: Gradient) -> tf.Tensor:
    """Return the square of where the particle crosses the axis y = 0, when one charge is moved by `w`."""
    charges: list[tuple[Any, Any]] = [(10.0, 10.0 - w), (10.0, 0.0)]

    def potential(x: Point) -> tf.Tensor:
        terms = []
        for charge_x, charge_y in charges:
            dx, dy = x[0] - charge_x, x[1] - charge_y
            terms.append(1.0 / tf.sqrt(dx * dx + dy * dy))
        return terms[0] + terms[1]

    x, y = _constants(0.0, 8.0)
    speed_x, speed_y = _constants(0.75, 0.0)
    while True:
        force_x, force_y = gradient(potential, [x, y])
        x += STEP * speed_x
        y += STEP * speed_y
        if y <= 0.0:
            break
        speed_x -= STEP * force_x
        speed_y -= STEP * force_y
    x -= y / speed_y * speed_x
    return x * x


def _eval(mode: str) -> wrap.Timed:
    outer, inner = map(gradient_of, mode)

    @wrap.multiple_runs(pre=_number, post=float)
    def best(w: tf.Tensor) -> tf.Tensor:
        return argmin(lambda x: _miss(x[0], inner), outer, [w])[0]

    return best


rr, rf, fr, ff = map(_eval, ("rr", "rf", "fr", "ff"))
