"""Linear algebra: inverses, determinants, factorizations, spectra, norms and functions of (stacks of) matrices.

Values are those of `numpy.linalg`. Each rule holds for real and complex matrices, on any number of leading axes.
Where a function reads one triangle of a matrix that it takes to be symmetric or Hermitian, the gradient is the
symmetric or Hermitian one.
"""
