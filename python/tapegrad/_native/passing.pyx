"""What one node passes back to its operands, and the values of the core as tensors."""
from cpython.tuple cimport PyTuple_New
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from tapecore.array cimport tg_array_retain
from tapecore.batch cimport tg_batch_call
from tapecore.core cimport tg_dtype_is_native, tg_index
from tapecore.ops cimport TG_MAX_OPERANDS, tg_op_table
from tapecore.registry cimport tg_registry_has
from tapecore.structural cimport (
    TG_CAST, TG_EXPAND, TG_MATMUL, TG_SUM, TG_TAKE, tg_call, tg_structural_transpose, tg_transposition
)
from tapecore.sweep cimport tg_sweep, tg_sweep_is_active, tg_sweep_reach
from tapecore.tape cimport (
    TG_NODE_ELEMENTWISE, TG_NODE_EXTERNAL, TG_NODE_STRUCTURAL, tg_node, tg_node_params_count, tg_node_payload,
    tg_node_saved_handle, tg_node_saved_value, tg_output, tg_tape, tg_tape_node, tg_tape_output
)
from tapecore.value cimport (
    TG_NO_SLOT, tg_handle, tg_handles_add, tg_value, tg_value_from_array, tg_value_ndim, tg_value_shape
)
from tapegrad._native._core cimport check, late, pool, registry, set_number
from tapegrad._native.following cimport add_handle
from tapegrad._native.recording cimport owners
from tapegrad._native.structural cimport structural
from tapegrad._native.values cimport Tensor, changes, new_tensor, set_item, settled_now, sizes, unchanging

import numpy as np

from tapegrad._native.arrays import own, tensor
from tapegrad._native.shaping import broadcast_to, cast, reshape, sum
from tapegrad.dtypes import DTYPES

cdef tg_value lent(Tensor x):
    """The tensor's value with a reference of its own, for the core to take."""
    if changes(x):
        x = settled_now(x)
    if x.value.array != NULL:
        tg_array_retain(x.value.array)
    return x.value


cdef Tensor borrowed_tensor(const tg_value *value):
    """A tensor of a value that somebody else owns. (0-d arrays, as the sweep keeps them, become numbers.)"""
    cdef tg_value own_value = value[0]
    if own_value.array != NULL:
        tg_array_retain(own_value.array)
        tg_value_from_array(own_value.array, &own_value)
    return new_tensor(&own_value)


cdef Tensor constant_of(object maker, tg_output output, tg_index batch):
    """`numpy.ones` or `numpy.zeros` in the shape and type of a node's output, behind the batch axis if there is one."""
    cdef tg_value number
    if output.ndim == 0 and not batch and tg_dtype_is_native(output.dtype):
        number.array = NULL
        number.dtype = output.dtype
        set_number(&number, 1.0 if maker is np.ones else 0.0)
        return new_tensor(&number)
    shape = output_shape(output)
    return own(maker((batch, *shape) if batch else shape, DTYPES[output.dtype].as_numpy_dtype))


cdef tuple output_shape(tg_output output):
    return sizes(output.ndim, output.shape)


cdef list contributions_of(tg_sweep *sweep, tg_node *node, tuple cotangents):
    """For each operand of a node the contribution to its adjoint (a tensor, not yet fitted), or None."""
    cdef uint32_t k, operands = node.operands, slot = node.slot
    cdef bint known = False
    cdef tuple wanted = PyTuple_New(operands)
    cdef list found
    for c in cotangents:
        known = known or c is not None
    for k in range(operands):
        set_item(wanted, k, node.in_[k] != TG_NO_SLOT and tg_sweep_is_active(sweep, node.in_[k]))
    if node.kind == TG_NODE_EXTERNAL:
        rule, saved = <tuple><object>tg_node_payload(node)[0]
        if not known:
            return [None] * operands
        if sweep.batch:
            found = list(late("_batching").batched_vjp(rule, saved, cotangents, wanted, sweep.batch,
                                                       owners.within(sweep.tape.owner)))
        else:
            found = list(rule.vjp(saved, cotangents, wanted))
        if len(found) != <Py_ssize_t>operands:
            raise ValueError(f"the rule {rule!r} returned {len(found)} cotangents for {operands} operands")
        for k in range(operands):
            if not wanted[k]:
                found[k] = None
        return found
    found = []
    for k in range(operands):
        if not wanted[k] or (node.kind == TG_NODE_ELEMENTWISE and tg_op_table[node.op].partial[k] == NULL):
            found.append(None)
            continue
        if not known:
            tg_sweep_reach(sweep, node.in_[k])
            found.append(None)
            continue
        if (node.op == TG_TAKE and node.kind == TG_NODE_STRUCTURAL and tg_node_params_count(node) > 1
                and not sweep.batch):
            found.append(rows_of(sweep.tape, node, cotangents[0]))
        else:
            found.append(operand_cotangent(sweep.tape, slot, k, cotangents[0], sweep.batch))
        node = tg_tape_node(sweep.tape, slot)  # recording may have moved the arena
    return found


cdef object rows_of(tg_tape *tape, tg_node *node, Tensor g):
    """The cotangent of rows as IndexedSlices of what they were taken from."""
    shape = output_shape(tg_tape_output(tape, node.in_[0]))
    indices = reshape(saved_tensor(tape, node, 1), (-1,))
    return late("indexed_slices").IndexedSlices(reshape(g, (indices.shape[0], *shape[1:])), indices, shape)


cdef Tensor saved_tensor(tg_tape *tape, tg_node *node, int bit):
    """A value that a node saved, with its place on this tape and on those that knew it."""
    cdef tg_value value = tg_node_saved_value(node, bit)
    cdef Tensor result = borrowed_tensor(&value)
    cdef uint32_t slot = node.slot if bit == TG_MAX_OPERANDS else node.in_[bit]
    cdef uint32_t i = 0
    cdef tg_handle handle
    if slot != TG_NO_SLOT:
        add_handle(result, tape, slot)
    while tg_node_saved_handle(node, bit, i, &handle):
        if tg_registry_has(&registry, handle.id):
            check(tg_handles_add(&result.handles, pool, handle.id, handle.slot, tg_registry_has, &registry))
        i += 1
    return result


cdef object operand_cotangent(tg_tape *tape, uint32_t slot, uint32_t k, Tensor g, tg_index batch):
    """g carried back through operand k of an elementwise or structural node, by operations that may be recorded."""
    cdef tg_node *node = tg_tape_node(tape, slot)
    cdef tg_transposition rule
    cdef Tensor other = None
    if node.kind == TG_NODE_ELEMENTWISE:
        return late("_rules").cotangent(node.op, k, g, saved_tensors(tape, node, tg_op_table[node.op].needs[k]))
    tg_structural_transpose(tape, node, k, &rule)
    if rule.saved_bit >= 0:
        other = saved_tensor(tape, node, rule.saved_bit)
    if rule.call.op == TG_MATMUL and g.dtype.is_complex:
        other = late("_ops.complex_parts").conjugate(other)
    return carried(&rule, g, other, batch)


cdef list saved_tensors(tg_tape *tape, tg_node *node, unsigned mask):
    """x, y, z and the result of an elementwise node, None for those that are not in the mask."""
    cdef int bit
    return [saved_tensor(tape, node, bit) if mask >> bit & 1 else None for bit in range(TG_MAX_OPERANDS + 1)]


cdef object carried(tg_transposition *rule, Tensor g, Tensor other, tg_index batch):
    """A structural rule applied to a cotangent or tangent, which has one more axis in front if there is a batch."""
    cdef tg_call *call = &rule.call
    cdef tg_index *params
    cdef bint second = rule.cotangent_second
    if call.op == TG_CAST:
        return g  # fitting it to where it goes converts it
    if batch and (call.op == TG_SUM or call.op == TG_EXPAND):
        return reduced_or_expanded(call, g)
    if call.op == TG_MATMUL or g.dtype.is_complex:
        call.dtype = g.value.dtype
    params = <tg_index *>malloc((call.params_count + 4) * sizeof(tg_index))  # a batch adds up to three
    if params == NULL:
        raise MemoryError()
    try:
        if batch:
            tg_batch_call(call, batch, params)
        if call.params != params:  # those of a node move with the arena
            memcpy(params, call.params, call.params_count * sizeof(tg_index))
            call.params = params
        return structural(call, other if second else g, g if second else other)
    finally:
        free(params)


cdef object reduced_or_expanded(tg_call *call, Tensor g):
    """SUM or EXPAND behind a batch axis."""
    cdef int d
    cdef uint64_t mask = <uint64_t>call.params[0]
    cdef tuple shape = g.shape, result = shape[:1] + tuple([call.shape[d] for d in range(call.ndim)])
    if call.op == TG_SUM:
        return reshape(sum(g, tuple([d for d in range(1, len(shape)) if mask >> (d - 1) & 1]), True), result)
    return broadcast_to(reshape(g, shape[:1] + tuple([1 if mask >> d & 1 else call.shape[d]
                                                      for d in range(call.ndim)])), result)


cdef Tensor fit(object contribution, tg_output output, tg_index batch):
    """The contribution in the operand's shape (summed over broadcast dimensions) and type."""
    cdef Tensor value = unchanging(contribution if isinstance(contribution, Tensor) else tensor(contribution))
    cdef int lead = 1 if batch else 0
    cdef int ndim = tg_value_ndim(&value.value), missing = ndim - output.ndim - lead, d
    if not batch and not missing and same_sizes(&value.value, output, 0):
        return in_dtype(value, output.dtype)
    shape = output_shape(output)
    if batch:
        shape = (batch, *shape)
    if missing < 0:
        raise ValueError(f"a rule returned a cotangent of shape {value.shape} for an operand of shape {shape}")
    if value.shape != shape:
        axes = tuple([d for d in range(lead, ndim)
                      if d < missing + lead or (shape[d - missing] == 1 and value.shape[d] != 1)])
        summed = sum(value, axes, True)
        if summed.shape[:lead] + summed.shape[missing + lead:] != shape:
            raise ValueError(f"a rule returned a cotangent of shape {value.shape} for an operand of shape {shape}")
        value = reshape(summed, shape)
    return in_dtype(value, output.dtype)


cdef bint same_sizes(const tg_value *value, tg_output output, int lead) noexcept:
    """Whether the sizes behind `lead` axes are the output's."""
    cdef int d
    for d in range(output.ndim):
        if tg_value_shape(value)[d + lead] != output.shape[d]:
            return False
    return True


cdef Tensor in_dtype(Tensor value, int dtype):
    """The value in another type; the real part where that cannot be complex."""
    if value.value.dtype == dtype:
        return value
    if value.dtype.is_complex and not DTYPES[dtype].is_complex:
        value = late("_ops.complex_parts").real(value)
    return cast(value, DTYPES[dtype])
