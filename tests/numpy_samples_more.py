"""More sample calls: statistics, order, calculus, polynomials, `numpy.linalg`, `numpy.fft`, `numpy.emath`."""

import numpy as np
from numpy_samples import E, H, M, N, P, S, Sample, T, V, W, Z, sample

B = np.array([[2.5, 0.4, -0.3], [0.7, 3.1, 0.2], [-0.6, 0.5, 1.9]])
C = B @ B.T + np.eye(3)
K = np.array([0, 2, 1, 2, 0])
Q = np.array([0.3, 0.75])


def _only(part: int, call):
    """Return the call with one of its results."""
    return lambda np, *args: call(np, *args)[part]


STATISTICS: dict[str, list[Sample]] = {
    "average": [sample(lambda np, x, w: np.average(x, weights=w), V, P)],
    "corrcoef": [sample(lambda np, x: np.corrcoef(x), M)],
    "cov": [sample(lambda np, x, y: np.cov(x, y, ddof=0), V, W), sample(lambda np, x: np.cov(x, rowvar=False), M)],
    "histogram": [sample(_only(0, lambda np, w: np.histogram(K, bins=3, weights=w)), V)],
    "histogram2d": [sample(_only(0, lambda np, w: np.histogram2d(K, K, bins=3, weights=w)), V)],
    "histogram_bin_edges": [sample(lambda np, x: np.histogram_bin_edges(x, bins=4), V)],
    "histogramdd": [sample(_only(0, lambda np, w: np.histogramdd(K[:, None], bins=3, weights=w)), V)],
    "bincount": [sample(lambda np, w: np.bincount(K, weights=w, minlength=4), V)],
    "median": [sample(lambda np, x: np.median(x, axis=1), M), sample(lambda np, x: np.median(x), V)],
    "nanmedian": [sample(lambda np, x: np.nanmedian(x), E)],
    "nanpercentile": [sample(lambda np, x: np.nanpercentile(x, 40), E)],
    "nanquantile": [sample(lambda np, x: np.nanquantile(x, 0.4), E)],
    "percentile": [sample(lambda np, x: np.percentile(x, [20, 50], axis=1), M)],
    "quantile": [sample(lambda np, x: np.quantile(x, 0.3, axis=0, keepdims=True), M)],
}

ORDER = {
    "intersect1d": [sample(lambda np, x: np.intersect1d(x, x[:3]), V)],
    "partition": [sample(lambda np, x: np.partition(x, 2, axis=1), M)],
    "setdiff1d": [sample(lambda np, x: np.setdiff1d(x, [0.5]), V)],
    "setxor1d": [sample(lambda np, x, y: np.setxor1d(x, y), V, W)],
    "sort": [sample(lambda np, x: np.sort(x, axis=0), M), sample(lambda np, x: np.sort(x, axis=None), M)],
    "sort_complex": [sample(lambda np, x: np.sort_complex(x), Z)],
    "union1d": [sample(lambda np, x, y: np.union1d(x, y), V, W)],
    "unique": [sample(lambda np, x: np.unique(x), V)],
    "unique_all": [sample(_only(0, lambda np, x: np.unique_all(x)), V)],
    "unique_counts": [sample(_only(0, lambda np, x: np.unique_counts(x)), V)],
    "unique_inverse": [sample(_only(0, lambda np, x: np.unique_inverse(x)), V)],
    "unique_values": [sample(lambda np, x: np.sort(np.unique_values(x)), V)],
}

CALCULUS = {
    "convolve": [sample(lambda np, x, y, m=m: np.convolve(x, y, m), V, W[:3]) for m in ("full", "same", "valid")],
    "correlate": [sample(lambda np, x, y: np.correlate(x, y, "full"), Z, W[:3])],
    "cumprod": [sample(lambda np, x: np.cumprod(x, axis=1), M)],
    "cumsum": [sample(lambda np, x: np.cumsum(x), M)],
    "cumulative_prod": [sample(lambda np, x: np.cumulative_prod(x, include_initial=True), V)],
    "cumulative_sum": [sample(lambda np, x: np.cumulative_sum(x, axis=0), M)],
    "diff": [sample(lambda np, x: np.diff(x, n=2, axis=1), M), sample(lambda np, x: np.diff(x, prepend=0.5), V)],
    "ediff1d": [sample(lambda np, x: np.ediff1d(x, to_end=1.5), M)],
    "gradient": [sample(lambda np, x: np.gradient(x), M), sample(lambda np, x: np.gradient(x, [0, 1, 3, 4, 6]), V)],
    "interp": [sample(lambda np, x, f: np.interp(x, [0.0, 1.0, 2.5, 4.0], f), P, V[:4])],
    "nancumprod": [sample(lambda np, x: np.nancumprod(x), E)],
    "nancumsum": [sample(lambda np, x: np.nancumsum(x), E)],
    "trapezoid": [sample(lambda np, x, y: np.trapezoid(y, x), P, V), sample(lambda np, y: np.trapezoid(y, dx=0.5), M)],
    "unwrap": [sample(lambda np, x: np.unwrap(x), 3 * V)],
}

POLYNOMIALS = {
    "poly": [sample(lambda np, x: np.poly(x), V)],
    "polyadd": [sample(lambda np, x, y: np.polyadd(x, y), V, W[:3])],
    "polyder": [sample(lambda np, x: np.polyder(x, 2), V)],
    "polydiv": [sample(lambda np, x, y: np.polydiv(x, y), V, W[:3])],
    "polyfit": [sample(lambda np, x, y: np.polyfit(x, y, 2), P, V)],
    "polyint": [sample(lambda np, x: np.polyint(x), V)],
    "polymul": [sample(lambda np, x, y: np.polymul(x, y), V, W[:3])],
    "polysub": [sample(lambda np, x, y: np.polysub(x, y), V, W[:3])],
    "polyval": [sample(lambda np, p, x: np.polyval(p, x), V[:3], W)],
    "roots": [sample(lambda np, p: np.roots(p), np.array([1.5, -2.5, 0.7]))],
    "vander": [sample(lambda np, x: np.vander(x, 4), V)],
}

LINALG = {
    "linalg.cholesky": [sample(lambda np, x: np.linalg.cholesky(x @ np.matrix_transpose(x) + np.eye(3)), B)],
    "linalg.cond": [sample(lambda np, x: np.linalg.cond(x), B)],
    "linalg.cross": [sample(lambda np, x, y: np.linalg.cross(x, y), V[:3], W[:3])],
    "linalg.det": [sample(lambda np, x: np.linalg.det(x), np.stack([B, S]))],
    "linalg.diagonal": [sample(lambda np, x: np.linalg.diagonal(x, offset=1), T)],
    "linalg.eig": [sample(_only(0, lambda np, x: np.linalg.eig(x)), B)],
    "linalg.eigh": [sample(_only(0, lambda np, x: np.linalg.eigh(x + np.matrix_transpose(x))), B)],
    "linalg.eigvals": [sample(lambda np, x: np.linalg.eigvals(x), B)],
    "linalg.eigvalsh": [sample(lambda np, x: np.linalg.eigvalsh(x + np.matrix_transpose(x)), B)],
    "linalg.inv": [sample(lambda np, x: np.linalg.inv(x), np.stack([B, S]))],
    "linalg.lstsq": [sample(_only(0, lambda np, a, b: np.linalg.lstsq(a, b)), N, V[:4])],
    "linalg.matmul": [sample(lambda np, x, y: np.linalg.matmul(x, y), M, N)],
    "linalg.matrix_norm": [sample(lambda np, x: np.linalg.matrix_norm(x), T)],
    "linalg.matrix_power": [sample(lambda np, x, n=n: np.linalg.matrix_power(x, n), B) for n in (3, -2)],
    "linalg.matrix_transpose": [sample(lambda np, x: np.linalg.matrix_transpose(x), T)],
    "linalg.multi_dot": [sample(lambda np, x, y: np.linalg.multi_dot([x, y, x]), M, N)],
    "linalg.norm": [sample(lambda np, x: np.linalg.norm(x), M), sample(lambda np, x: np.linalg.norm(x, 1, 0), M)],
    "linalg.outer": [sample(lambda np, x, y: np.linalg.outer(x, y), V, W)],
    "linalg.pinv": [sample(lambda np, x: np.linalg.pinv(x), M)],
    "linalg.qr": [sample(lambda np, x: tuple(np.linalg.qr(x)), N)],
    "linalg.slogdet": [sample(_only(1, lambda np, x: np.linalg.slogdet(x)), B)],
    "linalg.solve": [sample(lambda np, a, b: np.linalg.solve(a, b), B, V[:3])],
    "linalg.svd": [sample(lambda np, x: np.linalg.svd(x, compute_uv=False), M)],
    "linalg.svdvals": [sample(lambda np, x: np.linalg.svdvals(x), M)],
    "linalg.tensordot": [sample(lambda np, x, y: np.linalg.tensordot(x, y, axes=1), T, N)],
    "linalg.tensorinv": [sample(lambda np, x: np.linalg.tensorinv(np.reshape(x, (3, 3, 1)), 1), B)],
    "linalg.tensorsolve": [sample(lambda np, a, b: np.linalg.tensorsolve(np.reshape(a, (3, 3, 1)), b), B, V[:3])],
    "linalg.trace": [sample(lambda np, x: np.linalg.trace(x), T)],
    "linalg.vecdot": [sample(lambda np, x, y: np.linalg.vecdot(x, y, axis=0), H, M)],
    "linalg.vector_norm": [sample(lambda np, x: np.linalg.vector_norm(x, axis=1, ord=3), M)],
}

FFT = {
    **{
        f"fft.{name}": [sample(lambda np, x, name=name: getattr(np.fft, name)(x), x)]
        for name, x in {
            "fft": Z,
            "fft2": M,
            "fftn": T,
            "fftshift": V,
            "hfft": Z,
            "ifft": Z,
            "ifft2": H,
            "ifftn": H,
            "ifftshift": V,
            "ihfft": V,
            "irfft": Z,
            "irfft2": H,
            "irfftn": H,
            "rfft": V,
            "rfft2": M,
            "rfftn": T,
        }.items()
    },
}

EMATH = {
    "emath.arccos": [sample(lambda np, x: np.emath.arccos(x), V[1:4:2])],
    "emath.arcsin": [sample(lambda np, x: np.emath.arcsin(x), V[1:4:2])],
    "emath.arctanh": [sample(lambda np, x: np.emath.arctanh(x), V)],
    "emath.log": [sample(lambda np, x: np.emath.log(x), V)],
    "emath.log10": [sample(lambda np, x: np.emath.log10(x), P)],
    "emath.log2": [sample(lambda np, x: np.emath.log2(x), V)],
    "emath.logn": [sample(lambda np, n, x: np.emath.logn(n, x), P, V)],
    "emath.power": [sample(lambda np, x: np.emath.power(x, 1.5), V), sample(lambda np, x: np.emath.power(2, x), P)],
    "emath.sqrt": [sample(lambda np, x: np.emath.sqrt(x), V)],
}

MORE = {**STATISTICS, **ORDER, **CALCULUS, **POLYNOMIALS, **LINALG, **FFT, **EMATH}
