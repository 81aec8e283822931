"""Functions of square matrices: the exponential and the principal square root."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, is_watched, matmul
from tapegrad._ops.declare import Operation, TensorLike, linear, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix.parts import adjoint, as_matrices

__all__ = ["expm", "sqrtm"]

_Array = npt.NDArray[Any]


def expm(a: TensorLike) -> Tensor:
    """Return the exponentials of square matrices: the sums of `matrix_power(a, k) / k!`.

    They are Padé approximants of degree 13 of the matrices divided by a power of 2, squared as often (N. J. Higham,
    "The scaling and squaring method for the matrix exponential revisited", 2005; A. H. Al-Mohy and N. J. Higham,
    "A new scaling and squaring algorithm for the matrix exponential", 2009), computed in double precision.
    """
    a = _square(a, "expm")
    result: Tensor = _expm(a)
    return result


def sqrtm(a: TensorLike) -> Tensor:
    """Return the principal square roots of square matrices: those whose eigenvalues have positive real parts.

    Those of symmetric and Hermitian matrices come from their eigenvalues, which must not be negative; zeros are
    allowed, though without finite derivatives. Those of others come from the scaled product form of Denman's and
    Beavers' iteration (N. J. Higham, "Functions of Matrices", 2008, section 6.3), which is about as accurate as the
    problem allows, and needs all eigenvalues to stay clear of zero and of the negative real axis.

    Raises
    ------
    numpy.linalg.LinAlgError
        If there is no such root, or the iteration does not find it.
    """
    a = _square(a, "sqrtm")
    result: Tensor = _sqrtm(a)
    return result


def _square(a: TensorLike, what: str) -> Tensor:
    value = as_matrices(a, what)
    if value.shape[-1] != value.shape[-2]:
        raise np.linalg.LinAlgError(f"{what}: square matrices are needed, not shape {value.shape}.")
    return value


def _adjoint(a: _Array) -> _Array:
    return np.conjugate(a.swapaxes(-1, -2))


def _norm(a: _Array) -> Any:
    """Return the 1-norms, with two axes of size 1 behind."""
    return np.linalg.norm(a, 1, (-2, -1), keepdims=True)


def _in_double(a: _Array) -> _Array:
    return a.astype(np.result_type(a.dtype, np.float64), copy=False)


# Coefficients of the numerator of the Padé approximant of degree 13 of exp, constant term first.
_PADE = (
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
)
# Up to this norm the approximant is exact to double precision.
_PADE_RADIUS = 4.25


@silent
def _expm_forward(a: _Array) -> _Array:
    if not a.size:
        return a.copy()
    wide = _in_double(a)
    identity = np.eye(a.shape[-1], dtype=wide.dtype)
    squared = wide @ wide
    fourth = squared @ squared
    # For powers, ||A^k||^(1/k) is what counts; it can be far below ||A||.
    sizes = [_norm(power) ** (1 / k) for k, power in ((4, fourth), (6, fourth @ squared), (8, fourth @ fourth))]
    size = np.minimum(np.maximum(sizes[0], sizes[1]), np.maximum(sizes[1], sizes[2]))
    size = np.where(np.isfinite(size), size, 0)
    halvings = np.ceil(np.log2(np.maximum(size / _PADE_RADIUS, 1))).astype(np.int64)
    halvings += _more_halvings(wide * 0.5**halvings)
    scaled = wide * 0.5**halvings
    b = _PADE
    second = scaled @ scaled
    fourth = second @ second
    sixth = fourth @ second
    odd = scaled @ (
        sixth @ (b[13] * sixth + b[11] * fourth + b[9] * second)
        + b[7] * sixth
        + b[5] * fourth
        + b[3] * second
        + b[1] * identity
    )
    even = (
        sixth @ (b[12] * sixth + b[10] * fourth + b[8] * second)
        + b[6] * sixth
        + b[4] * fourth
        + b[2] * second
        + b[0] * identity
    )
    out = np.linalg.solve(even - odd, even + odd)
    for step in range(int(halvings.max())):
        out = np.where(halvings > step, out @ out, out)
    return out.astype(a.dtype, copy=False)


def _more_halvings(scaled: _Array) -> npt.NDArray[np.int64]:
    """Return how many further halvings keep rounding errors of the power series below those of the elements."""
    # The relative size of the first neglected term, with all signs alike: || |A|^27 || / (|c| ||A||).
    row_sums = np.ones((*scaled.shape[:-2], 1, scaled.shape[-1]))
    magnitudes = np.abs(scaled)
    for _ in range(27):
        row_sums = row_sums @ magnitudes
    size = row_sums.max(axis=-1, keepdims=True)
    norm = np.maximum(_norm(scaled), np.finfo(np.float64).tiny)
    excess = np.log2(np.maximum(size / (norm * 1.13e35 * 2.0**-53), 1e-300)) / 26
    return np.where(np.isfinite(excess), np.maximum(np.ceil(excess), 0), 0).astype(np.int64)


def _tangent_forward(a: _Array, e: _Array) -> _Array:
    # exp([[A, E], [0, A]]) has exp(A) on its diagonal and the derivative beside it. E is brought to the size of A:
    # a greater one would cost accuracy, and the result is linear in it.
    size = _norm(e)
    scale = np.where((size > 0) & np.isfinite(size), size / np.maximum(_norm(a), 1e-3), 1)
    a, e = np.broadcast_arrays(_in_double(a), _in_double(e) / scale)
    block = np.concatenate([np.concatenate([a, e], -1), np.concatenate([np.zeros_like(a), a], -1)], -2)
    count = a.shape[-1]
    return np.asarray(_expm_forward(block)[..., :count, count:] * scale)


def _tangent_a_vjp(g: Tensor, a: Tensor, e: Tensor) -> Tensor:
    # The second derivative, symmetric in its two directions, is the upper right block of a derivative of blocks.
    a, e = adjoint(a), adjoint(e)
    count = a.shape[-1]
    tangent = _tangent(_blocks(a, e, a), _blocks(g, None, g))
    return _native.basic_index(tangent, (..., slice(None, count), slice(count, None)))


def _blocks(upper_left: Tensor, upper_right: Tensor | None, lower_right: Tensor) -> Tensor:
    """Return block matrices with zeros at the lower left."""
    zeros = np.zeros(upper_left.shape, upper_left.dtype.dtype)
    last = upper_left.ndim - 1
    upper = _native.concatenate([upper_left, zeros if upper_right is None else upper_right], last)
    return _native.concatenate([upper, _native.concatenate([zeros, lower_right], last)], last - 1)


def _tangent(a: Tensor, e: Tensor) -> Tensor:
    """Return the derivative of the exponential of `a` in the direction `e`."""
    result: Tensor = _expm_tangent(a, e) if is_watched(a) else _expm_tangent_fixed(e, matrix=array(a))
    return result


_expm: Operation = structural("expm", _expm_forward, a=lambda g, a: _tangent(adjoint(a), g))
_expm_tangent: Operation = structural(
    "expm", _tangent_forward, a=_tangent_a_vjp, e=lambda g, a: _tangent(adjoint(a), g)
)
_expm_tangent_fixed: Operation = linear(
    "expm",
    lambda e, *, matrix: _tangent_forward(matrix, e),
    lambda g, matrix: _expm_tangent_fixed(g, matrix=_adjoint(matrix)),
    axes=(),
)


@silent
def _sqrtm_forward(a: _Array) -> _Array:
    wide = _in_double(a)
    if np.array_equal(wide, _adjoint(wide)):
        w, v = np.linalg.eigh(wide)
        # Zeros come out as rounding errors of either sign.
        if np.any(w < -np.max(np.abs(w), axis=-1, keepdims=True, initial=0) * w.shape[-1] * np.finfo(w.dtype).eps):
            raise np.linalg.LinAlgError("a negative eigenvalue has no principal square root")
        out = (v * np.sqrt(np.maximum(w, 0))[..., None, :]) @ _adjoint(v)
        out = 0.5 * (out + _adjoint(out))
    else:
        out = _root_by_iteration(wide)
    return np.asarray(out, a.dtype)


def _root_by_iteration(a: _Array) -> _Array:
    """Return the root of matrices without eigenvalues on the closed negative real axis."""
    count = a.shape[-1]
    identity = np.eye(count)
    root, m = a, a
    distance = np.full((*a.shape[:-2], 1, 1), np.inf)
    for _ in range(100):
        try:
            inverse = np.linalg.inv(m)
        except np.linalg.LinAlgError:
            break
        # Far from the limit, where m is 1, scaling by its determinant makes the convergence quadratic at once.
        scale = np.where(distance > 1e-2, np.exp(-np.linalg.slogdet(m)[1] / (2 * count))[..., None, None], 1.0)
        square = scale * scale
        inverse = inverse / square
        root = 0.5 * scale * (root @ (identity + inverse))
        m = 0.5 * (identity + 0.5 * (square * m + inverse))
        before, distance = distance, _norm(m - identity)
        if np.all((distance <= count * 1e-16) | ((distance < 1e-7) & (distance >= 0.5 * before))):
            return np.asarray(root)
    raise np.linalg.LinAlgError("no square root was found: an eigenvalue is 0 or on the negative real axis")


@silent
def _sylvester_forward(x: _Array, c: _Array) -> _Array:
    """Return y with `x @ y + y @ x == c`, where x is a principal square root."""
    x, c = np.broadcast_arrays(_in_double(x), _in_double(c))
    if np.array_equal(x, _adjoint(x)):
        w, v = np.linalg.eigh(x)
        turned = _adjoint(v) @ c @ v
        sums = w[..., :, None] + w[..., None, :]
        return np.asarray(v @ np.where(turned == 0, 0, turned / sums) @ _adjoint(v))
    # The root of [[X X, C], [0, X X]] is [[X, Y], [0, X]].
    size, count = _norm(c), x.shape[-1]
    a = x @ x
    scale = np.where(size > 0, size / _norm(a), 1)
    upper = np.concatenate([a, c / scale], -1)
    lower = np.concatenate([np.zeros_like(a), a], -1)
    return np.asarray(_root_by_iteration(np.concatenate([upper, lower], -2))[..., :count, count:] * scale)


def _sylvester_x_vjp(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    slope, out = _sylvester_solution(adjoint(x), g), adjoint(out)
    return elementwise.negative(elementwise.add(matmul(slope, out), matmul(out, slope)))


def _sylvester_solution(x: Tensor, c: Tensor) -> Tensor:
    """Return y with `x @ y + y @ x == c`."""
    result: Tensor = _sylvester(x, c) if is_watched(x) else _sylvester_fixed(c, matrix=array(x))
    return result


# X X = A gives X dX + dX X = dA.
_sqrtm: Operation = structural("sqrtm", _sqrtm_forward, a=lambda g, out: _sylvester_solution(adjoint(out), g))
_sylvester: Operation = structural(
    "sqrtm", _sylvester_forward, x=_sylvester_x_vjp, c=lambda g, x: _sylvester_solution(adjoint(x), g)
)
_sylvester_fixed: Operation = linear(
    "sqrtm",
    lambda c, *, matrix: _sylvester_forward(matrix, c),
    lambda g, matrix: _sylvester_fixed(g, matrix=_adjoint(matrix)),
    axes=(),
)
