"""Recording of operations whose rules are written in Python."""
from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from tapecore.core cimport TG_OK, tg_status
from tapecore.guard cimport tg_guard_give, tg_guard_take
from tapecore.registry cimport tg_registry_has
from tapecore.tape cimport tg_output, tg_tape, tg_tape_record_external
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport TG_NO_SLOT, tg_handles, tg_handles_add, tg_handles_find, tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport await_readers, check, pool, registry
from tapegrad._native.following cimport hold_tapes, lasting_handles, let_tapes_go, slot_on
from tapegrad._native.recording cimport is_observed, owners
from tapegrad._native.values cimport Tensor, Value, listed_values, observe

from tapegrad._native.arrays import own


cdef class RuleInC:
    """What rules of the C interface have in common, whose tapes record these and no others."""


cdef object rule_name(object rule):
    return getattr(rule, "name", None) or type(rule).__name__


def record(rule, tuple operands not None, results, saved):
    """Appends an operation with a Python rule to every tape that knows an operand.

    Parameters
    ----------
    rule : object with a method ``vjp(saved, cotangents, wanted)``
        `cotangents` has a tensor or None (zero) per result, `wanted` a bool per operand; it returns a sequence with
        the cotangent (or None) of each operand, computed by recorded operations. The sweep sums over broadcast
        dimensions and converts types.
    operands : tuple of values; those that are not tensors or variables are constants
    results : array or tensor, or a tuple of them
    saved : anything; passed to the rule

    Returns
    -------
    Tensor or tuple of Tensor
        the results; those given as tensors are these very objects
    """
    return record_external(rule, operands, results, saved)


cdef object record_external(object rule, tuple operands, object results, object saved):
    """`record`, from where the operands and results are what they should be."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_tape *tape
    cdef tg_output *outputs
    cdef uint32_t *slots
    cdef uint32_t slot
    cdef PyObject **pointers
    cdef const tg_handles **handles
    cdef uint64_t id
    cdef Value value
    cdef tg_status status = TG_OK
    cdef int i, k, count = len(operands), results_count
    cdef bint bare = not isinstance(results, tuple), tracked
    tensors = tuple([r if isinstance(r, Tensor) else own(r) for r in ((results,) if bare else results)])
    results_count = len(tensors)
    if not tg_thread_records(thread) or not results_count:
        return tensors[0] if bare else tensors
    outputs = <tg_output *>malloc(results_count * sizeof(tg_output)
                                  + count * (sizeof(PyObject *) + sizeof(tg_handles *) + sizeof(uint32_t)))
    if outputs == NULL:
        raise MemoryError()
    try:
        pointers = <PyObject **>(outputs + results_count)
        handles = <const tg_handles **>(pointers + count)
        slots = <uint32_t *>(handles + count)
        for k in range(count):
            pointers[k] = <PyObject *>operands[k] if isinstance(operands[k], Value) else NULL
        for i in range(results_count):
            value = <Value>tensors[i]
            outputs[i].dtype = value.value.dtype
            outputs[i].ndim = tg_value_ndim(&value.value)
            outputs[i].shape = tg_value_shape(&value.value)
        payload = (rule, saved)
        known = []
        for i in range(thread.base, thread.count):
            tape = thread.tapes[i]
            tracked = False
            for k in range(count):
                tracked |= pointers[k] != NULL and slot_on(tape, <Value>pointers[k]) != TG_NO_SLOT
            if tracked and tape.owner == NULL:  # of the C interface, which records its own ops
                if not isinstance(rule, RuleInC):
                    raise TypeError(f"a tape of the C interface cannot record {rule_name(rule)}, whose rule is in "
                                    "Python")
            elif tracked:
                await_readers(tape)
                known.append((i, tape.id))
                owners.keep(tape.owner, payload)
        _copies = lasting_handles(count, pointers, handles)
        hold_tapes(thread)
        for i, id in known:
            tape = thread.tapes[i]
            if tape.id != id:  # another thread has reset it
                continue
            for k in range(count):
                slots[k] = TG_NO_SLOT if handles[k] == NULL else tg_handles_find(handles[k], id)
            for k in range(results_count):
                value = <Value>tensors[k]
                if status == TG_OK:
                    tg_guard_take(&value.guard)
                    status = tg_handles_add(&value.handles, pool, id, tape.slots + k, tg_registry_has, &registry)
                    tg_guard_give(&value.guard)
            if status == TG_OK:
                status = tg_tape_record_external(tape, count, slots, results_count, outputs, <void *>payload, &slot)
        let_tapes_go(thread)
        check(status)
    finally:
        free(outputs)
    if is_observed(thread):
        observe(thread, rule_name(rule), listed_values(operands), tensors)
    return tensors[0] if bare else tensors
