"""TensorFlow's `tf.linalg`: products, systems, factorizations, norms, diagonals and functions of matrices."""

from tapegrad._tf.arithmetic import l2_normalize
from tapegrad._tf.creation import eye
from tapegrad.linalg.diagonals import band_part, diag, diag_part, set_diag, tensor_diag, tensor_diag_part, trace
from tapegrad.linalg.factorizations import cholesky, eig, eigh, eigvals, eigvalsh, matrix_rank, qr, svd
from tapegrad.linalg.norms import global_norm, norm, normalize
from tapegrad.linalg.products import (
    adjoint,
    cross,
    einsum,
    expm,
    matmul,
    matrix_transpose,
    matvec,
    sqrtm,
    tensordot,
)
from tapegrad.linalg.systems import (
    cholesky_solve,
    det,
    inv,
    logdet,
    lstsq,
    pinv,
    slogdet,
    solve,
    triangular_solve,
)

__all__ = [
    "adjoint",
    "band_part",
    "cholesky",
    "cholesky_solve",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "einsum",
    "expm",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "lstsq",
    "matmul",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "pinv",
    "qr",
    "set_diag",
    "slogdet",
    "solve",
    "sqrtm",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "tensordot",
    "trace",
    "triangular_solve",
]
