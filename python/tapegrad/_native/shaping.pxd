from tapecore.core cimport tg_index
from tapecore.structural cimport tg_call
from tapegrad._native.values cimport Tensor, Value

cdef Tensor cast_to(object x, int dtype)
cdef Tensor in_shape(Value x, int ndim, const tg_index *shape)
cdef Tensor part_of(Value x, int axis, tg_index start, tg_index step, tg_index count, bint dropped)
cdef Tensor sliced(tg_call *call, Value x)
