# What the binding uses of structural.h.
from libc.stdint cimport uint32_t, uint64_t
from tapecore.array cimport tg_array
from tapecore.core cimport TG_MAX_DIMS, tg_index, tg_status
from tapecore.elementwise cimport tg_workspace
from tapecore.ops cimport tg_loops
from tapecore.tape cimport tg_node, tg_tape
from tapecore.value cimport tg_value

cdef extern from "structural.h" nogil:
    enum:
        TG_RESHAPE, TG_PERMUTE, TG_SLICE, TG_UNSLICE, TG_SUM, TG_EXPAND, TG_CAST, TG_CONCATENATE, TG_SELECT, TG_MASK
        TG_TAKE, TG_SCATTER_ADD, TG_MATMUL
    ctypedef struct tg_call:
        int op, dtype, ndim, params_count
        const tg_index *params
        tg_index shape[TG_MAX_DIMS]
    ctypedef struct tg_transposition:
        tg_call call
        int saved_bit
        bint cotangent_second
        tg_index storage[3 * TG_MAX_DIMS]
    void tg_structural_transpose(const tg_tape *tape, const tg_node *node, uint32_t k, tg_transposition *out)
    void tg_structural_tangent(const tg_node *node, uint32_t k, tg_transposition *out)
    unsigned tg_structural_needs(int op, int k)
    tg_status tg_structural_apply(const tg_loops *loops, tg_workspace *workspace, const tg_call *call,
                                  const tg_value *operands, tg_value *out)
    tg_status tg_join(tg_array *whole, int axis, tg_index begin, const tg_value *part)
    tg_status tg_slice_view(const tg_call *call, tg_array *whole, tg_array **out)
    bint tg_sum_agrees_with_numpy(const tg_array *array, uint64_t mask)
