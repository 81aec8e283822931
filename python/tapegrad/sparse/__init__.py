"""Sparse matrices: Jacobians and Hessians that are mostly zero, in few passes, and SciPy's matrices as operands.

`sparsity` follows through what a tape has recorded which elements depend on which. Columns (or rows) of a Jacobian that
share no row get one colour, and one direction: a tridiagonal matrix of any size is computed with three, pushed through
the tape at once. Results are SciPy's sparse arrays. SciPy is needed: `pip install tapegrad[scipy]`.
"""

try:
    import scipy.sparse as _sparse  # noqa: F401  (here, so that its absence is noticed at once)
except ImportError as error:
    raise ImportError("tapegrad.sparse needs SciPy: pip install tapegrad[scipy]") from error

from tapegrad.sparse.coloring import column_colors, star_colors
from tapegrad.sparse.derivatives import sparse_hessian, sparse_jacobian
from tapegrad.sparse.products import matmul
from tapegrad.sparse.propagation import pattern, sparsity
from tapegrad.sparse.systems import solve

__all__ = [
    "column_colors",
    "matmul",
    "pattern",
    "solve",
    "sparse_hessian",
    "sparse_jacobian",
    "sparsity",
    "star_colors",
]
