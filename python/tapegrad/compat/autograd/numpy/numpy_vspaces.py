"""The vector spaces of arrays, as in `autograd.numpy.numpy_vspaces`."""

from tapegrad.compat.autograd._vspaces import ArrayVSpace, ComplexArrayVSpace, VSpace

__all__ = ["ArrayVSpace", "ComplexArrayVSpace", "VSpace"]
