from cpython.object cimport PyObject
from tapecore.structural cimport tg_call
from tapegrad._native.values cimport Tensor, Value

cdef Tensor structural(tg_call *call, Value x, Value other)
cdef int record_structural(tg_call *call, int count, PyObject **values, Tensor out) except -1
cdef Value as_value(object x)
cdef int set_shape(tg_call *call, object shape) except -1
cdef int set_shape_of(tg_call *call, Value x) except -1
cdef int normal_axis(object axis, int ndim, str operation) except -1
