"""Elementwise operations on operands of every type: conversion, dispatch, recording.

The shortest ways, for what operands mostly are, are in `operators`.
"""
cimport numpy as cnp
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from libc.string cimport memset
from tapecore.core cimport (
    TG_BAD_SHAPE, TG_BOOL, TG_C128, TG_C64, TG_F16, TG_F32, TG_F64, TG_I64, TG_OK, tg_dtype_is_inexact,
    tg_dtype_is_native, tg_status
)
from tapecore.elementwise cimport tg_elementwise
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.ops cimport TG_MAX_OPERANDS, tg_op_info, tg_op_table
from tapecore.pool cimport tg_pool_share, tg_pool_unshare
from tapecore.tape cimport TG_FLAG_GENERIC, TG_NODE_ELEMENTWISE, tg_record, tg_tape, tg_tape_record
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport TG_NO_SLOT, tg_handles, tg_handles_find, tg_value, tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport check, large, late, loops, pool, promoted
from tapegrad._native.arrays cimport from_ndarray, is_immutable, owned
from tapegrad._native.capi cimport PyBool_Check, PyComplex_CheckExact, PyFloat_CheckExact, PyLong_CheckExact
from tapegrad._native.following cimport (
    announce, held_while_waiting, hold_tapes, known_to_tapes, lasting_handles, let_tapes_go
)
from tapegrad._native.recording cimport is_observed
from tapegrad._native.shaping cimport cast_to
from tapegrad._native.silence cimport hush, unhush
from tapegrad._native.values cimport (
    Tensor, Value, changes, copy_value, listed, new_tensor, observe, operand_value, settled_now, unchanging, view_of
)

import numpy as np

from tapegrad._native._core import OPS
from tapegrad._native.arrays import tensor
from tapegrad._native.following import is_watched
from tapegrad._native.values import observe_end
from tapegrad.dtypes import DTYPES

cdef int weak_dtype(object x) noexcept:
    """For Python numbers, whose type gives way to the other operands': int, float, complex as a dtype; else -1."""
    if PyFloat_CheckExact(x):
        return TG_F64
    if PyBool_Check(x):
        return -1
    if PyLong_CheckExact(x):
        return TG_I64
    if PyComplex_CheckExact(x):
        return TG_C128
    return -1


cdef int weak_result(int strong, int weak) noexcept:
    """The result type of a value with a Python number, as in NumPy 2."""
    if weak == TG_I64:
        return TG_I64 if strong == TG_BOOL else strong
    if weak == TG_F64:
        return strong if tg_dtype_is_inexact(strong) else TG_F64
    if strong == TG_F32 or strong == TG_F16:
        return TG_C64
    return strong if strong == TG_C64 else TG_C128


cdef Tensor typed(object x, int dtype):
    """A constant of the given type from a Python number, a list or an array."""
    cdef tg_value number
    if dtype == TG_F64 and constant_operand(x, dtype, &number):
        return new_tensor(&number)
    return from_ndarray(np.asarray(x, dtype=DTYPES[dtype].as_numpy_dtype), isinstance(x, (int, float, complex)))


cdef object operands_of(tuple args):
    """Values for the arguments of an operation, converted to their common type: (list of Values, dtype).

    Conversions of watched values are recorded, so that gradients come back in the operand's own type.
    """
    cdef int strong = -1, weak, dtype
    cdef object before = None, read = None
    values = []
    for x in args:
        if changes(x):  # once, if it is the operand before, too
            same = x is before
            before = x
            x = read if same else settled_now(x)
            read = x
        weak = weak_dtype(x)
        if weak < 0 and not isinstance(x, Value):
            kind = late("_conversion").weak_type(x) if isinstance(x, (list, tuple)) else None
            if kind is int or kind is float or kind is complex:
                weak = TG_I64 if kind is int else TG_F64 if kind is float else TG_C128
            elif isinstance(x, (cnp.ndarray, np.generic)):
                # What a tape saves must not change: a writable array is copied while one records.
                x = np.asarray(x)
                x = from_ndarray(x, not tg_thread_records(tg_thread_current()) or is_immutable(x))
            else:
                x = tensor(x)
        if weak < 0:
            dtype = (<Value>x).value.dtype
            strong = dtype if strong < 0 else promoted[strong][dtype]
        values.append((x, weak))
    if strong < 0:  # only Python numbers: TensorFlow's default types
        widest = max([weak for _, weak in values])
        if widest == TG_I64:
            values = [(tensor(x), -1) for x, _ in values]
            for x, _ in values:
                dtype = (<Value>x).value.dtype
                strong = dtype if strong < 0 else promoted[strong][dtype]
        else:
            strong = TG_F32 if widest == TG_F64 else TG_C128
    dtype = strong
    for _, weak in values:
        if weak >= 0:
            dtype = weak_result(dtype, weak)
    return [typed(x, dtype) if weak >= 0 else x for x, weak in values], dtype


cdef tuple one_dtype(object values):
    """The values converted to their common type: (list of Values, dtype)."""
    cdef int dtype = -1
    cdef bint agree = True
    for v in values:
        if not isinstance(v, Value) or (dtype >= 0 and (<Value>v).value.dtype != dtype):
            agree = False
            break
        dtype = (<Value>v).value.dtype
    if agree:
        return [unchanging(v) for v in values] if TG_WITHOUT_INTERPRETER_LOCK else list(values), dtype
    converted, dtype = operands_of(tuple(values))
    return [v if (<Value>v).value.dtype == dtype else cast_to(v, dtype) for v in converted], dtype


cdef object elementwise_general(int op, tuple args):
    """An elementwise operation on anything: conversion, dispatch, recording."""
    cdef int dtype, i, count = tg_op_table[op].operands
    cdef tg_value operands[TG_MAX_OPERANDS]
    cdef PyObject *pointers[TG_MAX_OPERANDS]
    cdef tg_value out
    cdef tg_status status
    cdef Tensor result
    if len(args) != count:
        raise TypeError(f"{OPS[op]} takes {count} operands, got {len(args)}")
    values, dtype = operands_of(args)
    if not tg_dtype_is_native(dtype):
        return elementwise_by_numpy(op, values)
    values = [x if (<Value>x).value.dtype == dtype else cast_to(x, dtype) for x in values]
    for i in range(count):
        operands[i] = operand_value(values[i])[0]
        pointers[i] = <PyObject *>values[i]
    if large(operands, count):
        # Nobody must replace a variable's array meanwhile: the list holds tensors of their own.
        _held = [copy_value(<Value>x) for x in values]
        tg_pool_share(pool)
        with nogil:
            status = tg_elementwise(&loops, pool, op, dtype, operands, &out)
        tg_pool_unshare(pool)
    else:
        status = tg_elementwise(&loops, pool, op, dtype, operands, &out)
    if status == TG_BAD_SHAPE:
        raise ValueError(f"{OPS[op]}: operands of shapes {', '.join([str(x.shape) for x in values])} cannot be "
                         "broadcast together")
    check(status)
    result = new_tensor(&out)
    if tg_thread_records(tg_thread_current()):
        if result.value.array != NULL:
            record_array(op, count, pointers, operands, result)
        else:
            record_elementwise(op, count, pointers, operands, result, 0)
    return result


cdef object elementwise_by_numpy(int op, list values):
    """Types without native kernels go through the ufunc itself, and their derivatives through the rule's text."""
    cdef tg_value operands[TG_MAX_OPERANDS]
    cdef PyObject *pointers[TG_MAX_OPERANDS]
    cdef int i, dtype
    cdef Tensor result
    before = hush()
    try:
        result = owned(late("_rules").forward(op, [view_of(<Value>x) for x in values]))
    finally:
        unhush(before)
    dtype = result.value.dtype
    if not tg_thread_records(tg_thread_current()):
        return result
    if not tg_dtype_is_inexact(dtype) or (tg_dtype_is_native(dtype)
                                          and all([not (<Value>x).dtype.is_complex for x in values])):
        if is_observed(tg_thread_current()):
            observe_end(OPS[op], values, (result,))
        return result  # integers, or made of integers: nothing to differentiate
    for i in range(len(values)):
        operands[i] = operand_value(values[i])[0]
        pointers[i] = <PyObject *>values[i]
        if is_watched(values[i]) and tg_op_table[op].partial[i] != NULL:
            late("_rules").check_differentiable(op, i, values)
    record_elementwise(op, len(values), pointers, operands, result, TG_FLAG_GENERIC)
    return result


cdef int record_elementwise(int op, int count, PyObject **values, const tg_value *operands, Tensor out,
                            int flags) except -1:
    """Records an elementwise operation on every tape that knows an operand."""
    cdef tg_thread *thread = tg_thread_current()
    cdef const tg_op_info *info = &tg_op_table[op]
    cdef tg_record record
    cdef const tg_handles *handles[TG_MAX_OPERANDS]
    cdef uint32_t slots[TG_MAX_OPERANDS]
    cdef uint32_t slot
    cdef tg_tape *tape
    cdef tg_status status
    cdef int i, k
    _held = held_while_waiting(thread, count, values)
    if not known_to_tapes(thread, count, values, info.partial):
        if is_observed(thread):
            observe(thread, OPS[op], listed(count, values), (out,))
        return 0
    _copies = lasting_handles(count, values, handles)
    memset(&record, 0, sizeof(record))
    record.op = op
    record.kind = TG_NODE_ELEMENTWISE
    record.dtype = out.value.dtype
    record.flags = flags
    record.ndim = tg_value_ndim(&out.value)
    record.shape = tg_value_shape(&out.value)
    record.operands = count
    record.in_ = slots
    for k in range(count):
        record.saved[k] = &operands[k]
        record.handles[k] = handles[k]
    record.saved[TG_MAX_OPERANDS] = &out.value
    record.handles[TG_MAX_OPERANDS] = &out.handles
    hold_tapes(thread)
    status = announce(thread, count, handles, info.partial, out)
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        if status != TG_OK or tg_handles_find(&out.handles, tape.id) == TG_NO_SLOT:
            continue
        record.saved_mask = 0
        for k in range(count):
            slots[k] = TG_NO_SLOT
            if handles[k] == NULL or info.partial[k] == NULL:
                continue
            slots[k] = tg_handles_find(handles[k], tape.id)
            if slots[k] != TG_NO_SLOT:
                record.saved_mask |= info.needs[k]
        status = tg_tape_record(tape, &record, &slot)
    let_tapes_go(thread)
    check(status)
    if is_observed(thread):
        observe(thread, OPS[op], listed(count, values), (out,))
    return 0
