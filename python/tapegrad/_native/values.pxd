cimport numpy as cnp
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_SET_ITEM
from libc.stdint cimport uint32_t, uint64_t
from tapecore.core cimport tg_index
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK, tg_guard, tg_guard_changes
from tapecore.thread cimport tg_thread
from tapecore.value cimport tg_handles, tg_handles_find, tg_value
from tapegrad._native.capi cimport type_of

cdef extern from *:
    """
    /* A freed tensor's memory as a new one, all fields zero. A macro, since the struct is declared further down. */
    #define tg_revive(memory, type) \
        ((struct __pyx_obj_8tapegrad_7_native_6values_Tensor *)PyObject_Init( \
            (PyObject *)memset(memory, 0, sizeof(struct __pyx_obj_8tapegrad_7_native_6values_Tensor)), type))
    """
    Tensor revive "tg_revive"(PyObject *memory, PyTypeObject *type)


cdef class Value:
    cdef tg_value value      # its array is owned; a Variable's is replaced by assignment, never written to
    cdef tg_handles handles  # the tapes that know this value
    cdef bint watchable      # a trainable variable: reading it under a tape watches it
    cdef uint64_t birth      # variables: construction order
    cdef tg_guard guard      # nothing, where there is an interpreter lock


cdef class Tensor(Value):
    pass


cdef struct Operators:
    object (*binary)(int op, object left, object right)
    object (*unary)(int op, object x)
    object (*power)(object left, object right)
    object (*matmul)(object left, object right)
    object (*piecewise)(object ufunc, object left, object right)  # of ufuncs that are constant but for steps
    object (*invert)(object x)
    object (*compare)(Value left, object right, int relation)
    object (*index)(Value x, object key)

# What Python's operators call, filled in by the modules above while they are imported.
cdef Operators operators

cdef enum:
    KEPT_TENSORS = 1024

# Freed tensors, guarded by the interpreter lock; without it none are kept.
cdef PyObject *kept[KEPT_TENSORS]
cdef int kept_count

cdef Tensor settled_now(Value x)
cdef uint32_t find_shared(Value value, uint64_t id) noexcept
cdef Tensor copy_value(Value value)
cdef Tensor copy_with_handles(Value value)
cdef Tensor versioned(Tensor x)
cdef tuple sizes(int ndim, const tg_index *shape)
cdef tuple shape_of(Value value)
cdef object to_numpy(Value value)
cdef cnp.ndarray view_of(Value value)
cdef list listed(int count, PyObject **values)
cdef list listed_values(object operands)
cdef int observe(tg_thread *thread, str name, list operands, tuple results) except -1


cdef inline bint changes(object x) noexcept:
    """Whether x is a value that another thread may replace meanwhile: never under the interpreter lock."""
    return TG_WITHOUT_INTERPRETER_LOCK and isinstance(x, Value) and tg_guard_changes(&(<Value>x).guard)


cdef inline object unchanging(object x):
    """x; if it is a value that changes, a tensor of its value now, known to the same tapes."""
    return settled_now(<Value>x) if changes(x) else x


cdef inline Tensor allocate_tensor():
    """A tensor without value and handles."""
    global kept_count
    if TG_WITHOUT_INTERPRETER_LOCK or kept_count == 0:
        return Tensor.__new__(Tensor)
    kept_count -= 1
    return revive(kept[kept_count], <PyTypeObject *>Tensor)


cdef inline Tensor new_tensor(tg_value *value):
    """A tensor that takes over the value's reference."""
    cdef Tensor result = allocate_tensor()
    result.value = value[0]
    return result


cdef inline void set_item(tuple fresh, Py_ssize_t i, object x) noexcept:
    """Stores x in a tuple that nobody has seen yet."""
    Py_INCREF(x)
    PyTuple_SET_ITEM(fresh, i, x)


cdef inline uint32_t find_slot(Value value, uint64_t id) noexcept:
    """The slot under which tape `id` knows the value, or TG_NO_SLOT."""
    if TG_WITHOUT_INTERPRETER_LOCK:
        return find_shared(value, id)
    return tg_handles_find(&value.handles, id)


cdef inline bint is_value(object x) noexcept:
    """isinstance(x, Value), at once for what x nearly always is."""
    return type_of(<PyObject *>x) == <PyTypeObject *>Tensor or isinstance(x, Value)


cdef inline tg_value *operand_value(object x) noexcept:
    return &(<Value>x).value
