"""Measuring the accuracy of first derivatives against exact arithmetic; docs/make_accuracy.py prints what this finds.

The error of a derivative d is given in two units: in those of its last place, eps * |d|, and in those of what rounding
each argument x once costs besides, eps * (|d| + sum of |x * slope of d in x|). So it is for the value, too.
"""

from typing import NamedTuple

import mpmath as mp
import numpy as np
from accuracy_exact import ELEMENTWISE, OTHERS, SPECIAL
from optable import DOMAINS, OPS

import tapegrad as tf

DIGITS = 60
STEP = mp.mpf(10) ** -20  # relative; the error of the central difference is its square
EPS = 2.0**-52


class Case(NamedTuple):
    """One result of a function, to be differentiated in its real arguments."""

    name: str
    function: object  # of tensors
    exact: object  # of mpmath's numbers
    domains: list  # (low, high, integer) of each argument
    places: list  # of the differentiable arguments


class Finding(NamedTuple):
    """How accurate the derivative of a case in one argument is."""

    name: str
    argument: int
    domains: list
    points: int
    value: float  # the worst error of the value, in units of what is possible
    median: float  # the errors of the derivative, in units in the last place
    worst: float
    possible: float  # the worst of them in units of what is possible


def special_cases(names):
    """The cases of some of SciPy's ufuncs, by exact functions of their names."""
    from tapegrad.special._table import ROWS

    for name, exact in names.items():
        row = ROWS[name]
        places = [k for k, (_, _, integer) in enumerate(row.domains) if _has_rule(row, k) and not integer]
        results = len(row.partials)
        for j in range(results):
            label = f"{name}[{j}]" if results > 1 else name
            if results > 1 and j >= len(_listed(exact, row)):
                break
            yield Case(
                label, _result(getattr(tf.special, name), j, results), _item(exact, j, results), row.domains, places
            )


def _has_rule(row, k):
    return all(partials[k] not in (None, "-") for partials in row.partials)


def _listed(exact, row):
    return exact(*[mp.mpf(low + 0.25 * (high - low)) for low, high, _ in row.domains])


def _result(function, j, results):
    return lambda *x: tf.math.real(function(*x)[j] if results > 1 else function(*x))


def _item(exact, j, results):
    return (lambda *x: exact(*x)[j]) if results > 1 else exact


def elementwise_cases():
    """The cases of the table of elementwise operations."""
    for op in OPS:
        if op.name in ELEMENTWISE:
            domains = [(DOMAINS[word][0], DOMAINS[word][1], False) for word in op.domains]
            yield Case(op.name, op.function, ELEMENTWISE[op.name], domains, list(range(op.operands)))


def other_cases():
    """The cases of special functions that are no ufuncs."""
    for name, (function, exact, intervals) in OTHERS.items():
        domains = [(low, high, False) for low, high in intervals]

        def call(*x, function=function):
            return tf.math.real(function(tf.special, *x))

        yield Case(name, call, exact, domains, list(range(len(domains))))


def sample(case, count, seed):
    """Points for a case: an array for each argument."""
    rng = np.random.default_rng(seed)
    return [
        rng.integers(int(low), int(high) + 1, count) if integer else rng.uniform(low, high, count)
        for low, high, integer in case.domains
    ]


def results(case, points):
    """The values, the first derivatives in each place, and for each of them the slopes in each place, as arrays."""
    arguments = [tf.constant(p) for p in points]
    sources = [arguments[k] for k in case.places]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(sources)
        with tf.GradientTape() as inner:
            inner.watch(sources)
            y = case.function(*arguments)
        firsts = inner.gradient(y, sources, unconnected_gradients="zero")
    seconds = [outer.gradient(g, sources, unconnected_gradients="zero") for g in firsts]
    return y.numpy(), [g.numpy() for g in firsts], [[s.numpy() for s in row] for row in seconds]


def exact_derivative(case, point, place):
    """The derivative at a point, by a central difference with many digits."""
    values = [mp.mpf(float(x)) for x in point]
    step = abs(values[place]) * STEP
    ends = []
    for sign in (1, -1):
        moved = [x + sign * step if k == place else x for k, x in enumerate(values)]
        ends.append(case.exact(*moved))
    return (ends[0] - ends[1]) / (2 * step)


def errors(found, exact, slopes, arguments):
    """The errors of numbers in units in the last place, and in units of what is possible."""
    condition = np.abs(found) + sum(np.abs(x * slope) for x, slope in zip(arguments, slopes, strict=True))
    difference = np.array([float(abs(mp.mpf(float(f)) - e)) for f, e in zip(found, exact, strict=True)])
    size = np.array([float(abs(e)) for e in exact])
    with np.errstate(divide="ignore", invalid="ignore"):
        return [np.where(difference == 0.0, 0.0, difference / (EPS * unit)) for unit in (size, condition)]


def measure(case, count, seed=1):
    """Findings for each differentiable argument of a case."""
    points = sample(case, count, seed)
    value, firsts, seconds = results(case, points)
    moving = [points[k] for k in case.places]
    with mp.workdps(DIGITS):
        rows = list(zip(*points, strict=True))
        exact = [mp.mpf(mp.re(case.exact(*[mp.mpf(float(x)) for x in row]))) for row in rows]
        _, of_value = errors(value, exact, firsts, moving)
        for found, slopes, place in zip(firsts, seconds, case.places, strict=True):
            exact = [exact_derivative(case, row, place) for row in rows]
            plain, relative = errors(found, exact, slopes, moving)
            yield Finding(
                case.name,
                place,
                case.domains,
                count,
                float(np.max(of_value)),
                float(np.median(plain)),
                float(np.max(plain)),
                float(np.max(relative)),
            )


def sections():
    """The sections of the page: a title and cases."""
    yield "Elementwise operations", elementwise_cases()
    for title, names in SPECIAL.items():
        yield title, special_cases(names)
    yield "Other special functions", other_cases()
