# Reverse sweeps that an outer tape records.

cdef list recorded_sweep(tg_sweep *sweep, size_t sources_count, uint32_t *sources, size_t targets_count,
                         uint32_t *targets, list seeds, dict slices, bint checked):
    """The same schedule with tensors for adjoints and recorded operations for arithmetic."""
    cdef dict adjoints = {}
    cdef size_t i
    cdef uint32_t k, slot, outputs, operands
    cdef tg_output output
    cdef tg_node *node
    kept = {sources[i] for i in range(sources_count)}
    for i in range(targets_count):
        if targets[i] == TG_NO_SLOT or not tg_sweep_is_active(sweep, targets[i]):
            continue
        tg_sweep_reach(sweep, targets[i])
        seed = None if seeds is None else seeds[i]
        if seed is None:
            output = tg_tape_output(sweep.tape, targets[i])
            seed = constant_of(np.ones, output, 0)
        accumulate(adjoints, targets[i], seed)
    while True:
        node = tg_sweep_next(sweep)
        if node == NULL:
            break
        PyErr_CheckSignals()
        slot = node.slot
        operands = node.operands
        if node.kind == TG_NODE_ELEMENTWISE and not node.flags & TG_FLAG_GENERIC and not checked:
            g = adjoints.get(slot) if slot in kept else adjoints.pop(slot, None)
            for k in range(operands):
                elementwise_operand(sweep, slot, k, g, adjoints)
            continue
        outputs = tg_node_outputs(node)
        into = [node.in_[k] for k in range(operands)]
        cotangents = tuple([adjoints.get(slot + i) if slot + i in kept else adjoints.pop(slot + i, None)
                            for i in range(outputs)])
        contributions = contributions_of(sweep, node, cotangents)
        if checked:
            late("_observing").check_cotangents(<object>(<PyObject *>sweep.tape.owner), slot, cotangents, contributions)
        for k in range(operands):
            if contributions[k] is not None and not keep_slices(sweep, into[k], contributions[k], slices):
                tg_sweep_reach(sweep, into[k])
                accumulate(adjoints, into[k], fit(contributions[k], tg_tape_output(sweep.tape, into[k]), sweep.batch))
    results = []
    for i in range(sources_count):
        if sources[i] == TG_NO_SLOT or not tg_sweep_is_reached(sweep, sources[i]):
            results.append(None)
            continue
        results.append(whole_adjoint(sweep, sources[i], adjoints.get(sources[i]), slices))
    return results


cdef int elementwise_operand(tg_sweep *sweep, uint32_t slot, uint32_t k, Tensor g, dict adjoints) except -1:
    """Passes the cotangent of a native elementwise node (None: zero) on to operand k: the common case, no detours."""
    cdef tg_node *node = tg_tape_node(sweep.tape, slot)
    cdef const tg_op_info *info = &tg_op_table[node.op]
    cdef uint32_t into = node.in_[k]
    cdef tg_output output
    cdef object partial
    cdef Tensor contribution
    cdef int bit
    if info.partial[k] == NULL or into == TG_NO_SLOT or not tg_sweep_is_active(sweep, into):
        return 0
    tg_sweep_reach(sweep, into)
    if g is None:
        return 0
    if tg_op_passes_on(info, k):
        contribution = g
    else:
        if strlen(info.partial[k]) == 1 and info.needs[k]:  # an operand as it is
            bit = 0
            while not info.needs[k] >> bit & 1:
                bit += 1
            partial = saved_tensor(sweep.tape, node, bit)
        else:
            partial = late("_rules").partial_of(node.op, k)(*saved_tensors(sweep.tape, node, info.needs[k]))
        contribution = binary(TG_OP_MULTIPLY_NO_NAN, partial, g)
    output = tg_tape_output(sweep.tape, into)
    if (contribution.value.dtype != output.dtype or tg_value_ndim(&contribution.value) != output.ndim
            + (1 if sweep.batch else 0) or not same_sizes(&contribution.value, output, 1 if sweep.batch else 0)):
        contribution = fit(contribution, output, sweep.batch)
    return accumulate(adjoints, into, contribution)


cdef bint same_sizes(const tg_value *value, tg_output output, int lead) noexcept:
    """Whether the sizes behind `lead` axes are the output's."""
    cdef int d
    for d in range(output.ndim):
        if tg_value_shape(value)[d + lead] != output.shape[d]:
            return False
    return True


cdef int accumulate(dict adjoints, uint32_t slot, object contribution) except -1:
    before = adjoints.get(slot)
    adjoints[slot] = contribution if before is None else binary(TG_OP_ADD, before, contribution)
    return 0
