"""A sample call or more of each differentiable function of NumPy, for the tests that walk its namespaces.

A call gets the namespace, `numpy` or `tapegrad.numpy`, and the arguments; the floating ones are those to differentiate.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_rng = np.random.default_rng(7)

# Distinct numbers, well apart from each other, from zero and from integers.
V = np.array([0.9, -1.3, 2.2, -0.4, 1.6])
W = np.array([1.2, 0.7, -0.6, 2.4, -1.1])
P = np.array([0.5, 1.25, 2.125, 3.75, 0.8125])
M = _rng.permutation(np.linspace(-2.13, 2.57, 12)).reshape(3, 4)
N = _rng.permutation(np.linspace(-1.87, 2.31, 12)).reshape(4, 3)
S = _rng.permutation(np.linspace(-1.9, 2.2, 9)).reshape(3, 3) + 3 * np.eye(3)
T = _rng.permutation(np.linspace(-2.2, 2.6, 24)).reshape(2, 3, 4)
Z = V + 1j * W
H = M * (1 + 0.5j) - 0.3j
E = np.array([0.7, np.nan, -1.2, 2.0, np.nan])
I = np.array([2, 0, 1])  # noqa: E741
MASK = np.array([True, False, True, True, False])


class Sample(NamedTuple):
    """A call and its arguments."""

    call: Callable[..., Any]
    args: tuple[Any, ...]


def sample(call: Callable[..., Any], *args: Any) -> Sample:
    """Return a call with its arguments."""
    return Sample(call, args)


def _written(write: Callable[..., Any]) -> Callable[..., Any]:
    """Return a call that writes to a copy of its first argument, and returns that."""

    def call(np: Any, x: Any, *rest: Any) -> Any:
        copy = np.copy(x)
        write(np, copy, *rest)
        return copy

    return call


def _windows(np: Any) -> Callable[..., Any]:
    return getattr(np, "sliding_window_view", None) or np.lib.stride_tricks.sliding_window_view


SHAPES = {
    "append": [
        sample(lambda np, x, y: np.append(x, y), V, M),
        sample(lambda np, x, y: np.append(x, y, axis=0), M, M[:1]),
    ],
    "array_split": [
        sample(lambda np, x: np.array_split(x, 3), V),
        sample(lambda np, x: np.array_split(x, [1, 3], 1), M),
    ],
    "atleast_1d": [sample(lambda np, x, y: np.atleast_1d(x, y), np.array(1.5), V)],
    "atleast_2d": [sample(lambda np, x: np.atleast_2d(x), V)],
    "atleast_3d": [sample(lambda np, x, y: np.atleast_3d(x, y), V, M)],
    "block": [
        sample(lambda np, x, y: np.block([[x, y], [y, x]]), M, M),
        sample(lambda np, x, y: np.block([x, 2.0, y]), V, W),
    ],
    "broadcast_arrays": [sample(lambda np, x, y: np.broadcast_arrays(x, y), M, M[:, :1])],
    "broadcast_to": [sample(lambda np, x: np.broadcast_to(x, (2, 3, 5)), V)],
    "column_stack": [sample(lambda np, x, y: np.column_stack([x, y]), V, W)],
    "concat": [sample(lambda np, x, y: np.concat([x, y], axis=-1), M, N.T)],
    "concatenate": [
        sample(lambda np, x, y: np.concatenate((x, y)), V, W),
        sample(lambda np, x, y: np.concatenate([x, y], axis=None), M, V),
        sample(lambda np, x: np.concatenate(x), M),
        sample(lambda np, x: np.concatenate([x, [1.0]], dtype=np.complex128), V),
    ],
    "copy": [sample(lambda np, x: np.copy(x), M)],
    "astype": [sample(lambda np, x: np.astype(x, np.complex128), M)],
    "delete": [sample(lambda np, x: np.delete(x, [0, -1]), V), sample(lambda np, x: np.delete(x, slice(1, 3), 1), M)],
    "diag": [sample(lambda np, x: np.diag(x, 1), V), sample(lambda np, x: np.diag(x, -1), M)],
    "diagflat": [sample(lambda np, x: np.diagflat(x, -1), M[:2, :2])],
    "diagonal": [sample(lambda np, x: np.diagonal(x, 1), M), sample(lambda np, x: np.diagonal(x, -1, 2, 0), T)],
    "dsplit": [sample(lambda np, x: np.dsplit(x, 2), T)],
    "dstack": [sample(lambda np, x, y: np.dstack([x, y]), V, W)],
    "expand_dims": [sample(lambda np, x: np.expand_dims(x, (0, -1)), V)],
    "fill_diagonal": [
        sample(_written(lambda np, x, y: np.fill_diagonal(x, y)), M, V[:3]),
        sample(_written(lambda np, x, y: np.fill_diagonal(x, y, wrap=True)), np.vstack([N, N]), np.array(1.5)),
    ],
    "flip": [sample(lambda np, x: np.flip(x), M), sample(lambda np, x: np.flip(x, (0, 2)), T)],
    "fliplr": [sample(lambda np, x: np.fliplr(x), M)],
    "flipud": [sample(lambda np, x: np.flipud(x), M)],
    "full_like": [sample(lambda np, x, y: np.full_like(x, y), M, np.array(1.5))],
    "hsplit": [sample(lambda np, x: np.hsplit(x, 2), M), sample(lambda np, x: np.hsplit(x, [2, 4]), V)],
    "hstack": [
        sample(lambda np, x, y: np.hstack([x, y]), M, M[:, :1]),
        sample(lambda np, x, y: np.hstack((x, y)), V, W),
    ],
    "insert": [
        sample(lambda np, x, y: np.insert(x, 1, y), V, np.array(9.5)),
        sample(lambda np, x, y: np.insert(x, [0, 2, 2], y), V, W[:3]),
        sample(lambda np, x, y: np.insert(x, 1, y, axis=1), M, V[:3]),
        sample(lambda np, x, y: np.insert(x, slice(0, 2), y, axis=0), M, M[1]),
    ],
    "ix_": [sample(lambda np, x, y: np.ix_(x, y), V, W)],
    "matrix_transpose": [sample(lambda np, x: np.matrix_transpose(x), T)],
    "meshgrid": [
        sample(lambda np, x, y: np.meshgrid(x, y), V, W[:3]),
        sample(lambda np, x, y: np.meshgrid(x, y, indexing="ij", sparse=True), V, W[:3]),
    ],
    "moveaxis": [sample(lambda np, x: np.moveaxis(x, [0, 1], [-1, 0]), T)],
    "permute_dims": [sample(lambda np, x: np.permute_dims(x, (2, 0, 1)), T)],
    "ravel": [sample(lambda np, x: np.ravel(x, "F"), M), sample(lambda np, x: np.ravel(np.transpose(x), "K"), M)],
    "repeat": [sample(lambda np, x: np.repeat(x, [0, 2, 3], axis=0), M), sample(lambda np, x: np.repeat(x, 2), M)],
    "reshape": [
        sample(lambda np, x: np.reshape(x, (2, -1)), M),
        sample(lambda np, x: np.reshape(x, (2, 6), order="F"), M),
    ],
    "resize": [sample(lambda np, x: np.resize(x, (3, 4)), V)],
    "roll": [
        sample(lambda np, x: np.roll(x, 2), M),
        sample(lambda np, x: np.roll(x, (1, -1), (0, 1)), M),
        sample(lambda np, x: np.roll(x, (1, 2), 1), M),
    ],
    "rollaxis": [sample(lambda np, x: np.rollaxis(x, 2), T), sample(lambda np, x: np.rollaxis(x, 0, 3), T)],
    "rot90": [sample(lambda np, x, k=k: np.rot90(x, k, (1, 2)), T) for k in (-1, 0, 1, 2)],
    "lib.stride_tricks.sliding_window_view": [
        sample(lambda np, x: _windows(np)(x, 2, 1), M),
    ],
    "split": [sample(lambda np, x: np.split(x, 2, axis=1), M), sample(lambda np, x: np.split(x, [1, 3]), V)],
    "squeeze": [sample(lambda np, x: np.squeeze(x, 0), M[:1])],
    "stack": [sample(lambda np, x, y: np.stack([x, y], axis=1), V, W)],
    "swapaxes": [sample(lambda np, x: np.swapaxes(x, 0, -1), T)],
    "tile": [sample(lambda np, x: np.tile(x, (2, 1, 2)), M)],
    "trace": [sample(lambda np, x: np.trace(x), S), sample(lambda np, x: np.trace(x, 1, 2, 0), T)],
    "transpose": [sample(lambda np, x: np.transpose(x), M), sample(lambda np, x: np.transpose(x, (1, 2, 0)), T)],
    "tril": [sample(lambda np, x: np.tril(x, 1), T)],
    "trim_zeros": [sample(lambda np, x: np.trim_zeros(x * [0.0, 1.0, 0.0, 1.0, 0.0]), V)],
    "triu": [sample(lambda np, x: np.triu(x, -1), M)],
    "unstack": [sample(lambda np, x: np.unstack(x, axis=1), M)],
    "vsplit": [sample(lambda np, x: np.vsplit(x, [1]), M)],
    "vstack": [sample(lambda np, x, y: np.vstack([x, y]), V, W)],
}

PADDING = {
    "pad": [
        sample(lambda np, x: np.pad(x, ((1, 2), (0, 1))), M),
        sample(lambda np, x, c: np.pad(x, 1, constant_values=c), M, np.array([[1.5, 2.5], [3.5, 4.5]])),
        *[sample(lambda np, x, m=m: np.pad(x, (2, 3), mode=m), M) for m in ("edge", "wrap", "reflect", "symmetric")],
        *[sample(lambda np, x, m=m: np.pad(x, 5, mode=m, reflect_type="odd"), M) for m in ("reflect", "symmetric")],
        sample(lambda np, x, c: np.pad(x, ((2, 0), (1, 3)), mode="linear_ramp", end_values=c), M, np.array(1.5)),
        *[sample(lambda np, x, m=m: np.pad(x, 2, mode=m), M) for m in ("maximum", "minimum", "mean", "median")],
        sample(lambda np, x: np.pad(x, 2, mode="mean", stat_length=2), M),
    ],
}

CHOOSING = {
    "apply_along_axis": [sample(lambda np, x: np.apply_along_axis(lambda v: v * v[0], 1, x), T)],
    "apply_over_axes": [sample(lambda np, x: np.apply_over_axes(np.sum, x, [0, 2]), T)],
    "choose": [sample(lambda np, x, y: np.choose([0, 1, 1, 3, 0], [x, y], mode="wrap"), V, W)],
    "compress": [sample(lambda np, x: np.compress([True, False, True], x, axis=0), M)],
    "copyto": [sample(_written(lambda np, x, y: np.copyto(x, y, where=MASK)), V, W)],
    "extract": [sample(lambda np, x: np.extract(MASK, x), V)],
    "piecewise": [
        sample(lambda np, x: np.piecewise(x, [x < -1, x > 1], [lambda v: v**2, lambda v: np.sin(v), 3.0]), M),
        sample(lambda np, x: np.piecewise(x, x > 0, [lambda v: v**2, lambda v: 2 * v]), V),
    ],
    "place": [sample(_written(lambda np, x, y: np.place(x, MASK, y)), V, W[:2])],
    "put": [sample(_written(lambda np, x, y: np.put(x, [1, 7, 1], y)), M, W[:2])],
    "put_along_axis": [sample(_written(lambda np, x, y: np.put_along_axis(x, I[:, None], y, 1)), M, V[:3, None])],
    "putmask": [sample(_written(lambda np, x, y: np.putmask(x, MASK, y)), V, W[:2])],
    "select": [sample(lambda np, x, y: np.select([x < 0, x > 1], [x**2, y], 0.5), V, W)],
    "take": [
        sample(lambda np, x: np.take(x, [[0, 3], [-1, 0]]), V),
        sample(lambda np, x: np.take(x, [5, -7], axis=1, mode="wrap"), M),
        sample(lambda np, x: np.take(x, [5, -7], axis=1, mode="clip"), M),
    ],
    "take_along_axis": [
        sample(lambda np, x: np.take_along_axis(x, I[:, None], axis=1), M),
        sample(lambda np, x: np.take_along_axis(x, I[None, :2], axis=0), M[:, :1]),
        sample(lambda np, x: np.take_along_axis(x, I, None), M),
    ],
    "where": [
        sample(lambda np, x, y: np.where(x > 0, x**2, y), V, W),
        sample(lambda np, x: np.where(x > 0, x, 0.5), V.astype(np.float32)),
    ],
}

REDUCTIONS: dict[str, list[Sample]] = {
    "amax": [sample(lambda np, x: np.amax(x, axis=1), M)],
    "amin": [sample(lambda np, x: np.amin(x, axis=0), M)],
    "max": [
        sample(lambda np, x: np.max(x), M),
        sample(lambda np, x: np.max(x, axis=0, keepdims=True, initial=0.1, where=M > -1), M),
    ],
    "mean": [
        sample(lambda np, x: np.mean(x), M),
        sample(lambda np, x: np.mean(x, axis=(0, 2), keepdims=True), T),
        sample(lambda np, x: np.mean(x, axis=1, where=M > -1, dtype=np.complex128), M),
    ],
    "min": [sample(lambda np, x: np.min(x, axis=-1), M), sample(lambda np, x: np.min(x, initial=-0.1, where=M > 0), M)],
    "nanmax": [sample(lambda np, x: np.nanmax(x), E)],
    "nanmean": [sample(lambda np, x: np.nanmean(x), E), sample(lambda np, x: np.nanmean(x, axis=0, where=MASK), E)],
    "nanmin": [sample(lambda np, x: np.nanmin(x, keepdims=True), E)],
    "nanprod": [sample(lambda np, x: np.nanprod(x, initial=2.0), E)],
    "nanstd": [sample(lambda np, x: np.nanstd(x, ddof=1), E)],
    "nansum": [sample(lambda np, x: np.nansum(x, axis=0, where=MASK), E)],
    "nanvar": [
        sample(lambda np, x: np.nanvar(x), E),
        sample(lambda np, x, m: np.nanvar(x, mean=m), E, np.array([0.4])),
    ],
    "prod": [
        sample(lambda np, x: np.prod(x, axis=1), M),
        sample(lambda np, x: np.prod(x, axis=(0, 2), initial=2.0, where=T > -1), T),
        sample(lambda np, x: np.prod(x), Z),
    ],
    "ptp": [sample(lambda np, x: np.ptp(x, axis=1), M)],
    "std": [
        sample(lambda np, x: np.std(x), M),
        sample(lambda np, x, m: np.std(x, axis=1, mean=m, correction=1), M, M.mean(1, keepdims=True)),
    ],
    "sum": [
        sample(lambda np, x: np.sum(x), M),
        sample(lambda np, x: np.sum(x, axis=(0, -1), keepdims=True), T),
        sample(lambda np, x, i: np.sum(x, axis=0, initial=i, where=M > -1), M, np.array(0.5)),
        sample(lambda np, x: np.sum(x, dtype=np.complex128), M),
    ],
    "var": [
        sample(lambda np, x: np.var(x, axis=0, ddof=1, keepdims=True), M),
        sample(lambda np, x: np.var(x, where=M > -1), M),
        sample(lambda np, x: np.var(x), Z),
        sample(lambda np, x, m: np.var(x, axis=0, mean=m), H, H.mean(0, keepdims=True)),
    ],
}

PRODUCTS = {
    "cross": [
        sample(lambda np, x, y: np.cross(x, y), V[:3], W[:3]),
        sample(lambda np, x, y: np.cross(x, y, axisb=0, axisc=0), N, N.T),
    ],
    "dot": [
        sample(lambda np, x, y: np.dot(x, y), V, W),
        sample(lambda np, x, y: np.dot(x, y), M, N),
        sample(lambda np, x, y: np.dot(x, y), T, np.stack([N, N + 1])),
        sample(lambda np, x, y: np.dot(x, y), H, V[:4]),
        sample(lambda np, x: np.dot(x, 3), M),
    ],
    "einsum": [
        sample(lambda np, x, y: np.einsum("ij,jk->ik", x, y), M, N),
        sample(lambda np, x, y: np.einsum("ij,jk,ik", x, y, S, optimize=True), M, N),
        sample(lambda np, x: np.einsum("ii->i", x), S),
        sample(lambda np, x: np.einsum("iij", x), T[:, :2]),
        sample(lambda np, x, y: np.einsum("...ij,jk->k...", x, y), T, N),
        sample(lambda np, x, y: np.einsum(x, [2, 0, ...], y, [0, 1], [..., 1]), N.T, N),
        sample(lambda np, x, y: np.einsum("ij,kj->j", x, y), H, N[:1, :1] + 0j),
        sample(lambda np, x: np.einsum("ij->", x), M),
    ],
    "inner": [sample(lambda np, x, y: np.inner(x, y), T, M), sample(lambda np, x, y: np.inner(x, y), Z, V)],
    "kron": [sample(lambda np, x, y: np.kron(x, y), M, V[:2]), sample(lambda np, x, y: np.kron(x, y), T, S)],
    "outer": [sample(lambda np, x, y: np.outer(x, y), M, V)],
    "tensordot": [
        sample(lambda np, x, y: np.tensordot(x, y, 1), T, N),
        sample(lambda np, x, y: np.tensordot(x, y, ([2, 1], [0, 1])), T, N),
        sample(lambda np, x, y: np.tensordot(x, y, 0), H, V),
    ],
    "vdot": [sample(lambda np, x, y: np.vdot(x, y), Z, V), sample(lambda np, x, y: np.vdot(x, y), M, N)],
}

ELEMENTWISE: dict[str, list[Sample]] = {
    "angle": [sample(lambda np, x: np.angle(x, deg=True), Z)],
    "clip": [
        sample(lambda np, x: np.clip(x, -1, 1), V),
        sample(lambda np, x, y: np.clip(x, None, y), V, W),
        sample(lambda np, x: np.clip(x, min=0.1), V),
    ],
    "i0": [sample(lambda np, x: np.i0(x), np.array([0.0, 0.5, -3.0, 9.5]))],
    "imag": [sample(lambda np, x: np.imag(x), Z)],
    "nan_to_num": [
        sample(lambda np, x: np.nan_to_num(x, nan=2.0), E),
        sample(lambda np, x: np.nan_to_num(x, posinf=7.0), Z),
    ],
    "real": [sample(lambda np, x: np.real(x), Z)],
    "real_if_close": [sample(lambda np, x: np.real_if_close(x), Z), sample(lambda np, x: np.real_if_close(x), V + 0j)],
    "sinc": [sample(lambda np, x: np.sinc(x), np.array([0.0, 0.01, 0.5, -2.3]))],
}

RANGES = {
    "geomspace": [sample(lambda np, x, y: np.geomspace(x, y, 5), np.array(1.5), np.array(4.5))],
    "linspace": [
        sample(lambda np, x, y: np.linspace(x, y, 5), np.array(1.5), np.array(4.5)),
        sample(lambda np, x, y: np.linspace(x, y, 4, endpoint=False, retstep=True, axis=-1), V, W),
    ],
    "logspace": [sample(lambda np, x, y, b: np.logspace(x, y, 4, base=b), np.array(0.5), np.array(1.5), np.array(2.5))],
}

SAMPLES = {**SHAPES, **PADDING, **CHOOSING, **REDUCTIONS, **PRODUCTS, **ELEMENTWISE, **RANGES}
