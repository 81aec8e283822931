from libc.stdint cimport uint32_t
from tapegrad._native.values cimport Tensor, Value

cdef bint all_values(object items)
cdef list seeds_for(list targets, object output_gradients)
cdef Tensor zeros_of(Value like)
cdef bint zeros_wanted(object unconnected_gradients) except -1
cdef int add_own(list results, list sources, uint32_t *slots, list targets, list seeds) except -1
cdef object own_tangent(Value target, list sources, list tangents)
