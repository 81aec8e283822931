cdef object hush()
cdef int unhush(object before) except -1
