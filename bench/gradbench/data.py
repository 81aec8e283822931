"""Generated inputs: what GradBench sends to a tool, in four sizes for each eval.

The arguments are GradBench's where it has them; `tiny` is for tests. The figures are random with fixed seeds, of
the same kinds as GradBench's own data, which are not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.gradbench.inputs import Array, Json

SIZES = ("tiny", "small", "medium", "large")


@dataclass(frozen=True)
class Eval:
    """An eval: its functions (what is differentiated, then what differentiates it), its inputs by size."""

    primal: str | None
    gradients: tuple[str, ...]
    generate: Callable[..., Any]
    sizes: dict[str, tuple[dict[str, Any], ...]]

    def inputs(self, size: str) -> Iterator[tuple[str, Any]]:
        """Return the descriptions and inputs of a size."""
        for arguments in self.sizes.get(size, ()):
            description = ",".join(f"{name}={value}" for name, value in arguments.items())
            yield description, self.generate(**arguments)


def _random() -> np.random.Generator:
    return np.random.default_rng(31337)


def hello(x: float) -> float:
    """Return the number."""
    return x


def lse(n: int) -> Json:
    """Return uniform numbers."""
    return {"x": _random().random(n).tolist()}


def llsq(n: int, m: int) -> Json:
    """Return the coefficients of a polynomial."""
    return {"x": _random().random(m).tolist(), "n": n}


def ode(n: int, s: int) -> Json:
    """Return the parameters and the number of steps."""
    return {"x": _random().random(n).tolist(), "s": s}


def det(ell: int) -> Json:
    """Return a square matrix by rows."""
    return {"A": _random().random(ell * ell).tolist(), "ell": ell}


def kmeans(k: int, n: int, d: int) -> Json:
    """Return uniform points, of which the last are the centroids."""
    points = _random().random((n, d)).tolist()
    return {"points": points, "centroids": points[n - k :]}


def gmm(d: int, k: int, n: int) -> Json:
    """Return a mixture, and points that are not drawn from it."""
    random = _random()
    return {
        "d": d,
        "k": k,
        "n": n,
        "m": 0,
        "gamma": 1.0,
        "x": random.random((n, d)).tolist(),
        "alpha": random.normal(size=k).tolist(),
        "mu": random.random((k, d)).tolist(),
        "q": random.normal(size=(k, d)).tolist(),
        "l": random.normal(size=(k, d * (d - 1) // 2)).tolist(),
    }


def lstm(layers: int, c: int, b: int = 14) -> Json:
    """Return parameters, and a text whose characters are vectors of `b` bits with one bit set.

    The text is periodic with noise, as texts are.
    """
    random = _random()
    letters = np.where(random.random(c) < 0.7, np.arange(c) * 5 % b, random.integers(0, b, c))
    return {
        "main_params": random.uniform(-1, 1, (2 * layers, 4 * b)).tolist(),
        "extra_params": random.uniform(-1, 1, (3, b)).tolist(),
        "state": random.uniform(-1, 1, (2 * layers, b)).tolist(),
        "sequence": np.eye(b)[letters].tolist(),
    }


def ba(n: int, m: int, p: int) -> Json:
    """Return a camera, a point before it, and what it saw, to be copied."""
    random = _random()
    camera = [*random.normal(0, 0.3, 3), *random.normal(0, 0.3, 3), 500.0, 320.0, 240.0, -0.1, 0.01]
    return {
        "n": n,
        "m": m,
        "p": p,
        "cam": [float(number) for number in camera],
        "x": [*random.normal(0, 0.5, 2).tolist(), 4.0],
        "w": float(random.random()),
        "feat": (random.normal(size=2) * 100 + 300).tolist(),
    }


BONES = 22


def ht(vertices: int, points: int, complicated: bool) -> Json:
    """Return a hand: a wrist, five fingers of four bones each, and vertices that follow one to three bones."""
    random = _random()
    parents = [-1, 0] + [0 if j == 0 else 1 + 4 * finger + j for finger in range(5) for j in range(4)]
    relatives = np.stack([_transform(random) for _ in range(BONES)])
    weights = np.zeros((vertices, BONES))
    for _ in range(3):
        weights[np.arange(vertices), random.integers(0, BONES, vertices)] += random.random(vertices)
    weights /= weights.sum(1, keepdims=True)
    triangles = random.integers(0, vertices, (2 * vertices, 3))
    model = {
        "bone_count": BONES,
        "bone_names": [f"bone{i}" for i in range(BONES)],
        "parents": parents,
        "base_relatives": relatives.tolist(),
        "inverse_base_absolutes": np.stack([_transform(random) for _ in range(BONES)]).tolist(),
        "base_positions": np.column_stack([random.normal(size=(vertices, 3)), np.ones(vertices)]).tolist(),
        "weights": weights.tolist(),
        "triangles": triangles.tolist(),
        "is_mirrored": False,
    }
    return {
        "theta": random.normal(0, 0.5, 26).tolist(),
        "us": random.random((points, 2)).tolist() if complicated else [],
        "data": {
            "model": model,
            "correspondences": random.integers(0, 2 * vertices if complicated else vertices, points).tolist(),
            "points": random.normal(size=(points, 3)).tolist(),
        },
    }


def _transform(random: np.random.Generator) -> Array:
    """Return a rotation with a shift, as a 4 x 4 matrix."""
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    transform = np.eye(4)
    transform[:3, :3] = rotation * np.sign(np.linalg.det(rotation))
    transform[:3, 3] = random.normal(0, 0.3, 3)
    return transform


def particle(w: float) -> Json:
    """Return where the descent starts."""
    return {"w": w}


def saddle(start: float) -> Json:
    """Return where the descents start, in both coordinates."""
    return {"start": [start, start]}


MODES = ("rr", "rf", "fr", "ff")

EVALS = {
    "hello": Eval("square", ("double",), hello, {"tiny": ({"x": 3.0},), "small": ({"x": 4.0},)}),
    "lse": Eval(
        "primal",
        ("gradient",),
        lse,
        {"tiny": ({"n": 10},), "small": ({"n": 2500},), "medium": ({"n": 40000},), "large": ({"n": 640000},)},
    ),
    "llsq": Eval(
        "primal",
        ("gradient",),
        llsq,
        {
            "tiny": ({"n": 5, "m": 7}, {"n": 4, "m": 1}),
            "small": ({"n": 16, "m": 128},),
            "medium": ({"n": 1024, "m": 128},),
            "large": ({"n": 16392, "m": 128},),
        },
    ),
    "ode": Eval(
        "primal",
        ("gradient",),
        ode,
        {
            "tiny": ({"n": 5, "s": 10},),
            "small": ({"n": 20, "s": 100},),
            "medium": ({"n": 1000, "s": 10},),
            "large": ({"n": 100000, "s": 10},),
        },
    ),
    "det": Eval(
        "primal",
        ("gradient",),
        det,
        {"tiny": ({"ell": 4}, {"ell": 1}), "small": ({"ell": 5},), "medium": ({"ell": 7},), "large": ({"ell": 9},)},
    ),
    "kmeans": Eval(
        "cost",
        ("dir",),
        kmeans,
        {
            "tiny": ({"k": 3, "n": 30, "d": 2},),
            "small": ({"k": 10, "n": 1000, "d": 8},),
            "medium": ({"k": 100, "n": 1000, "d": 8},),
            "large": ({"k": 100, "n": 10000, "d": 8},),
        },
    ),
    "gmm": Eval(
        "objective",
        ("jacobian",),
        gmm,
        {
            "tiny": ({"d": 3, "k": 2, "n": 7}, {"d": 1, "k": 2, "n": 3}),
            "small": ({"d": 2, "k": 5, "n": 1000},),
            "medium": ({"d": 2, "k": 50, "n": 1000}, {"d": 32, "k": 5, "n": 1000}),
            "large": ({"d": 32, "k": 50, "n": 1000},),
        },
    ),
    "lstm": Eval(
        "objective",
        ("jacobian",),
        lstm,
        {
            "tiny": ({"layers": 2, "c": 6, "b": 3}, {"layers": 1, "c": 2, "b": 2}),
            "small": ({"layers": 2, "c": 128},),
            "medium": ({"layers": 2, "c": 1024},),
            "large": ({"layers": 2, "c": 4096},),
        },
    ),
    "ba": Eval(
        "objective",
        ("jacobian",),
        ba,
        {
            "tiny": ({"n": 2, "m": 3, "p": 5},),
            "small": ({"n": 10, "m": 100, "p": 1000},),
            "medium": ({"n": 49, "m": 7776, "p": 31843},),
            "large": ({"n": 161, "m": 48126, "p": 182072},),
        },
    ),
    "ht": Eval(
        "objective",
        ("jacobian",),
        ht,
        {
            "tiny": (
                {"vertices": 10, "points": 4, "complicated": False},
                {"vertices": 10, "points": 4, "complicated": True},
            ),
            "small": (
                {"vertices": 544, "points": 100, "complicated": False},
                {"vertices": 544, "points": 100, "complicated": True},
            ),
            "medium": ({"vertices": 544, "points": 800, "complicated": True},),
            "large": ({"vertices": 10000, "points": 6400, "complicated": True},),
        },
    ),
    "particle": Eval(None, MODES, particle, {"tiny": ({"w": 0.207},), "small": ({"w": 0.0},)}),
    "saddle": Eval(None, MODES, saddle, {"small": ({"start": 1.0},)}),
}
