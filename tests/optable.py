"""The table of elementwise operations for the tests: where to sample, and what NumPy makes of its rules."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tapegrad as tf
from tapegrad import _native

_DEFINITIONS = Path(__file__).parents[1] / "src" / "tapecore" / "ops.def"
_DOMAIN = re.compile(r"^domain (\w+) +\| +(\S+) \| +(\S+) \| (yes|no)$", re.MULTILINE)
DOMAINS = {
    name: (float(low), float(high), mirrored == "yes")
    for name, low, high, mirrored in _DOMAIN.findall(_DEFINITIONS.read_text("utf-8"))
}


class Op(NamedTuple):
    """One line of the table."""

    name: str
    operands: int
    forward: str | None
    partials: tuple[str | None, ...]
    domains: tuple[str, ...]
    complex_rule: str
    summary: str

    def __str__(self):
        return self.name

    @property
    def function(self):
        return getattr(tf.math, self.name)

    def sample(self, rng, *shapes, dtype=np.float64):
        """One array per operand, inside its domain; the last shape serves the remaining operands, too."""
        shapes += shapes[-1:] * (self.operands - len(shapes))
        arrays = []
        for domain, shape in zip(self.domains, shapes, strict=False):
            low, high, mirrored = DOMAINS[domain]
            values = np.asarray(rng.uniform(low, high, shape))
            if mirrored:
                values = values * rng.choice([-1.0, 1.0], shape)
            if np.issubdtype(dtype, np.complexfloating):
                values = values + 1j * rng.uniform(-0.4, 0.4, shape)
            arrays.append(values.astype(dtype))
        return arrays


OPS = [Op(*row) for row in _native.op_table()]
DIFFERENTIABLE = [op for op in OPS if any(op.partials)]
PARTIALS = [(op, k) for op in OPS for k, partial in enumerate(op.partials) if partial is not None]


def identify(value):
    return value.name if isinstance(value, Op) else None


def evaluate(text, *operands, out=None):
    """Evaluate a rule of the table by NumPy."""
    values = dict(zip("xyz", operands, strict=False))
    with np.errstate(all="ignore"):
        return eval(text, _NAMES, {**values, "out": out})


def forward(op, *operands):
    """Evaluate an operation by NumPy."""
    with np.errstate(all="ignore"):
        return _NAMES[op.name](*operands)


def _libm(name):
    # SciPy has implementations of its own, which differ in the last places.
    import scipy.special

    return getattr(scipy.special, name)


_NAMES = {"inf": np.inf, "pi": np.pi, "where": np.where}
for _op in OPS:
    if _op.forward is None:
        _NAMES[_op.name] = getattr(np, _op.name)
    elif _op.forward == "libm":
        _NAMES[_op.name] = _libm(_op.name)
    else:
        _NAMES[_op.name] = lambda *operands, text=_op.forward: evaluate(text, *operands)
