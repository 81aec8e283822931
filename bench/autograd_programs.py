"""What libraries written for HIPS autograd are asked to do, by a process that has autograd, or tapegrad in its place.

As a program it answers one message a line: `{"id": 1, "program": "spline fit"}` with the seconds that the program took,
and its result as numbers.
"""

from __future__ import annotations

import functools
import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

LIBRARIES = ("lifelines", "autograd_gamma", "pymanopt")

Prepared = Callable[[], Any]


def _univariate(fitter: str, **options: Any) -> Prepared:
    """Return the fit of a distribution of life times to 163 fruit flies'."""
    import lifelines
    from lifelines.datasets import load_waltons

    flies = load_waltons()

    def fit() -> Any:
        return getattr(lifelines, fitter)(**options).fit(flies["T"], flies["E"]).params_

    return fit


def _regression(fitter: str) -> Prepared:
    """Return the fit of a regression model to 432 prisoners' times to the next arrest."""
    import lifelines
    from lifelines.datasets import load_rossi

    prisoners = load_rossi()

    def fit() -> Any:
        return getattr(lifelines, fitter)().fit(prisoners, "week", "arrest").params_

    return fit


def _gamma_likelihood() -> Prepared:
    """Return the gradient of a likelihood of 1000 right-censored gamma variates."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd_gamma import gammainccln, gammaln

    generator = np.random.default_rng(0)
    times, observed = generator.gamma(2.5, size=1000), generator.uniform(size=1000) < 0.7

    def loss(parameters: Any) -> Any:
        shape, rate = anp.exp(parameters)
        scaled = rate * times
        density = anp.log(rate) + (shape - 1.0) * anp.log(scaled) - scaled - gammaln(shape)
        return -anp.sum(anp.where(observed, density, gammainccln(shape, scaled)))

    gradient = value_and_grad(loss)
    return lambda: gradient(np.array([0.4, 0.1]))[1]


def _on_manifold(kind: str) -> Prepared:
    """Return the search for the largest eigenvalues of a matrix of 50 rows, by trust regions."""
    import autograd.numpy as anp
    import pymanopt
    from pymanopt.manifolds import Grassmann, Sphere
    from pymanopt.optimizers import TrustRegions

    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(50, 50))
    matrix = matrix + matrix.T
    manifold = Sphere(50) if kind == "sphere" else Grassmann(50, 3)
    start = np.linalg.qr(generator.normal(size=(50, 3)))[0]
    start = start[:, 0] if kind == "sphere" else start

    @pymanopt.function.autograd(manifold)
    def cost(x: Any) -> Any:
        return -anp.sum(x * (matrix @ x))

    def search() -> Any:
        np.random.seed(0)  # noqa: NPY002 (pymanopt draws from it)
        problem = pymanopt.Problem(manifold, cost)
        return TrustRegions(verbosity=0).run(problem, initial_point=start).cost

    return search


PROGRAMS: dict[str, Callable[[], Prepared]] = {
    "lifelines: log-normal fit": functools.partial(_univariate, "LogNormalFitter"),
    "lifelines: spline fit": functools.partial(_univariate, "SplineFitter", knot_locations=[10.0, 30.0, 60.0]),
    "lifelines: generalized gamma fit": functools.partial(_univariate, "GeneralizedGammaFitter"),
    "lifelines: Weibull AFT regression": functools.partial(_regression, "WeibullAFTFitter"),
    "autograd-gamma: censored likelihood": _gamma_likelihood,
    "pymanopt: trust regions on a sphere": functools.partial(_on_manifold, "sphere"),
    "pymanopt: trust regions on subspaces": functools.partial(_on_manifold, "subspaces"),
}
"""What prepares each program; a call of what it returns is timed."""


@functools.cache
def _prepared(name: str) -> Prepared:
    return PROGRAMS[name]()


def _answer(message: dict[str, Any]) -> dict[str, Any]:
    try:
        program = _prepared(message["program"])
        start = time.perf_counter()
        result = program()
        return {"seconds": time.perf_counter() - start, "numbers": np.ravel(result).tolist()}
    except Exception:
        return {"success": False, "error": traceback.format_exc()}


def main() -> None:
    """Serve stdin, with tapegrad in autograd's place if the argument says so."""
    if sys.argv[1] == "tapegrad":
        from tapegrad.compat import install_as_autograd

        install_as_autograd()
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        message = json.loads(line)
        print(json.dumps({"id": message["id"], **_answer(message)}), file=out, flush=True)


if __name__ == "__main__":
    main()
