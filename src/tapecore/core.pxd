# What the binding uses of core.h.
from libc.stdint cimport int64_t, uint64_t

ctypedef Py_ssize_t tg_index

cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"

cdef extern from "core.h" nogil:
    enum: TG_MAX_DIMS, TG_ALIGNMENT, TG_BLOCK
    ctypedef enum tg_status:
        TG_OK, TG_NO_MEMORY, TG_TOO_LARGE, TG_INTERRUPTED, TG_CALLBACK, TG_BAD_SHAPE
    enum: TG_BOOL, TG_I32, TG_I64, TG_F16, TG_F32, TG_F64, TG_C64, TG_C128, TG_NDTYPES
    ctypedef union tg_scalar:
        double f64
        float f32
        int64_t i64
        uint64_t u64
        bint b
        unsigned char bytes[16]
    size_t tg_itemsize(int dtype)
    bint tg_dtype_is_native(int dtype)
    bint tg_dtype_is_inexact(int dtype)
