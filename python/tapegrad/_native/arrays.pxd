cimport numpy as cnp
from tapegrad._native.values cimport Tensor

cdef Tensor from_ndarray(cnp.ndarray array, bint borrow)
cdef bint is_immutable(cnp.ndarray array)
cdef Tensor owned(object result)
