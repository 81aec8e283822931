# What the binding uses of ops.h.
from libc.stdint cimport uint8_t
from tapecore.core cimport tg_index

cdef extern from "ops.h" nogil:
    enum: TG_MAX_OPERANDS, TG_NEEDS_OUT, TG_ELEMENTWISE_OPS, TG_NATIVE_F32, TG_NATIVE_F64, TG_NATIVE_TYPES
    enum: TG_OP_ADD, TG_OP_SUBTRACT, TG_OP_MULTIPLY, TG_OP_DIVIDE, TG_OP_POWER, TG_OP_FLOOR_DIVIDE, TG_OP_REMAINDER
    enum: TG_OP_MULTIPLY_NO_NAN
    enum: TG_OP_NEGATIVE, TG_OP_POSITIVE, TG_OP_ABSOLUTE, TG_OP_SQUARE, TG_OP_SQRT, TG_OP_RECIPROCAL
    ctypedef void (*tg_loop_function)(char **args, const tg_index *dims, const tg_index *steps, void *data)
    ctypedef struct tg_loop:
        tg_loop_function function
        void *data
    ctypedef struct tg_loops:
        tg_loop elementwise[TG_ELEMENTWISE_OPS][TG_NATIVE_TYPES]
        tg_loop matmul[TG_NATIVE_TYPES]
    ctypedef struct tg_op_info:
        const char *name
        const char *summary
        int operands
        const char *forward
        const char *partial[TG_MAX_OPERANDS]
        uint8_t needs[TG_MAX_OPERANDS]
        const char *domain[TG_MAX_OPERANDS]
        const char *complex_rule
        tg_loop_function own[TG_NATIVE_TYPES]
    const tg_op_info tg_op_table[TG_ELEMENTWISE_OPS]
    int tg_native_index(int dtype)
    bint tg_op_passes_on(const tg_op_info *info, int k)
