"""The forward push: natively, or recorded by an outer tape."""
cimport cython
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from tapecore.core cimport TG_CALLBACK, TG_OK, tg_index, tg_status
from tapecore.ops cimport TG_OP_ADD, tg_op_table
from tapecore.pool cimport tg_pool_share, tg_pool_unshare
from tapecore.push cimport (
    TG_STATE_NEEDED, tg_push, tg_push_begin, tg_push_done, tg_push_end, tg_push_hooks, tg_push_is_due, tg_push_mark,
    tg_push_peek, tg_push_prune, tg_push_reserve, tg_push_run, tg_push_run_marked, tg_push_set
)
from tapecore.reading cimport tg_reading, tg_reading_end
from tapecore.structural cimport TG_CONCATENATE, TG_MASK, TG_MATMUL, tg_structural_tangent, tg_transposition
from tapecore.tape cimport (
    TG_NODE_ELEMENTWISE, TG_NODE_EXTERNAL, TG_NODE_LEAF, TG_NODE_STRUCTURAL, tg_node, tg_node_outputs, tg_node_params,
    tg_node_payload, tg_output, tg_tape, tg_tape_node, tg_tape_output
)
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport TG_NO_SLOT, tg_value
from tapegrad._native._core cimport (
    RELEASE_LOCK_AT, begin_reading, check, count_reader, dtype_index, generation, late, loops, pass_time, pool
)
from tapegrad._native.capi cimport PyErr_CheckSignals
from tapegrad._native.operators cimport binary
from tapegrad._native.passing cimport (
    borrowed_tensor, carried, in_dtype, lent, output_shape, saved_tensor, saved_tensors
)
from tapegrad._native.recording cimport owners
from tapegrad._native.sweeps cimport SweepContext, hook_poll, keep_error, raise_hooked
from tapegrad._native.tapes cimport GradientTape
from tapegrad._native.values cimport Tensor, Value, find_slot

import numpy as np

from tapegrad._native.arrays import own
from tapegrad._native.combining import concatenate
from tapegrad._native.shaping import broadcast_to, reshape
from tapegrad.dtypes import DTYPES


cdef tg_status hook_push_rule(void *context, tg_push *push, tg_node *node) noexcept with gil:
    try:
        push_on(push, node)
        return TG_OK
    except BaseException as error:
        keep_error(context, error)
        return TG_CALLBACK


cdef int push_on(tg_push *push, tg_node *node) except -1:
    """In a native push: the outputs of a node whose rule is not native get their tangents."""
    cdef uint32_t k, slot = node.slot
    cdef tg_value value
    cdef list tangents = []
    for k in range(node.operands):
        if node.in_[k] != TG_NO_SLOT and tg_push_peek(push, node.in_[k], &value):
            tangents.append(borrowed_tensor(&value))
        else:
            tangents.append(None)
    for k, tangent in enumerate(tangents_of(push.tape, slot, tangents, push.batch)):
        if tangent is not None:
            value = lent(tangent)
            check(tg_push_set(push, slot + k, &value))
    return 0


cdef list tangents_of(tg_tape *tape, uint32_t slot, list tangents, tg_index batch):
    """The tangents of a node's outputs from those of its operands (None: zero), by operations that may be recorded."""
    cdef tg_node *node = tg_tape_node(tape, slot)
    cdef uint32_t k, outputs = tg_node_outputs(node), operands = node.operands
    cdef object total = None
    if node.kind == TG_NODE_EXTERNAL:
        rule, saved = <tuple><object>tg_node_payload(node)[0]
        like = [(output_shape(tg_tape_output(tape, slot + k)), DTYPES[tg_tape_output(tape, slot + k).dtype])
                for k in range(outputs)]
        sizes = [None if t is None else (output_shape(tg_tape_output(tape, node.in_[k])),
                                         DTYPES[tg_tape_output(tape, node.in_[k]).dtype])
                 for k, t in enumerate(tangents)]
        found = late("_batching").rule_jvp(rule, saved, tuple(tangents), sizes, like, batch,
                                           owners.within(tape.owner))
        return [None if t is None else stretched(t, tg_tape_output(tape, slot + k), batch) for k, t in enumerate(found)]
    if node.kind == TG_NODE_STRUCTURAL and node.op == TG_CONCATENATE:
        return [joined_tangents(tape, slot, tangents, batch)]
    for k in range(operands):
        if tangents[k] is not None:
            part = operand_tangent(tape, slot, k, tangents[k], batch)
            if part is not None:
                part = stretched(part, tg_tape_output(tape, slot), batch)
                total = part if total is None else binary(TG_OP_ADD, total, part)
    return [total]


cdef object operand_tangent(tg_tape *tape, uint32_t slot, uint32_t k, Tensor t, tg_index batch):
    """What the tangent of operand k contributes to that of an elementwise or structural node's result, or None."""
    cdef tg_node *node = tg_tape_node(tape, slot)
    cdef tg_transposition rule
    cdef Tensor other = None
    if batch and (node.kind == TG_NODE_ELEMENTWISE or node.op == TG_MATMUL):  # which broadcast
        t = aligned(t, node.ndim + 1)
    if node.kind == TG_NODE_ELEMENTWISE:
        if tg_op_table[node.op].partial[k] == NULL:
            return None
        return late("_rules").tangent(node.op, k, t, saved_tensors(tape, node, tg_op_table[node.op].needs[k]))
    tg_structural_tangent(node, k, &rule)
    if rule.call.op == TG_MASK:  # which wants the result's shape
        t = stretched(t, tg_tape_output(tape, slot), batch)
    if rule.saved_bit >= 0:
        other = saved_tensor(tape, node, rule.saved_bit)
    return carried(&rule, t, other, batch)


cdef object joined_tangents(tg_tape *tape, uint32_t slot, list tangents, tg_index batch):
    """The tangent of a concatenation."""
    cdef tg_node *node = tg_tape_node(tape, slot)
    cdef tg_index axis = tg_node_params(node)[0], begin, end
    cdef uint32_t k
    cdef tg_output output = tg_tape_output(tape, slot)
    shape = output_shape(output)
    dtype = DTYPES[output.dtype]
    parts = []
    for k in range(node.operands):
        begin, end = tg_node_params(node)[1 + k], tg_node_params(node)[2 + k]
        own_shape = (*shape[:axis], end - begin, *shape[axis + 1:])
        if tangents[k] is not None:  # which lacks the axis where values were stacked
            part = in_dtype(tangents[k], dtype_index(dtype))
            parts.append(reshape(part, (batch, *own_shape) if batch else own_shape))
            continue
        parts.append(own(np.zeros((batch, *own_shape) if batch else own_shape, dtype.as_numpy_dtype)))
    return concatenate(parts, axis + (1 if batch else 0))


cdef Tensor aligned(Tensor t, int ndim):
    """With ones behind the batch axis, so that there are `ndim` dimensions."""
    shape = t.shape
    if len(shape) >= ndim:
        return t
    return reshape(t, shape[:1] + (1,) * (ndim - len(shape)) + shape[1:])


cdef Tensor stretched(Tensor t, tg_output output, tg_index batch):
    """A tangent broadcast to the shape of an output, in its type."""
    shape = output_shape(output)
    if batch:
        shape = (batch, *shape)
        t = aligned(t, len(shape))
    if t.shape != shape:
        t = broadcast_to(t, shape)
    return in_dtype(t, output.dtype)


@cython.no_gc_clear  # the native push works on the tape until the end
cdef class Push:
    """A forward push over a tape: tangents of some values become tangents of what was computed from them.

    It goes on where it stopped as the tape grows. While tapes record on this thread the tangents are computed by
    recorded operations, otherwise natively.
    """

    cdef tg_push push
    cdef GradientTape owner
    cdef SweepContext context
    cdef dict tangents   # by slot: those that recorded operations gave, and the seeds
    cdef set unknown     # the slots among them that the native push has not been told yet
    cdef bint started
    cdef tg_thread *worker  # who is computing tangents, NULL for nobody
    cdef int depth          # how often: a rule may ask for tangents, too
    cdef int generation     # the process, if that was forked, in which this is so

    def __init__(self, GradientTape owner not None, tg_index batch=0):
        self.owner = owner
        self.context.error = NULL
        self.tangents = {}
        self.unknown = set()
        self.push.batch = batch
        self.push.low = TG_NO_SLOT

    def __dealloc__(self):
        if self.started:
            tg_push_end(&self.push)

    cdef int start(self) except -1:
        cdef tg_push_hooks hooks
        hooks.context = &self.context
        hooks.rule = hook_push_rule
        hooks.poll = hook_poll
        tg_push_begin(&self.push, &self.owner.tape, &loops, &hooks, self.push.batch, self.push.low)
        self.started = True
        return 0

    def seed(self, Value source not None, tangent):
        """Makes `tangent`, of the source's shape and type, its tangent; a second one is added."""
        cdef uint32_t slot = find_slot(source, self.owner.tape.id)
        if slot == TG_NO_SLOT:
            raise ValueError("the tape does not know this value")
        if self.started and slot < self.push.low:
            raise ValueError("tangents must be given before the first push")
        self.push.low = min(self.push.low, slot)
        before = self.tangents.get(slot)
        self.tangents[slot] = tangent if before is None else before + tangent
        self.unknown.add(slot)

    def prune(self, list targets):
        """Restricts the push to what these values depend on."""
        cdef size_t count = 0
        cdef uint32_t slot
        cdef uint32_t *slots = <uint32_t *>malloc((len(targets) + 1) * sizeof(uint32_t))
        if slots == NULL:
            raise MemoryError()
        try:
            if not self.started:
                self.start()
            for target in targets:
                slot = find_slot(<Value>target, self.owner.tape.id)
                if slot != TG_NO_SLOT and slot >= self.push.low:
                    slots[count] = slot
                    count += 1
            check(tg_push_prune(&self.push, count, slots))
        finally:
            free(slots)

    @cython.critical_section
    cdef bint begin(self) except -1:
        """Whether no other thread is at work here; `end` follows."""
        if self.depth and self.generation == generation and self.worker != tg_thread_current():
            return False
        if self.generation != generation:
            self.generation = generation
            self.depth = 0
        self.worker = tg_thread_current()
        self.depth += 1
        return True

    @cython.critical_section
    cdef int end(self) except -1:
        self.depth -= 1
        return 0

    def advance(self, Value target=None):
        """Computes the tangent of `target` and what that needs, or those of everything on the tape."""
        cdef tg_reading reading
        while not self.begin():
            pass_time()
        try:
            reading = begin_reading(&self.owner.tape, False)
            try:
                self.go_on(target)
            finally:
                tg_reading_end(&self.owner.tape, reading)
        finally:
            self.end()

    cdef int go_on(self, Value target) except -1:
        cdef tg_tape *tape = &self.owner.tape
        cdef uint32_t first = 0, last = tape.slots
        cdef bint marked = target is not None and self.push.last_use == NULL
        cdef tg_value value
        cdef tg_status status
        if target is not None:
            last = find_slot(target, tape.id)
            if last == TG_NO_SLOT:
                return 0
        if not self.tangents or last < self.push.low:
            return 0
        if not self.started:
            self.start()
        if marked:
            check(tg_push_mark(&self.push, last, &first))
            if first > last:
                return 0
        elif target is not None:
            last = tg_tape_node(tape, last).slot + tg_node_outputs(tg_tape_node(tape, last))
        if not marked and last <= self.push.next:
            return 0
        if tg_thread_records(tg_thread_current()):
            self.advance_recorded(marked, first, last)
            return 0
        for slot in self.unknown:
            value = lent(self.tangents[slot])
            check(tg_push_set(&self.push, slot, &value))
        self.unknown.clear()
        if last - (first if marked else self.push.next) > 4096 or tape.work > RELEASE_LOCK_AT:
            count_reader(tape, 1)
            tg_pool_share(pool)
            with nogil:
                if marked:
                    status = tg_push_run_marked(&self.push, first, last)
                else:
                    status = tg_push_run(&self.push, last)
            tg_pool_unshare(pool)
            count_reader(tape, -1)
        elif marked:
            status = tg_push_run_marked(&self.push, first, last)
        else:
            status = tg_push_run(&self.push, last)
        raise_hooked(status, &self.context)
        return 0

    cdef int advance_recorded(self, bint marked, uint32_t first, uint32_t last) except -1:
        """The same with recorded operations: the marked nodes from slot `first` to `last`, or all below `last`."""
        cdef tg_tape *tape = &self.owner.tape
        cdef tg_node *node
        cdef uint32_t k, slot, outputs, at = first if marked else self.push.next, end = last + 1 if marked else last
        cdef bint needed
        check(tg_push_reserve(&self.push, tape.slots))
        while at < end:
            node = tg_tape_node(tape, at)
            slot = node.slot
            outputs = tg_node_outputs(node)
            at = slot + outputs
            if not marked:
                self.push.next = at
            if node.kind == TG_NODE_LEAF or slot < self.push.low or not tg_push_is_due(&self.push, slot, marked):
                continue
            needed = self.push.last_use == NULL
            for k in range(outputs):
                needed |= self.push.states[slot + k - self.push.low] & TG_STATE_NEEDED != 0
            if not needed:
                continue
            tg_push_done(&self.push, slot)
            PyErr_CheckSignals()
            tangents = [None if node.in_[k] == TG_NO_SLOT else self.tangent_at(node.in_[k])
                        for k in range(node.operands)]
            if not any([t is not None for t in tangents]):
                continue
            for k, tangent in enumerate(tangents_of(tape, slot, tangents, self.push.batch)):
                if tangent is not None:
                    self.tangents[slot + k] = tangent
                    self.unknown.add(slot + k)
        return 0

    cdef object tangent_at(self, uint32_t slot):
        cdef tg_value value
        known = self.tangents.get(slot)
        if known is None and tg_push_peek(&self.push, slot, &value):
            known = borrowed_tensor(&value)
        return known

    def advance_alone(self, Value target=None):
        """The same, unseen by this push's own tape and by the accumulators that were entered after it."""
        cdef tg_thread *thread = tg_thread_current()
        cdef int i, base = thread.base, count = thread.count, hidden = thread.base, seen = 0
        cdef bint after = False
        cdef tg_tape **order = <tg_tape **>malloc((2 * count + 1) * sizeof(tg_tape *))
        cdef tg_tape **others = order + count
        if order == NULL:
            raise MemoryError()
        memcpy(order, thread.tapes, count * sizeof(tg_tape *))
        for i in range(base, count):  # those to be hidden move below the base, where tapes are paused
            after |= order[i] == &self.owner.tape
            if after and order[i].owner != NULL and (<GradientTape>order[i].owner).accumulates:
                thread.tapes[hidden] = order[i]
                hidden += 1
            else:
                others[seen] = order[i]
                seen += 1
        memcpy(thread.tapes + hidden, others, seen * sizeof(tg_tape *))
        thread.base = hidden
        try:
            self.advance(target)
        finally:
            memcpy(thread.tapes, order, count * sizeof(tg_tape *))
            thread.base = base
            free(order)

    def tangent(self, Value value not None):
        """The tangent of a value, as far as the push has come: a tensor, or None where it is zero."""
        cdef uint32_t slot = find_slot(value, self.owner.tape.id)
        if slot == TG_NO_SLOT or not self.started and slot not in self.tangents:
            return None
        while not self.begin():
            pass_time()
        try:
            return self.tangent_at(slot)
        finally:
            self.end()
