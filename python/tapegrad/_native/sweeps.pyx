"""The reverse sweep: natively, or recorded by an outer tape."""
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_New
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport strlen
from tapecore.array cimport tg_array_retain
from tapecore.core cimport TG_CALLBACK, TG_INTERRUPTED, TG_OK, tg_dtype_is_native, tg_index, tg_status
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.ops cimport TG_OP_ADD, TG_OP_MULTIPLY_NO_NAN, tg_op_info, tg_op_passes_on, tg_op_table
from tapecore.pool cimport tg_pool_share, tg_pool_unshare
from tapecore.sweep cimport (
    tg_sweep, tg_sweep_add, tg_sweep_add_ones, tg_sweep_begin, tg_sweep_end, tg_sweep_hooks, tg_sweep_is_active,
    tg_sweep_is_reached, tg_sweep_next, tg_sweep_peek, tg_sweep_reach, tg_sweep_run, tg_sweep_take
)
from tapecore.tape cimport (
    TG_FLAG_GENERIC, TG_NODE_ELEMENTWISE, TG_NODE_LEAF, tg_node, tg_node_outputs, tg_output, tg_tape, tg_tape_node,
    tg_tape_output
)
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport TG_NO_SLOT, tg_value, tg_value_ndim
from tapegrad._native._core cimport RELEASE_LOCK_AT, check, count_reader, late, loops, pool
from tapegrad._native.capi cimport (
    PyErr_CheckSignals, PyInterpreterState_Get, PyInterpreterState_ThreadHead, PyThreadState_Next
)
from tapegrad._native.operands cimport elementwise_general
from tapegrad._native.operators cimport binary
from tapegrad._native.passing cimport (
    borrowed_tensor, constant_of, contributions_of, fit, lent, same_sizes, saved_tensor, saved_tensors
)
from tapegrad._native.values cimport Tensor, new_tensor, set_item

import numpy as np


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


cdef list sweep(tg_tape *tape, object observer, size_t sources_count, uint32_t *sources, size_t targets_count,
                uint32_t *targets, list seeds, tg_index batch, bint consume):
    """The adjoints of the source slots after a sweep: natively, or recorded if a tape records on this thread.

    With a batch, seeds and adjoints have one more axis in front. `consume`: what nodes saved may be let go on the way.
    """
    cdef tg_sweep sweep
    cdef tg_sweep_hooks hooks
    cdef tg_thread *thread = tg_thread_current()
    cdef bint checked = thread.checking > 0 or (observer is not None and observer.looks_for_anomalies)
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
        check(tg_sweep_begin(&sweep, tape, &loops, &hooks, known_sources, known, known_targets,
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
            results = native_sweep(&sweep, &context, sources_count, sources, targets_count, targets, seeds)
    finally:
        tg_sweep_end(&sweep)
    return results


cdef list native_sweep(tg_sweep *sweep, SweepContext *context, size_t sources_count, uint32_t *sources,
                       size_t targets_count, uint32_t *targets, list seeds):
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
    if sweep.high - sweep.low > 4096 or sweep.tape.work > RELEASE_LOCK_AT:
        count_reader(sweep.tape, 1)
        if others_run():
            tg_pool_share(pool)
            with nogil:
                status = tg_sweep_run(sweep)
            tg_pool_unshare(pool)
        else:
            status = tg_sweep_run(sweep)
        count_reader(sweep.tape, -1)
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

# --- sweeps that an outer tape records --------------------------------------------------------------------------------


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


cdef int accumulate(dict adjoints, uint32_t slot, object contribution) except -1:
    before = adjoints.get(slot)
    adjoints[slot] = contribution if before is None else binary(TG_OP_ADD, before, contribution)
    return 0
