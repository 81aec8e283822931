"""Examples of rules of products, linear algebra, sparse matrices, polynomials and transforms."""

from __future__ import annotations

import numpy as onp
import scipy.sparse
from matrices import hermitian, positive
from rules_examples import examples_of, number, spaced

import tapegrad as tf
import tapegrad.numpy as np
from tapegrad import sparse
from tapegrad._ops.matrix import inverse
from tapegrad._ops.matrix.norms import norm

A, B, STACK = spaced(3, 3) + 2.0 * onp.eye(3), spaced(3, 2), spaced(2, 3, 3) + 2.5 * onp.eye(3)
TALL, WIDE, U, W = spaced(4, 3), spaced(2, 3), spaced(4), spaced(3)


def invariant(u, s, vh):
    """What does not change when singular vectors of one value turn."""
    return tf.matmul(u * tf.exp(-s)[..., None, :], vh)


PRODUCTS = examples_of({
    "matmul": (lambda a, b: np.matmul(a, b), STACK, B),
    "matmul of vectors": (lambda a, b: np.matmul(a, b), W, W * 0.7),
    "tensordot": (lambda a, b: np.tensordot(a, b, axes=([1, 0], [0, 1])), A, STACK[0]),
    "outer": (lambda a, b: np.outer(a, b), U, W),
    "inner": (lambda a, b: np.inner(a, b), A, B.T),
    "dot": (lambda a, b: np.dot(a, b), A, STACK),
    "vdot": (lambda a, b: np.vdot(a, b), A, STACK[1]),
    "vecdot": (lambda a, b: np.vecdot(a, b), A, STACK),
    "matvec": (lambda a, b: np.matvec(a, b), STACK, W),
    "vecmat": (lambda a, b: np.vecmat(a, b), W, STACK),
    "einsum": (lambda a, b: np.einsum("bij,ik->bk", a, b), STACK, B),
    "einsum with a diagonal": (lambda a, b: np.einsum("ii,ij,k", a, b, U), A, B),
    "tf.einsum": (lambda a, b: tf.einsum("bij,jk->bik", a, b), STACK, B),
    "kron": (lambda a, b: np.kron(a, b), WIDE, B),
    "convolve": (lambda a, b: np.convolve(a, b, "same"), U, W),
    "correlate": (lambda a, b: np.correlate(a, b, "full"), U, W),
    "cov": (lambda a: np.cov(a), WIDE),
    "fft": (lambda a: np.fft.fft(a, 5, 0, "ortho"), TALL),
    "ifft": (lambda a: np.fft.ifft(a, 3, 1), TALL),
    "irfft": (lambda a: np.fft.irfft(a, 7, 0), TALL),
    "irfft, even": (lambda a: np.fft.irfft(a, axis=0, norm="forward"), TALL),
    "vander": (lambda x: np.vander(x, 4), U),
    "vander, increasing": (lambda x: np.vander(x, increasing=True), W),
    "polyval": (lambda p, x: np.polyval(p, x), W, U),
    "roots": (lambda p: np.roots(p), onp.array([1.0, -2.2, -1.3, 2.4])),
    "poly": (lambda x: np.poly(x), W),
    "cumprod of a product": (lambda a, b: tf.math.cumprod(a * b), number(4), number(4)),
})  # fmt: skip

REAL_PRODUCTS = examples_of({
    "rfft": (lambda a: np.fft.rfft(a, 5, 0), TALL),
}, complex=False)  # fmt: skip

SYSTEMS = examples_of({
    "inv": (lambda a: np.linalg.inv(a), STACK),
    "inverse or nan": (lambda a: inverse.inverse_or_nan(a), STACK),
    "solve": (lambda a, b: np.linalg.solve(a, b), STACK, B),
    "solve for a fixed matrix": (lambda b: np.linalg.solve(A, b), B),
    "solve for a vector": (lambda a, b: np.linalg.solve(a, b), A, W),
    "triangular_solve": (lambda a, b: tf.linalg.triangular_solve(a, b, adjoint=True), A, B),
    "triangular_solve, fixed": (lambda b: tf.linalg.triangular_solve(A, b, lower=False), B),
    "cholesky": (lambda a: tf.linalg.cholesky(positive(a)), STACK),
    "cholesky, upper": (lambda a: np.linalg.cholesky(positive(a), upper=True), A),
    "qr": (lambda a: np.linalg.qr(a), TALL),
    "qr, wide": (lambda a: np.linalg.qr(a), WIDE),
    "qr, r alone": (lambda a: np.linalg.qr(a, "r"), TALL),
    "det": (lambda a: np.linalg.det(a), STACK),
    "slogdet": (lambda a: np.linalg.slogdet(a), STACK),
    "pinv": (lambda a: np.linalg.pinv(a), TALL),
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b)[:2], TALL, spaced(4, 2)),
    "expm": (lambda a: tf.linalg.expm(a), A * 0.5),
    "expm twice": (lambda a: tf.linalg.expm(tf.linalg.expm(a * 0.1)), A),
    "sqrtm": (lambda a: tf.linalg.sqrtm(positive(a)), A),
    "eigh": (lambda a: np.linalg.eigh(hermitian(a)), A),
    "eigvalsh": (lambda a: np.linalg.eigvalsh(hermitian(a)), STACK),
    "eig": (lambda a: np.linalg.eig(a), A),
    "eigvals": (lambda a: np.linalg.eigvals(a), A),
    "svd": (lambda a: np.linalg.svd(a, full_matrices=False), TALL),
    "svd, full": (lambda a: invariant(*np.linalg.svd(a, full_matrices=True)[:2], np.eye(3)), A),
    "svd, hermitian": (lambda a: np.linalg.svd(hermitian(a), hermitian=True)[1], A),
    "singular values": (lambda a: np.linalg.svd(a, compute_uv=False), TALL),
    "pinv, hermitian": (lambda a: np.linalg.pinv(hermitian(a), hermitian=True), A),
    "norm of vectors": (lambda a: norm(a, 3, axis=1), TALL),
    "norm of vectors, Frobenius": (lambda a: norm(a), TALL),
    "1-norm": (lambda a: norm(a, 1), TALL),
    "2-norm": (lambda a: norm(a, 2), TALL),
    "nuclear norm": (lambda a: norm(a, "nuc"), TALL),
    "cond": (lambda a: np.linalg.cond(a), A),
})  # fmt: skip

CSR = scipy.sparse.csr_array(onp.array([[2.0, 0.0, -1.0], [0.0, 0.0, 0.5], [0.3, 1.4, 1.0], [0.0, 0.0, 0.0]]))
COO = scipy.sparse.coo_array(([1.5, -0.7, 2.0, 1.1, 0.4], ([0, 0, 1, 2, 2], [0, 2, 1, 2, 2])), (3, 3))

SPARSE = examples_of({
    "sparse.matmul": (lambda x: sparse.matmul(CSR, x) ** 2, W),
    "sparse.matmul, stack": (lambda x: sparse.matmul(x, CSR.T) ** 2, STACK),
    "sparse.matmul, elements": (lambda v, x: sparse.matmul(CSR, x, values=v), spaced(6), STACK),
    "sparse.matmul, elements of COO": (lambda v, x: sparse.matmul(x, COO, values=v), spaced(5), W),
    "sparse.solve": (lambda b: sparse.solve(COO, b) ** 2, B),
    "sparse.solve, elements": (lambda v, b: sparse.solve(COO, b, values=v), COO.data, W),
})  # fmt: skip

EXAMPLES = [*PRODUCTS, *REAL_PRODUCTS, *SYSTEMS, *SPARSE]
