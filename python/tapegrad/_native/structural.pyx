"""Operations that move, sum, convert or contract elements: their values, and their recording."""
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from tapecore.core cimport TG_MAX_DIMS, TG_OK, tg_dtype_is_inexact, tg_dtype_is_native, tg_index, tg_status
from tapecore.elementwise cimport tg_workspace, tg_workspace_clear, tg_workspace_init
from tapecore.ops cimport TG_MAX_OPERANDS
from tapecore.pool cimport tg_pool_share, tg_pool_unshare
from tapecore.record cimport TG_QUICK_GENERAL, tg_record_move
from tapecore.structural cimport (
    TG_CAST, TG_EXPAND, TG_MASK, TG_MATMUL, TG_PERMUTE, TG_RESHAPE, TG_SCATTER_ADD, TG_SLICE, TG_SUM, TG_TAKE,
    TG_UNSLICE, tg_call, tg_structural_apply, tg_structural_needs, tg_sum_agrees_with_numpy
)
from tapecore.tape cimport TG_FLAG_GENERIC, TG_NODE_STRUCTURAL, tg_record, tg_tape, tg_tape_record
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport TG_NO_SLOT, tg_handles, tg_handles_find, tg_value, tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport check, large, late, loops, pool
from tapegrad._native.arrays cimport from_ndarray
from tapegrad._native.following cimport (
    announce, handles_on, held_while_waiting, hold_tapes, known_to_tapes, lasting_handles, let_tapes_go
)
from tapegrad._native.recording cimport is_observed
from tapegrad._native.values cimport (
    Tensor, Value, copy_value, listed, new_tensor, observe, operand_value, unchanging, view_of
)

import numpy as np

from tapegrad._native.arrays import tensor
from tapegrad.dtypes import DTYPES


cdef bint moves_only(int op) noexcept:
    """Operations that move elements of any type; the others add or multiply."""
    return op in (TG_RESHAPE, TG_PERMUTE, TG_SLICE, TG_UNSLICE, TG_EXPAND, TG_MASK, TG_TAKE)


STRUCTURAL_NAMES = ("reshape", "transpose", "slice", "unslice", "sum", "broadcast_to", "cast", "concatenate", "where",
                    "mask", "take", "scatter_add", "matmul")
cdef dict ARITHMETIC = {TG_SUM: "sum", TG_CAST: "cast", TG_SCATTER_ADD: "scatter_add", TG_MATMUL: "matmul"}


cdef Tensor run_structural(tg_call *call, Value x, Value other):
    """The value of a call: natively, or for less common types and orders of summation through NumPy."""
    cdef tg_workspace workspace
    cdef tg_value operands[2]
    cdef tg_value out
    cdef tg_status status
    cdef bint native = moves_only(call.op)
    if call.op == TG_CAST:
        native = tg_dtype_is_native(x.value.dtype) and tg_dtype_is_native(call.dtype)
    elif call.op == TG_SUM:
        native = x.value.array != NULL and tg_sum_agrees_with_numpy(x.value.array, <uint64_t>call.params[0])
    elif not native:
        native = tg_dtype_is_native(x.value.dtype)
    if not native:
        return from_ndarray(np.asarray(late("_rules").structural(
            ARITHMETIC[call.op], view_of(x), None if other is None else view_of(other),
            tuple([call.shape[i] for i in range(call.ndim)]), [call.params[i] for i in range(call.params_count)],
            DTYPES[call.dtype].as_numpy_dtype)), True)
    operands[0] = x.value
    if other is not None:
        operands[1] = other.value
    tg_workspace_init(&workspace, pool)
    if large(operands, 1 if other is None else 2):
        _held = (copy_value(x), None if other is None else copy_value(other))
        tg_pool_share(pool)
        with nogil:
            status = tg_structural_apply(&loops, &workspace, call, operands, &out)
        tg_pool_unshare(pool)
    else:
        status = tg_structural_apply(&loops, &workspace, call, operands, &out)
    tg_workspace_clear(&workspace)
    check(status)
    return new_tensor(&out)


cdef enum:
    FEW_OPERANDS = 8


cdef bint record_quickly(tg_tape *tape, tg_call *call, int count, PyObject **values, Tensor out) except -1:
    """The short way for the one tape that records, and a few operands of one native type of which none is saved.
    Returns whether that was possible."""
    cdef const tg_handles *handles[FEW_OPERANDS]
    cdef int k
    if count > FEW_OPERANDS or tape.observed or tg_structural_needs(call.op, 0) or not tg_dtype_is_native(call.dtype):
        return False
    for k in range(count):
        if (<Value>values[k]).value.dtype != call.dtype:
            return False
        handles[k] = handles_on(tape, <Value>values[k])
    return tg_record_move(tape, call, count, handles, &out.handles) != TG_QUICK_GENERAL


cdef int record_structural(tg_call *call, int count, PyObject **values, Tensor out) except -1:
    """Records a structural operation on every tape that knows an operand."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_record record
    cdef const tg_handles **handles
    cdef uint32_t *slots
    cdef uint32_t slot
    cdef tg_tape *tape
    cdef tg_status status
    cdef int i, k, dtype
    if not tg_thread_records(thread):
        return 0
    if thread.count - thread.base == 1 and record_quickly(thread.tapes[thread.base], call, count, values, out):
        return 0
    _held = held_while_waiting(thread, count, values)
    if not tg_dtype_is_inexact(out.value.dtype) or not known_to_tapes(thread, count, values, NULL):
        if is_observed(thread):
            observe(thread, STRUCTURAL_NAMES[call.op], listed(count, values), (out,))
        return 0
    memset(&record, 0, sizeof(record))
    record.op = call.op
    record.kind = TG_NODE_STRUCTURAL
    record.dtype = out.value.dtype
    record.ndim = call.ndim
    record.shape = call.shape
    record.operands = count
    record.params_count = call.params_count
    record.params = call.params
    if not tg_dtype_is_native(out.value.dtype):
        record.flags = TG_FLAG_GENERIC
    for k in range(min(count, <int>TG_MAX_OPERANDS)):
        record.saved[k] = operand_value(<object>values[k])
        dtype = (<Value>values[k]).value.dtype
        if tg_dtype_is_inexact(dtype) and not tg_dtype_is_native(dtype):
            record.flags = TG_FLAG_GENERIC
    handles = <const tg_handles **>malloc(count * (sizeof(tg_handles *) + sizeof(uint32_t)))
    if handles == NULL:
        raise MemoryError()
    try:
        _copies = lasting_handles(count, values, handles)
        for k in range(min(count, <int>TG_MAX_OPERANDS)):
            record.handles[k] = handles[k]
        record.in_ = slots = <uint32_t *>(handles + count)
        hold_tapes(thread)
        status = announce(thread, count, handles, NULL, out)
        for i in range(thread.base, thread.count):
            tape = thread.tapes[i]
            if status != TG_OK or tg_handles_find(&out.handles, tape.id) == TG_NO_SLOT:
                continue
            record.saved_mask = 0
            for k in range(count):
                slots[k] = tg_handles_find(handles[k], tape.id)
                if slots[k] != TG_NO_SLOT:
                    record.saved_mask |= tg_structural_needs(call.op, k)
            status = tg_tape_record(tape, &record, &slot)
        let_tapes_go(thread)
        check(status)
    finally:
        free(handles)
    if is_observed(thread):
        observe(thread, STRUCTURAL_NAMES[call.op], listed(count, values), (out,))
    return 0


cdef Tensor structural(tg_call *call, Value x, Value other):
    cdef PyObject *values[2]
    cdef Tensor out = run_structural(call, x, other)
    values[0] = <PyObject *>x
    values[1] = <PyObject *>other
    record_structural(call, 1 if other is None else 2, values, out)
    return out


cdef Value as_value(object x):
    """The operand of a structural operation: a Value as it is (so that a variable keeps its place), else a constant.

    Arrays are copied, since the result may be a view of the operand.
    """
    return <Value>unchanging(x) if isinstance(x, Value) else tensor(x)


cdef int set_shape(tg_call *call, object shape) except -1:
    cdef int i = 0
    if len(shape) > TG_MAX_DIMS:
        raise ValueError(f"a value can have at most {TG_MAX_DIMS} dimensions, got {len(shape)}")
    for size in shape:
        call.shape[i] = size
        i += 1
    call.ndim = i
    return 0


cdef int set_shape_of(tg_call *call, Value x) except -1:
    call.ndim = tg_value_ndim(&x.value)
    if call.ndim:
        memcpy(call.shape, tg_value_shape(&x.value), call.ndim * sizeof(tg_index))
    return 0


cdef int normal_axis(object axis, int ndim, str operation) except -1:
    cdef Py_ssize_t number = axis
    if not -ndim <= number < ndim:
        raise ValueError(f"{operation}: axis {number} is out of bounds for a value with {ndim} dimensions")
    return <int>(number + ndim if number < 0 else number)
