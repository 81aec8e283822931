"""Random lives of several tapes, checked against a model of tapes in a few lines of Python."""

import math

import numpy as np
import pytest

import tapegrad as tf


class ModelTape:
    """What a tape knows: for each value, by its key, the values it came from and the slopes."""

    def __init__(self, persistent, automatic):
        self.persistent = persistent
        self.automatic = automatic
        self.state = "new"
        self.parents = {}

    def enter(self):
        if self.state != "stopped":
            self.parents = {}
        self.state = "recording"

    def record(self, key, parents):
        if self.state != "recording":
            return
        for parent, _, trainable in parents:
            if trainable and self.automatic:
                self.parents.setdefault(parent, [])
        known = [(parent, slope) for parent, slope, _ in parents if parent in self.parents]
        if known:
            self.parents[key] = known

    def gradient(self, target, source):
        """The slope, or None."""
        adjoints = {target: 1.0}
        for key in reversed(list(self.parents)):
            if key in adjoints:
                for parent, slope in self.parents[key]:
                    adjoints[parent] = adjoints.get(parent, 0.0) + adjoints[key] * slope
        return adjoints.get(source)

    def consume(self):
        if self.persistent:
            return
        self.state = "consumed"
        self.parents = {}


class World:
    """Real tapes and values beside their models; each step does the same to both."""

    def __init__(self, rng):
        self.rng = rng
        self.tapes = []
        self.values = []  # (real, key, is a variable)
        self.keys = 0
        for kind in ("variable", "variable", "fixed", "tensor", "tensor"):
            self.add_leaf(kind)

    def add(self, real, trainable=False):
        self.keys += 1
        self.values.append((real, self.keys, trainable))
        return self.keys

    def add_leaf(self, kind):
        number = self.rng.uniform(0.5, 1.5)
        if kind == "tensor":
            self.add(tf.constant(number, dtype=tf.float64))
        else:
            self.add(tf.Variable(number, dtype=tf.float64, trainable=kind == "variable"), kind == "variable")

    def pick(self, items):
        return items[self.rng.integers(len(items))]

    def value(self):
        """A value, more often a recent one."""
        recent = self.values[-8:] if self.rng.random() < 0.6 else self.values
        return self.pick(recent)

    def new_tape(self):
        persistent, automatic = (bool(b) for b in self.rng.integers(0, 2, 2))
        tape = tf.GradientTape(persistent=persistent, watch_accessed_variables=automatic)
        self.tapes.append((tape, ModelTape(persistent, automatic)))
        self.toggle(self.tapes[-1])

    def toggle(self, pair):
        tape, model = pair
        if model.state == "recording":
            tape.__exit__(None, None, None)
            model.state = "stopped"
        else:
            tape.__enter__()
            model.enter()

    def watch(self, pair):
        tape, model = pair
        if model.state in ("recording", "stopped"):
            real, key, _ = self.value()
            tape.watch(real)
            model.parents.setdefault(key, [])

    def reset(self, pair):
        tape, model = pair
        if model.state == "recording":
            tape.reset()
            model.parents = {}

    def compute(self):
        (x, x_key, x_trainable), (y, y_key, y_trainable) = self.value(), self.value()
        a, b = float(x), float(y)
        result, slopes = self.pick(
            [
                (lambda: x * y, (b, a)),
                (lambda: x + y, (1.0, 1.0)),
                (lambda: x - 0.5 * y, (1.0, -0.5)),
                (
                    lambda: tf.sin(x) / (y * y + 1.0),
                    (math.cos(a) / (b * b + 1), -2 * b * math.sin(a) / (b * b + 1) ** 2),
                ),
                (lambda: tf.tanh(tf.reshape(tf.stack([x, y]), (2,)))[0], (1 - math.tanh(a) ** 2, 0.0)),
            ]
        )
        key = self.add(result())
        for _, model in self.tapes:
            model.record(key, [(x_key, slopes[0], x_trainable), (y_key, slopes[1], y_trainable)])

    def assign(self):
        variables = [v for v, _, _ in self.values if isinstance(v, tf.Variable)]
        self.pick(variables).assign(self.rng.uniform(0.5, 1.5))

    def forget(self):
        """Drop a value or a tape; what others know must not suffer."""
        if len(self.values) > 12:
            self.values.pop(5 + self.rng.integers(len(self.values) - 8))
        ended = [pair for pair in self.tapes if pair[1].state != "recording"]
        if len(self.tapes) > 4 and ended:
            self.tapes.remove(self.pick(ended))

    def gradient(self, pair):
        tape, model = pair
        if model.state in ("new", "consumed") or (model.state == "recording" and model.persistent):
            return
        known = [value for value in self.values if value[1] in model.parents]
        target, key, _ = self.pick(known[-3:] or self.values)
        sources = [self.pick(known or self.values), self.pick(known or self.values), self.value()]
        expected = [model.gradient(key, source) for _, source, _ in sources]
        found = tape.gradient(target, [real for real, _, _ in sources])
        assert [g is None for g in found] == [e is None for e in expected]
        for g, e in zip(found, expected, strict=True):
            assert g is None or float(g) == pytest.approx(e, rel=1e-9, abs=1e-12)
        model.consume()

    def step(self):
        kind = self.rng.random()
        if kind < 0.5:
            self.compute()
        elif kind < 0.6 or not self.tapes:
            self.new_tape()
        elif kind < 0.7:
            self.toggle(self.pick(self.tapes))
        elif kind < 0.8:
            self.watch(self.pick(self.tapes))
        elif kind < 0.83:
            self.assign()
        elif kind < 0.85:
            self.reset(self.pick(self.tapes))
        elif kind < 0.9:
            self.forget()
        else:
            self.gradient(self.pick(self.tapes))

    def end(self):
        for pair in self.tapes:
            if pair[1].state == "recording":
                self.toggle(pair)


@pytest.mark.parametrize("seed", range(40))
def test_random_lives(seed):
    world = World(np.random.default_rng(seed))
    try:
        for _ in range(250):
            world.step()
    finally:
        world.end()
