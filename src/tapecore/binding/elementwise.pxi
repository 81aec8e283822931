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


cdef bint known_to_tapes(tg_thread *thread, int count, PyObject **values, const char *const *partial) except -1:
    """Whether any tape knows an operand by which the result can be differentiated; variables are watched. Waits until
    such tapes can record."""
    cdef int i, k
    cdef bint tracked, any_tracked = False
    for i in range(thread.base, thread.count):
        tracked = False
        for k in range(count):
            if values[k] != NULL and (partial == NULL or partial[k] != NULL):
                tracked |= slot_on(thread.tapes[i], <Value>values[k]) != TG_NO_SLOT
        if tracked:
            await_readers(thread.tapes[i])
            any_tracked = True
    return any_tracked


cdef tg_status announce(tg_thread *thread, int count, const tg_handles *const *handles, const char *const *partial,
                        Tensor out) noexcept:
    """Gives a result its handle on every tape that is about to record it; the tapes are held.

    All tapes are told before the first one records: what a tape saves names the places it has on the others, and the
    place is known, since a tape's next output is its next slot.
    """
    cdef int i, k
    cdef tg_tape *tape
    cdef tg_status status
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        for k in range(count):
            if (handles[k] != NULL and (partial == NULL or partial[k] != NULL)
                    and tg_handles_find(handles[k], tape.id) != TG_NO_SLOT):
                status = tg_handles_add(&out.handles, pool, tape.id, tape.slots, tg_registry_has, &registry)
                if status != TG_OK:
                    return status
                break
    return TG_OK


cdef list held_while_waiting(tg_thread *thread, int count, PyObject **values):
    """Tensors of the operands as they are, if a tape cannot record at once: variables may be assigned to meanwhile."""
    cdef int i, k
    for i in range(thread.base, thread.count):
        if not TG_WITHOUT_INTERPRETER_LOCK and thread.tapes[i].readers:
            return [copy_value(<Value>values[k]) for k in range(count) if values[k] != NULL]
    return None


cdef list lasting_handles(int count, PyObject **values, const tg_handles **handles):
    """Finds the operands' handles (NULL for a constant). Without an interpreter lock others may be adding to these:
    they are those of tensors in the list that is returned."""
    cdef int k
    copies = [] if TG_WITHOUT_INTERPRETER_LOCK else None
    for k in range(count):
        handles[k] = NULL
        if values[k] != NULL:
            if TG_WITHOUT_INTERPRETER_LOCK:
                copies.append(copy_with_handles(<Value>values[k]))
                handles[k] = &(<Value>copies[-1]).handles
            else:
                handles[k] = &(<Value>values[k]).handles
    return copies


cdef inline void hold_tapes(tg_thread *thread) noexcept:
    """Around the moment at which tapes record, in which nothing of Python runs: see guard.h."""
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        for i in range(thread.base, thread.count):
            tg_tape_take(thread.tapes[i])


cdef inline void let_tapes_go(tg_thread *thread) noexcept:
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        for i in range(thread.base, thread.count):
            tg_tape_give(thread.tapes[i])


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
