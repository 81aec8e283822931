# Reverse sweeps that run natively.

cdef struct SweepContext:
    PyObject *error   # an exception on its way from a hook to the caller, owned; or NULL
    PyObject *slices  # a dict: for source slots the lists of IndexedSlices they got, borrowed


cdef void keep_error(void *context, object error) noexcept:
    """The first error is the cause; what follows from it on the way out is not."""
    if (<SweepContext *>context).error == NULL:
        Py_INCREF(error)
        (<SweepContext *>context).error = <PyObject *>error


cdef tg_status hook_rule(void *context, tg_sweep *sweep, tg_node *node) noexcept with gil:
    try:
        pass_on(sweep, node, <dict>(<SweepContext *>context).slices)
        return TG_OK
    except BaseException as error:
        keep_error(context, error)
        return TG_CALLBACK


cdef tg_status hook_add(void *context, const tg_value *a, const tg_value *b, tg_value *out) noexcept with gil:
    try:
        total = elementwise_general(TG_OP_ADD, (borrowed_tensor(a), borrowed_tensor(b)))
        out[0] = (<Tensor>total).value
        if out.array != NULL:
            tg_array_retain(out.array)
        return TG_OK
    except BaseException as error:
        keep_error(context, error)
        return TG_CALLBACK


cdef bint others_run() noexcept:
    """Whether Python has other threads. If not, keeping the interpreter lock spares the pool atomic instructions."""
    if TG_WITHOUT_INTERPRETER_LOCK:
        return True
    return PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) != NULL


cdef tg_status hook_poll(void *context) noexcept with gil:
    try:
        with nogil:
            pass  # a thread that has come since the sweep began gets its turn
        PyErr_CheckSignals()
        return TG_OK
    except BaseException as error:
        keep_error(context, error)
        return TG_INTERRUPTED


cdef tg_value lent(Tensor tensor):
    """The tensor's value with a reference of its own, for the core to take."""
    if changes(tensor):
        tensor = settled_now(tensor)
    if tensor.value.array != NULL:
        tg_array_retain(tensor.value.array)
    return tensor.value


cdef Tensor borrowed_tensor(const tg_value *value):
    """A tensor of a value that somebody else owns. (0-d arrays, as the sweep keeps them, become numbers.)"""
    cdef tg_value own_value = value[0]
    if own_value.array != NULL:
        tg_array_retain(own_value.array)
        tg_value_from_array(own_value.array, &own_value)
    return new_tensor(&own_value)


cdef int pass_on(tg_sweep *sweep, tg_node *node, dict slices) except -1:
    """In a native sweep: the cotangents of a node whose rule is not native go to its operands."""
    cdef uint32_t outputs = tg_node_outputs(node), i, k, slot
    cdef tg_value value
    cdef Tensor contribution
    cdef tuple cotangents = PyTuple_New(outputs)
    cdef list contributions
    for i in range(outputs):
        slot = node.slot + i
        if tg_sweep_is_reached(sweep, slot) and tg_sweep_peek(sweep, slot, &value):
            set_item(cotangents, i, borrowed_tensor(&value))
        else:
            set_item(cotangents, i, None)
    contributions = contributions_of(sweep, node, cotangents)
    for k in range(node.operands):
        if contributions[k] is not None:
            if keep_slices(sweep, node.in_[k], contributions[k], slices):
                continue
            contribution = fit(contributions[k], tg_tape_output(sweep.tape, node.in_[k]), sweep.batch)
            value = lent(contribution)
            check_hooked(tg_sweep_add(sweep, node.in_[k], &value))
    return 0


cdef bint keep_slices(tg_sweep *sweep, uint32_t slot, object contribution, dict slices) except -1:
    """Puts IndexedSlices for a source aside; whatever is to go further back becomes a tensor."""
    if isinstance(contribution, Tensor) or tg_tape_node(sweep.tape, slot).kind != TG_NODE_LEAF:
        return False
    if not isinstance(contribution, late("indexed_slices").IndexedSlices) or sweep.batch:
        return False
    tg_sweep_reach(sweep, slot)
    slices.setdefault(slot, []).append(contribution)
    return True


cdef object whole_adjoint(tg_sweep *sweep, uint32_t slot, object adjoint, dict slices):
    """A source's adjoint (None where nothing dense arrived) with the slices that were put aside; zeros if there are
    none either."""
    cdef list parts = slices.get(slot, [])
    if parts:
        adjoint = late("indexed_slices").combined(*([] if adjoint is None else [adjoint]), *parts)
    return constant_of(np.zeros, tg_tape_output(sweep.tape, slot), sweep.batch) if adjoint is None else adjoint


cdef int check_hooked(tg_status status) except -1:
    if status == TG_CALLBACK or status == TG_INTERRUPTED:
        raise RuntimeError("adding cotangents failed")
    return check(status)


cdef list sweep(GradientTape owner, size_t sources_count, uint32_t *sources, size_t targets_count, uint32_t *targets,
                list seeds, tg_index batch, bint consume):
    """The adjoints of the source slots after a sweep: natively, or recorded if a tape records on this thread.

    With a batch, seeds and adjoints have one more axis in front. `consume`: what nodes saved may be let go on the way.
    """
    cdef tg_sweep sweep
    cdef tg_sweep_hooks hooks
    cdef tg_thread *thread = tg_thread_current()
    cdef bint checked = thread.checking > 0 or (owner.observer is not None and owner.observer.looks_for_anomalies)
    cdef bint recorded = checked or tg_thread_records(thread)
    cdef uint32_t few[FEW]
    cdef uint32_t *known = few
    cdef size_t i, known_sources = 0, known_targets = 0
    cdef SweepContext context
    cdef list results
    cdef dict slices = {}
    context.error = NULL
    context.slices = <PyObject *>slices
    hooks.context = &context
    hooks.rule = hook_rule
    hooks.add = hook_add
    hooks.poll = hook_poll
    if sources_count + targets_count > FEW:
        known = <uint32_t *>malloc((sources_count + targets_count) * sizeof(uint32_t))
        if known == NULL:
            raise MemoryError()
    try:
        for i in range(sources_count):
            if sources[i] != TG_NO_SLOT:
                known[known_sources] = sources[i]
                known_sources += 1
        for i in range(targets_count):
            if targets[i] != TG_NO_SLOT:
                known[sources_count + known_targets] = targets[i]
                known_targets += 1
        check(tg_sweep_begin(&sweep, &owner.tape, &loops, &hooks, known_sources, known, known_targets,
                             known + sources_count, batch, consume and not recorded))
    finally:
        if known != few:
            free(known)
    try:
        if checked:
            with late("_observing").sweeping():
                results = recorded_sweep(&sweep, sources_count, sources, targets_count, targets, seeds, slices, True)
        elif recorded:
            results = recorded_sweep(&sweep, sources_count, sources, targets_count, targets, seeds, slices, False)
        else:
            results = native_sweep(owner, &sweep, &context, sources_count, sources, targets_count, targets, seeds)
    finally:
        tg_sweep_end(&sweep)
    return results


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


cdef list native_sweep(GradientTape owner, tg_sweep *sweep, SweepContext *context, size_t sources_count,
                       uint32_t *sources, size_t targets_count, uint32_t *targets, list seeds):
    cdef size_t i
    cdef tg_status status
    cdef tg_value value
    cdef tg_output output
    cdef Tensor seed
    for i in range(targets_count):
        if targets[i] == TG_NO_SLOT or not tg_sweep_is_active(sweep, targets[i]):
            continue
        output = tg_tape_output(sweep.tape, targets[i])
        seed = None if seeds is None else seeds[i]
        if seed is None and tg_dtype_is_native(output.dtype):
            check(tg_sweep_add_ones(sweep, targets[i]))
            continue
        if seed is None:
            seed = constant_of(np.ones, output, 0)
        value = lent(seed)
        raise_hooked(tg_sweep_add(sweep, targets[i], &value), context)
    if sweep.high - sweep.low > 4096 or owner.tape.work > RELEASE_LOCK_AT:
        count_reader(&owner.tape, 1)
        if others_run():
            tg_pool_share(pool)
            with nogil:
                status = tg_sweep_run(sweep)
            tg_pool_unshare(pool)
        else:
            status = tg_sweep_run(sweep)
        count_reader(&owner.tape, -1)
    else:
        status = tg_sweep_run(sweep)
    raise_hooked(status, context)
    results = []
    for i in range(sources_count):
        if sources[i] == TG_NO_SLOT or not tg_sweep_is_reached(sweep, sources[i]):
            results.append(None)
            continue
        found = new_tensor(&value) if tg_sweep_take(sweep, sources[i], &value) else None
        results.append(whole_adjoint(sweep, sources[i], found, <dict>context.slices))
    return results


cdef int raise_hooked(tg_status status, SweepContext *context) except -1:
    if context.error != NULL:
        error = <object>context.error
        context.error = NULL
        Py_DECREF(error)
        raise error
    return check(status)
