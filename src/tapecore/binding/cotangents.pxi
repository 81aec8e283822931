# The cotangents that one node passes on, as operations of their own.

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
                                                       (<GradientTape>sweep.tape.owner).within))
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


cdef tuple output_shape(tg_output output):
    return sizes(output.ndim, output.shape)


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


cdef Tensor in_dtype(Tensor value, int dtype):
    """The value in another type; the real part where that cannot be complex."""
    if value.value.dtype == dtype:
        return value
    if value.dtype.is_complex and not DTYPES[dtype].is_complex:
        value = late("_ops.complex_parts").real(value)
    return cast(value, DTYPES[dtype])
