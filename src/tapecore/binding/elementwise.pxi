# Elementwise operations: their values, and how they get onto tapes.

cdef double LARGE = 9007199254740992.0  # 2**53: integers up to here are exact in float64


cdef inline bint number_result(int op, int dtype, const tg_value *operands, int count, tg_value *out) noexcept:
    """op on native numbers."""
    cdef char *args[TG_MAX_OPERANDS + 1]
    cdef tg_index steps[TG_MAX_OPERANDS + 1]
    cdef tg_index one = 1
    cdef tg_loop loop
    cdef int i
    out.array = NULL
    out.dtype = dtype
    if dtype == TG_F64:  # the four commonest in one instruction; they round the same everywhere
        if op == TG_OP_MULTIPLY:
            out.scalar.f64 = operands[0].scalar.f64 * operands[1].scalar.f64
            return True
        if op == TG_OP_ADD:
            out.scalar.f64 = operands[0].scalar.f64 + operands[1].scalar.f64
            return True
        if op == TG_OP_SUBTRACT:
            out.scalar.f64 = operands[0].scalar.f64 - operands[1].scalar.f64
            return True
    loop = loops.elementwise[op][tg_native_index(dtype)]
    for i in range(count):
        args[i] = <char *>&operands[i].scalar
        steps[i] = 0
    args[count] = <char *>&out.scalar
    steps[count] = 0
    loop.function(args, &one, steps, loop.data)
    return True


cdef inline const tg_handles *handles_on(tg_tape *tape, Value value) except NULL:
    """The value's handles; a variable is watched first."""
    if value.watchable and value.handles.id[0] != tape.id:
        slot_on(tape, value)
    return &value.handles


cdef int record_number(int op, bint binary, PyObject **values, const tg_value *operands, Tensor out) except -1:
    """Records an operation on one or two native numbers; values[k] is NULL for a constant."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_tape *tape = thread.tapes[thread.base]
    cdef const tg_handles *x = NULL
    cdef const tg_handles *y = NULL
    if thread.count - thread.base == 1 and not tape.observed:
        if values[0] != NULL:
            x = handles_on(tape, <Value>values[0])
        if binary and values[1] != NULL:
            y = handles_on(tape, <Value>values[1])
        if tg_record_number(tape, op, out.value.dtype, binary, x, operands[0].scalar.u64, y,
                            operands[1].scalar.u64 if binary else 0, out.value.scalar.u64,
                            &out.handles) != TG_QUICK_GENERAL:
            return 0
    return record_elementwise(op, 2 if binary else 1, values, operands, out, 0)


cdef int record_array(int op, int count, PyObject **values, const tg_value *operands, Tensor out) except -1:
    """Records an operation on values of one native type, not all of them numbers."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_tape *tape = thread.tapes[thread.base]
    cdef const tg_handles *handles[TG_MAX_OPERANDS]
    cdef int k
    if thread.count - thread.base == 1 and not tape.observed:
        for k in range(count):
            handles[k] = NULL if values[k] == NULL else handles_on(tape, <Value>values[k])
        if tg_record_array(tape, op, count, handles, operands, &out.value, &out.handles) != TG_QUICK_GENERAL:
            return 0
    return record_elementwise(op, count, values, operands, out, 0)


cdef int announce(tg_thread *thread, int count, PyObject **values, const char *const *partial, Tensor out) except -1:
    """Gives a result its handle on every tape that is about to record it.

    All tapes are told before the first one records: what a tape saves names the places it has on the others, and the
    place is known, since a tape's next output is its next slot. Returns whether any tape records.
    """
    cdef int i, k
    cdef bint tracked, any_tracked = False
    for i in range(thread.base, thread.count):
        tracked = False
        for k in range(count):
            if values[k] != NULL and (partial == NULL or partial[k] != NULL):
                tracked |= slot_on(thread.tapes[i], <Value>values[k]) != TG_NO_SLOT
        if tracked:
            await_readers(thread.tapes[i])
            add_handle(out, thread.tapes[i], thread.tapes[i].slots)
            any_tracked = True
    return any_tracked


cdef int record_elementwise(int op, int count, PyObject **values, const tg_value *operands, Tensor out,
                            int flags) except -1:
    """Records an elementwise operation on every tape that knows an operand."""
    cdef tg_thread *thread = tg_thread_current()
    cdef const tg_op_info *info = &tg_op_table[op]
    cdef tg_record record
    cdef uint32_t slots[TG_MAX_OPERANDS]
    cdef uint32_t slot
    cdef tg_tape *tape
    cdef int i, k
    if not announce(thread, count, values, info.partial, out):
        if is_observed(thread):
            observe(thread, OPS[op], listed(count, values), (out,))
        return 0
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
        record.handles[k] = NULL if values[k] == NULL else &(<Value>values[k]).handles
    record.saved[TG_MAX_OPERANDS] = &out.value
    record.handles[TG_MAX_OPERANDS] = &out.handles
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        if tg_handles_find(&out.handles, tape.id) == TG_NO_SLOT:
            continue
        record.saved_mask = 0
        for k in range(count):
            slots[k] = TG_NO_SLOT
            if values[k] == NULL or info.partial[k] == NULL:
                continue
            slots[k] = tg_handles_find(&(<Value>values[k]).handles, tape.id)
            if slots[k] != TG_NO_SLOT:
                record.saved_mask |= info.needs[k]
        check(tg_tape_record(tape, &record, &slot))
    if is_observed(thread):
        observe(thread, OPS[op], listed(count, values), (out,))
    return 0
