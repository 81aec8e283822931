from tapegrad._native.values cimport Value

cdef object index(Value x, object key)
