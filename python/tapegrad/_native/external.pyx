"""Operations whose rules are written in Python: their recording, and those that `tapegrad._ops.declare` declares."""
cimport cython
from cpython.object cimport PyObject, PyTypeObject
from cpython.tuple cimport PyTuple_New
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from tapecore.core cimport TG_OK, tg_status
from tapecore.guard cimport tg_guard_give, tg_guard_take
from tapecore.registry cimport tg_registry_has
from tapecore.tape cimport tg_output, tg_tape, tg_tape_record_external
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport TG_NO_SLOT, tg_handles, tg_handles_add, tg_handles_find, tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport await_readers, check, pool, registry
from tapegrad._native.arrays cimport owned
from tapegrad._native.capi cimport (
    PyObject_Vectorcall, PyVectorcall_Call, PyVectorcall_NARGS, tuple_items, type_of, vectorcall
)
from tapegrad._native.following cimport hold_tapes, lasting_handles, let_tapes_go, slot_on, watched_by
from tapegrad._native.recording cimport is_observed, owners
from tapegrad._native.silence cimport hush, unhush
from tapegrad._native.values cimport (
    Tensor, Value, listed_values, observe, set_item, shape_of, versioned, view_of
)

import numpy as np

from tapegrad._native.arrays import own, tensor
from tapegrad._native.values import observe_end

cdef extern from *:
    """
    /* Calls of the type's objects go to the function that each of them has behind its header. */
    static void tg_make_vectorcallable(PyTypeObject *type, Py_ssize_t offset) {
        type->tp_vectorcall_offset = offset;
        type->tp_call = PyVectorcall_Call;
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        PyType_Modified(type);
    }
    #define tg_make_vectorcallable_type(type) tg_make_vectorcallable( \
        type, offsetof(struct __pyx_obj_8tapegrad_7_native_8external_DeclaredOperation, call))
    """
    void make_vectorcallable "tg_make_vectorcallable_type"(PyTypeObject *type) noexcept


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

# --- operations that tapegrad._ops.declare declares -------------------------------------------------------------------

cdef enum:  # what a node keeps for a rule
    SAVED_RESULT          # the result; a tuple if there are several
    SAVED_RESULT_SHAPE
    SAVED_OPERAND
    SAVED_OPERAND_SHAPE
    SAVED_OPERANDS        # those of a `*name` parameter
    SAVED_OPERAND_SHAPES
    SAVED_PARAMETER

SAVED_KINDS = {"out": SAVED_RESULT, "out_shape": SAVED_RESULT_SHAPE, "operand": SAVED_OPERAND,
               "operand_shape": SAVED_OPERAND_SHAPE, "operands": SAVED_OPERANDS,
               "operand_shapes": SAVED_OPERAND_SHAPES, "parameter": SAVED_PARAMETER}
"""The numbers of the kinds of values that a node keeps, for `DeclaredRule`."""

cdef uint64_t ALL_OPERANDS = <uint64_t>-1


cdef struct SavedItem:
    int kind
    int operand          # its number
    uint64_t needed_by   # a bit for each operand whose rule needs it


cdef inline uint64_t operand_bit(Py_ssize_t operand) noexcept:
    return <uint64_t>1 << (operand if operand < 63 else 63)


cdef class DeclaredRule:
    """What the tape calls for an operation that was declared with one function (or None) for each operand.

    Parameters
    ----------
    name : what messages call the operation
    saved : for each value that a node keeps (its name, kind, operand's number, numbers of the operands whose functions
        need it; None: kept whatever is watched)
    vjps : for each operand (function, the places of its arguments among g, gs and the saved values), or None
    variadic : whether there is one `*name` parameter, whose function returns the cotangents of all operands
    """

    cdef readonly str name
    cdef readonly list saved_names
    cdef readonly bint saves_result
    cdef readonly tuple vjps
    cdef bint variadic
    cdef SavedItem *items
    cdef int count

    def __init__(self, str name, list saved, tuple vjps, bint variadic):
        cdef int i
        self.name = name
        self.vjps = vjps
        self.variadic = variadic
        self.saved_names = [item[0] for item in saved]
        free(self.items)
        self.count = 0
        self.items = <SavedItem *>calloc(len(saved) + 1, sizeof(SavedItem))
        if self.items == NULL:
            raise MemoryError()
        self.count = <int>len(saved)
        for i, (_, kind, operand, needed_by) in enumerate(saved):
            self.items[i].kind = kind
            self.items[i].operand = operand
            if needed_by is None or variadic:
                self.items[i].needed_by = ALL_OPERANDS
            else:
                for k in needed_by:
                    self.items[i].needed_by |= operand_bit(k)
            self.saves_result |= kind == SAVED_RESULT

    def __dealloc__(self):
        free(self.items)

    cdef tuple kept(self, uint64_t watched, tuple values, object out, PyObject *names, PyObject **parameters):
        """What a node keeps when just these operands are watched."""
        cdef tuple saved = PyTuple_New(self.count)
        cdef SavedItem *item
        cdef object found
        cdef int i
        for i in range(self.count):
            item = &self.items[i]
            found = None
            if not item.needed_by & watched:
                pass
            elif item.kind == SAVED_RESULT:
                found = out
            elif item.kind == SAVED_RESULT_SHAPE:
                found = shape_of(<Value>out) if isinstance(out, Tensor) else shapes_of(<tuple>out)
            elif item.kind == SAVED_OPERAND:
                found = versioned(<Tensor>values[item.operand])
            elif item.kind == SAVED_OPERAND_SHAPE:
                found = shape_of(<Value>values[item.operand])
            elif item.kind == SAVED_OPERANDS:
                found = tuple([versioned(<Tensor>value) for value in values])
            elif item.kind == SAVED_OPERAND_SHAPES:
                found = shapes_of(values)
            else:
                found = self.parameter(self.saved_names[i], names, parameters)
            set_item(saved, i, found)
        return saved

    cdef object parameter(self, str name, PyObject *names, PyObject **parameters):
        """The parameter that a call gave by this name."""
        cdef Py_ssize_t i
        if names != NULL:
            for i in range(len(<tuple>names)):
                if (<tuple>names)[i] == name:
                    return <object>parameters[i]
        raise TypeError(f"{self.name}: the parameter {name!r} must be given, for the derivative needs it")

    def follow(self, tuple values not None, out):
        """Records that the operation, which has no parameters, has made `out` of the tensors, and returns it as the
        caller may have it."""
        return self.followed(values, out, NULL, NULL)

    cdef object followed(self, tuple values, object out, PyObject *names, PyObject **parameters):
        cdef tg_thread *thread = tg_thread_current()
        cdef uint64_t watched = 0
        cdef Py_ssize_t k
        if not tg_thread_records(thread):
            return out
        for k in range(len(values)):
            if watched_by(thread, <Tensor?>values[k]):
                watched |= operand_bit(k)
        if not watched:
            if is_observed(thread):
                observe_end(self.name, list(values), out if isinstance(out, tuple) else (out,))
            return out
        record_external(self, values, out, self.kept(watched, values, out, names, parameters))
        # What is saved are objects of their own, so that writing to those that the caller has does not change it.
        if not self.saves_result:
            return out
        return tuple([versioned(<Tensor>part) for part in <tuple>out]) if isinstance(out, tuple) else versioned(out)

    def vjp(self, tuple saved not None, tuple cotangents not None, wanted):
        """The operands' cotangents; `saved` is what a node kept."""
        cdef Py_ssize_t k, count = len(wanted)
        cdef tuple vjp
        cdef list found
        if self.variadic:
            vjp = self.vjps[0]
            return [None] * count if vjp is None else carried_by(vjp, saved, cotangents)
        found = []
        for k in range(min(count, len(self.vjps))):
            vjp = self.vjps[k]
            found.append(carried_by(vjp, saved, cotangents) if vjp is not None and wanted[k] else None)
        return found


cdef object carried_by(tuple vjp, tuple saved, tuple cotangents):
    """What a function makes of the values that it names: the result's cotangent, all of them, or what was saved."""
    cdef tuple places = vjp[1]
    cdef Py_ssize_t i, place, count = len(places)
    cdef tuple given = PyTuple_New(count)
    for i in range(count):
        place = places[i]
        set_item(given, i, cotangents[0] if place == 0 else cotangents if place == 1 else saved[place - 2])
    return PyObject_Vectorcall(vjp[0], tuple_items(given), count, NULL)


cdef tuple shapes_of(tuple values):
    return tuple([shape_of(<Value>value) for value in values])


@cython.final
cdef class DeclaredOperation:
    """The recorded operation that computes `forward`, a function of arrays, and is differentiated by the rule.

    Parameters
    ----------
    rule : DeclaredRule
    forward : function of arrays by position and parameters by name, returning an array or a tuple of them
    """

    cdef void *call
    cdef readonly DeclaredRule rule
    cdef object forward
    cdef bint quiet
    cdef dict __dict__

    def __init__(self, DeclaredRule rule not None, forward):
        silenced = getattr(forward, "silenced", None)
        self.call = <void *><vectorcall>call_declared
        self.rule = rule
        self.quiet = silenced is not None
        self.forward = silenced if self.quiet else forward

    def __call__(self, *operands, **parameters):
        return PyVectorcall_Call(self, operands, parameters)  # other calls come to call_declared by themselves

    def __repr__(self):
        return f"<recorded operation {self.__qualname__!r}>"

    def __reduce__(self):
        return self.__qualname__

    cdef object value(self, tuple operands, Py_ssize_t count, PyObject *names):
        """What `forward` makes of arrays, `count` of them, and of the parameters behind them."""
        if not self.quiet:
            return PyObject_Vectorcall(self.forward, tuple_items(operands), count, names)
        before = hush()
        try:
            return PyObject_Vectorcall(self.forward, tuple_items(operands), count, names)
        finally:
            unhush(before)


cdef object call_declared(object self, PyObject **args, size_t flags_and_count, PyObject *names):
    """What a call runs, in the form that the interpreter asks for: no tuple and no dict is made on the way."""
    cdef DeclaredOperation operation = <DeclaredOperation>self
    cdef Py_ssize_t k, count = PyVectorcall_NARGS(flags_and_count)
    cdef Py_ssize_t named = 0 if names == NULL else len(<tuple>names)
    cdef tuple values = PyTuple_New(count), operands = PyTuple_New(count + named)
    cdef object x
    for k in range(count):
        x = <object>args[k]
        if type_of(args[k]) != <PyTypeObject *>Tensor:
            x = tensor(x)
        set_item(values, k, x)
        set_item(operands, k, view_of(<Value>x))
    for k in range(count, count + named):
        set_item(operands, k, <object>args[k])
    try:
        result = operation.value(operands, count, names)
    except ValueError as error:
        shapes = ", ".join([str(value.shape) for value in values])
        kind = np.linalg.LinAlgError if isinstance(error, np.linalg.LinAlgError) else ValueError
        raise kind(f"{operation.rule.name}: {error} (operand shapes: {shapes})") from error
    out = tuple([owned(part) for part in <tuple>result]) if type(result) is tuple else owned(result)
    return operation.rule.followed(values, out, names, args + count)


make_vectorcallable(<PyTypeObject *>DeclaredOperation)
