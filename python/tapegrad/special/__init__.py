"""SciPy's special functions, recorded: `scipy.special` under the same names, with derivatives.

It needs SciPy, which `pip install tapegrad[scipy]` brings along. The ufuncs among the functions can be called here or
as SciPy's own: `scipy.special.gamma(x)` with a tensor `x` is `tapegrad.special.gamma(x)`. Where an argument has no
derivative rule (the order of a Bessel function, say), watching it is an error that says so. Values are SciPy's, bit for
bit; docs/special.md lists which functions are differentiable in which arguments, docs/accuracy.md how accurately.

Examples
--------
>>> import tapegrad as tf
>>> x = tf.constant(5.0, dtype=tf.float64)
>>> with tf.GradientTape() as tape:
...     tape.watch(x)
...     y = tf.special.gammaln(x)
>>> float(tape.gradient(y, x)) == float(tf.special.digamma(5.0))
True
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

if find_spec("scipy") is None:
    raise ImportError("tapegrad.special needs SciPy: pip install tapegrad[scipy]")

from tapegrad.special import (
    _bessel,
    _distributions,
    _elementary,
    _elliptic,
    _error,
    _gamma,
    _hypergeometric,
    _incomplete,
    _integrals,
)
from tapegrad.special._bessel_functions import (
    h1vp,
    h2vp,
    ivp,
    jvp,
    kvp,
    spherical_in,
    spherical_jn,
    spherical_kn,
    spherical_yn,
    yvp,
)
from tapegrad.special._functions import (
    assoc_laguerre,
    comb,
    diric,
    factorial,
    lambertw,
    multigammaln,
    perm,
    sinc,
    softplus,
)
from tapegrad.special._gamma import polygamma, zeta
from tapegrad.special._logsumexp import log_softmax, logsumexp, softmax
from tapegrad.special._refused import CONSTANT, REFUSED
from tapegrad.special._table import build

_FAMILIES = (
    _gamma,
    _incomplete,
    _error,
    _distributions,
    _elementary,
    _bessel,
    _elliptic,
    _hypergeometric,
    _integrals,
)
_UFUNCS = build([(family.LINES, family.NAMES) for family in _FAMILIES])
globals().update(_UFUNCS)

__all__ = [
    "assoc_laguerre",
    "comb",
    "diric",
    "factorial",
    "h1vp",
    "h2vp",
    "ivp",
    "jvp",
    "kvp",
    "lambertw",
    "log_softmax",
    "logsumexp",
    "multigammaln",
    "perm",
    "polygamma",
    "sinc",
    "softmax",
    "softplus",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
    "yvp",
    "zeta",
    *_UFUNCS,
]


def __getattr__(name: str) -> Callable[..., Any]:
    # To a type checker this declares the ufuncs: their names are only known at run time.
    if name in REFUSED:
        raise AttributeError(f"scipy.special.{name} has no derivative rule in tapegrad: {REFUSED[name]}")
    if name in CONSTANT:
        raise AttributeError(
            f"scipy.special.{name} has no argument to differentiate and is not in tapegrad.special: {CONSTANT[name]}"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
