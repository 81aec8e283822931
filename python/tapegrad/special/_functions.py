"""Functions that SciPy writes in Python around its ufuncs, and whose arguments it converts: here they are recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import sinc as sinc_ops
from tapegrad._ops.arguments import as_int
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.registered import as_operand
from tapegrad._ops.ufunc_rules import product
from tapegrad.special._logsumexp import as_floating
from tapegrad.special._table import SCOPE, constant

__all__ = [
    "assoc_laguerre",
    "comb",
    "diric",
    "factorial",
    "lambertw",
    "multigammaln",
    "perm",
    "sinc",
    "softplus",
]


def lambertw(z: TensorLike, k: Any = 0, tol: float = 1e-8) -> Tensor:
    """Return branch number `k` of the solution w of ``w * exp(w) = z``; complex.

    Parameters
    ----------
    z
        The arguments, real or complex.
    k
        The branch, an integer or an array of integers.
    tol
        SciPy's tolerance for the iteration.

    Examples
    --------
    >>> import tapegrad as tf
    >>> z = tf.constant(1.0, dtype=tf.float64)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(z)
    ...     w = tf.math.real(tf.special.lambertw(z))
    >>> round(float(w), 12), round(float(tape.gradient(w, z)), 12)
    (0.56714329041, 0.361896256635)
    """
    result: Tensor = _lambertw(as_floating(z), k=constant(k, "lambertw", "the branch", "count"), tol=float(tol))
    return result


# w' = exp(-w) / (1 + w): as w / (z (1 + w)), but also at z = 0.
_lambertw: Operation = structural(
    "lambertw",
    lambda z, *, k, tol: scipy.special.lambertw(z, k, tol),
    z=lambda g, out: product(elementwise.exp(-out) / (1.0 + out), g),
)


def multigammaln(a: TensorLike, d: Any) -> Tensor:
    """Return the logarithm of the multivariate gamma function of dimension `d`, an integer.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.multigammaln(2.5, 1)) == float(tf.special.gammaln(2.5))
    True
    """
    result: Tensor = _multigammaln(as_floating(a), d=as_int(constant(d, "multigammaln", "the dimension", "count")))
    return result


def _multigammaln_slope(a: Any, d: int) -> Any:
    total = SCOPE["psi"](a)
    for k in range(1, d):
        total = total + SCOPE["psi"](a - 0.5 * k)
    return total


_multigammaln: Operation = structural(
    "multigammaln",
    lambda a, *, d: scipy.special.multigammaln(a, d),
    a=lambda g, a, d: product(_multigammaln_slope(a, d), g),
)


def factorial(n: TensorLike, exact: bool = False, extend: str = "zero") -> Any:
    """Return ``gamma(n + 1)``, and 0 for negative n unless `extend` is "complex"; the slope there is 0, too.

    With `exact` it is SciPy's integer arithmetic, whose results no tape follows.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.factorial(4.0))
    24.0
    """
    if exact:
        return _exact(scipy.special.factorial, n, extend=extend)
    n = as_operand(n)
    if n.dtype.is_floating or n.dtype.is_complex:
        return _factorial(n, extend=extend)
    return _native.own(np.asarray(scipy.special.factorial(_native.array(n), extend=extend)))


_factorial: Operation = structural(
    "factorial",
    lambda n, *, extend: scipy.special.factorial(n, extend=extend),
    n=lambda g, n, out: product(out * SCOPE["psi"](_where_positive(n, out)), g),
)


def _where_positive(n: Any, out: Any) -> Any:
    """Return n + 1, and a harmless 1 where the factorial is 0 by definition."""
    return _native.where(elementwise.equal(out, 0.0), 1.0, n + 1.0)


def _exact(function: Any, *operands: Any, **keywords: Any) -> Any:
    for x in operands:
        if _native.is_watched(x):
            raise TypeError(
                f"{function.__name__} with exact=True computes with integers, which have no derivative in tapegrad; "
                "call it with exact=False, or on stop_gradient(...) of the operand."
            )
    arrays = [_native.array(x) for x in operands]
    return function(
        *[x.item() if isinstance(x, np.ndarray) and not x.ndim else x for x in arrays], exact=True, **keywords
    )


def comb(N: TensorLike, k: TensorLike, *, exact: bool = False, repetition: bool = False) -> Any:  # noqa: N803
    """Return the number of combinations, ``binom(N, k)`` for 0 <= k <= N and 0 elsewhere.

    Parameters
    ----------
    N, k
        How many there are, and how many are taken; the function is differentiable in both.
    exact
        Whether to compute with integers, as SciPy does; no tape follows the result.
    repetition
        Whether an element may be taken again.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.comb(5.0, 2.0)), tf.special.comb(5, 2, exact=True)
    (10.0, 10)
    """
    if exact:
        return _exact(scipy.special.comb, N, k, repetition=repetition)
    n, k = as_floating(N), as_floating(k)
    if repetition:
        value = SCOPE["binom"](n + k - 1.0, k)
        return _native.where(
            elementwise.multiply(elementwise.equal(k, 0.0), elementwise.greater_equal(n, 0.0)), 1.0, value
        )
    return _native.where(_countable(n, k), SCOPE["binom"](n, k), 0.0)


def perm(N: TensorLike, k: TensorLike, exact: bool = False) -> Any:  # noqa: N803
    """Return the number of ordered selections, ``gamma(N + 1) / gamma(N - k + 1)`` for 0 <= k <= N and 0 elsewhere.

    With `exact` it is SciPy's integer arithmetic, whose results no tape follows.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.perm(5.0, 2.0))
    20.0
    """
    if exact:
        return _exact(scipy.special.perm, N, k)
    n, k = as_floating(N), as_floating(k)
    return _native.where(_countable(n, k), SCOPE["poch"](n - k + 1.0, k), 0.0)


def _countable(n: Tensor, k: Tensor) -> Tensor:
    inside = elementwise.multiply(elementwise.less_equal(k, n), elementwise.greater_equal(n, 0.0))
    return elementwise.multiply(inside, elementwise.greater_equal(k, 0.0))


def softplus(x: TensorLike) -> Tensor:
    """Return ``log(1 + exp(x))``, elementwise.

    Parameters
    ----------
    x
        A real tensor.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.special.softplus([-1000.0, 0.0]).numpy()
    array([0.        , 0.69314718])
    """
    return elementwise.logaddexp(0.0, as_floating(x))


def sinc(x: TensorLike) -> Tensor:
    """Return ``sin(pi x) / (pi x)``, elementwise, and 1 at 0.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.sinc(0.0))
    1.0
    """
    result: Tensor = sinc_ops.sinc(as_floating(x))
    return result


def diric(x: TensorLike, n: Any) -> Tensor:
    """Return the periodic sinc function, ``sin(n x / 2) / (n sin(x / 2))``, differentiable in `x`; n is a whole number.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.diric(0.0, 4))
    1.0
    """
    result: Tensor = _diric(as_floating(x), n=constant(n, "diric", "n", "count"))
    return result


def _diric_slope(x: Any, n: Any) -> Any:
    """Return the derivative: diric is the Chebyshev polynomial U(n-1, cos(x/2)) / n."""
    n = _native.tensor(np.asarray(n, x.dtype.as_numpy_dtype))
    polynomial = SCOPE["eval_gegenbauer"](elementwise.maximum(n - 2.0, 0.0), 2.0, elementwise.cos(0.5 * x))
    return _native.where(elementwise.equal(n, 1.0), 0.0, -elementwise.sin(0.5 * x) / n * polynomial)


_diric: Operation = structural(
    "diric",
    lambda x, *, n: scipy.special.diric(x, n),
    x=lambda g, x, n: product(_diric_slope(x, n), g),
)


def assoc_laguerre(x: TensorLike, n: TensorLike, k: TensorLike = 0.0) -> Tensor:
    """Return the generalized Laguerre polynomial of degree `n`, differentiable in `x`; as `eval_genlaguerre(n, k, x)`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.assoc_laguerre(2.0, 1))
    -1.0
    """
    result: Tensor = SCOPE["eval_genlaguerre"](n, k, x)
    return result
