from cpython.object cimport PyObject
from tapecore.ops cimport TG_MAX_OPERANDS
from tapecore.record cimport TG_QUICK_GENERAL, tg_record_array
from tapecore.tape cimport tg_tape
from tapecore.thread cimport tg_thread, tg_thread_current
from tapecore.value cimport tg_handles, tg_value
from tapegrad._native._core cimport set_number
from tapegrad._native.capi cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact, PyLong_AsDouble, PyLong_CheckExact
from tapegrad._native.following cimport handles_on
from tapegrad._native.values cimport Tensor, Value

cdef object operands_of(tuple args)
cdef tuple one_dtype(object values)
cdef object elementwise_general(int op, tuple args)
cdef int record_elementwise(int op, int count, PyObject **values, const tg_value *operands, Tensor out,
                            int flags) except -1


cdef inline bint constant_operand(object x, int dtype, tg_value *out):
    """A Python float or int as a number of a native type; False for anything else."""
    cdef double number
    if PyFloat_CheckExact(x):
        number = PyFloat_AS_DOUBLE(x)
    elif PyLong_CheckExact(x):
        try:
            number = PyLong_AsDouble(x)
        except OverflowError:
            return False
        if number > 2.0**53 or number < -2.0**53:  # beyond, integers are not exact in float64
            return False
    else:
        return False
    out.array = NULL
    out.dtype = dtype
    set_number(out, number)
    return True


cdef inline int record_array(int op, int count, PyObject **values, const tg_value *operands, Tensor out) except -1:
    """Records an operation on values of one native type, not all of them numbers."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_tape *tape = thread.tapes[thread.base]
    cdef const tg_handles *handles[TG_MAX_OPERANDS]
    cdef int k
    if thread.count - thread.base == 1 and not tape.observed:
        for k in range(count):
            if values[k] == NULL:
                handles[k] = NULL
            else:
                handles[k] = handles_on(tape, <Value>values[k])
        if tg_record_array(tape, op, count, handles, operands, &out.value, &out.handles) != TG_QUICK_GENERAL:
            return 0
    return record_elementwise(op, count, values, operands, out, 0)
