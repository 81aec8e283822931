from tapecore.core cimport tg_index
from tapecore.structural cimport tg_transposition
from tapecore.sweep cimport tg_sweep
from tapecore.tape cimport tg_node, tg_output, tg_tape
from tapecore.value cimport tg_value
from tapegrad._native.values cimport Tensor

cdef tg_value lent(Tensor x)
cdef Tensor borrowed_tensor(const tg_value *value)
cdef Tensor constant_of(object maker, tg_output output, tg_index batch)
cdef tuple output_shape(tg_output output)
cdef list contributions_of(tg_sweep *sweep, tg_node *node, tuple cotangents)
cdef Tensor saved_tensor(tg_tape *tape, tg_node *node, int bit)
cdef list saved_tensors(tg_tape *tape, tg_node *node, unsigned mask)
cdef object carried(tg_transposition *rule, Tensor g, Tensor other, tg_index batch)
cdef Tensor fit(object contribution, tg_output output, tg_index batch)
cdef bint same_sizes(const tg_value *value, tg_output output, int lead) noexcept
cdef Tensor in_dtype(Tensor value, int dtype)
