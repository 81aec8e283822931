"""Examples of the rules of tapegrad.special: of the functions that are listed here, and of every ufunc by its line."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import scipy.special
from rules_examples import Example, examples_of, number, spaced

from tapegrad import special
from tapegrad.special._table import ROWS

X, P, M = spaced(4), number(4), spaced(3, 4)

TOLERANCE = {"atol": 1e-5, "rtol": 1e-4}

COMPLEX_FUNCTIONS = examples_of({
    "polygamma": (lambda x: special.polygamma(1, x), P),
    "lambertw": (lambda z: special.lambertw(z), P),
    "special.sinc": (lambda x: special.sinc(x), X),
    "special.logsumexp": (lambda a: special.logsumexp(a, axis=1), M),
    "logsumexp with weights": (lambda a, b: special.logsumexp(a, axis=1, b=b), M, number(3, 4)),
    **{
        f"spherical_{kind}": (lambda z, kind=kind: getattr(special, f"spherical_{kind}")(2, z), P)
        for kind in ("jn", "yn", "in", "kn")
    },
    **{
        name: (lambda z, name=name: getattr(special, name)(1.5, z), P)
        for name in ("jvp", "yvp", "ivp", "kvp", "h1vp", "h2vp")
    },
}, tolerance=TOLERANCE)  # fmt: skip

REAL_FUNCTIONS = examples_of({
    "zeta": (lambda s, q: special.zeta(s, q), P + 2.0, P),
    "Riemann's zeta": (lambda s: special.zeta(s), np.array([2.5, -1.5])),
    "multigammaln": (lambda a: special.multigammaln(a, 3), P + 2.0),
    "factorial": (lambda n: special.factorial(n), P),
    "diric": (lambda x: special.diric(x, 4), P),
    "comb": (lambda n, k: special.comb(n, k), P + 2.0, P),
    "special.softmax": (lambda a: special.softmax(a, axis=0), M),
}, complex=False, tolerance=TOLERANCE)  # fmt: skip


FUNCTIONS = [*COMPLEX_FUNCTIONS, *REAL_FUNCTIONS]


def operands_of(row: Any) -> list[np.ndarray]:
    """Values of the operands of a ufunc, from where its line has them sampled."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    values = [
        rng.integers(int(low), int(high) + 1, 2) if integer else rng.uniform(low, high, 2)
        for low, high, integer in row.domains
    ]
    if row.name.endswith("_cv") and len(values) > 3:  # the characteristic value belongs to the others
        values[3] = getattr(scipy.special, row.name[:3] + "_cv")(*values[:3])
    return values


def example_of(row: Any) -> Example | None:
    """The ufunc as a function of the operands in which it has derivatives."""
    function, values = getattr(special, row.name), operands_of(row)
    places = [
        k
        for k, (_, _, integer) in enumerate(row.domains)
        if not integer and any(partials[k] not in (None, "-") for partials in row.partials)
    ]

    def moving(*operands: Any) -> Any:
        given: list[Any] = list(values)
        for k, operand in zip(places, operands, strict=True):
            given[k] = operand
        return function(*given)

    if not places:
        return None
    tolerance = {"atol": 2e-5, "rtol": 2e-4}
    operands = tuple([values[k] for k in places])
    return Example(f"special.{row.name}", moving, operands, complex=False, tolerance=tolerance)


UFUNCS = [e for row in ROWS.values() if hasattr(special, row.name) and (e := example_of(row)) is not None]
