"""Python's operators: the shortest ways for numbers and for arrays of one native type."""
cimport numpy as cnp
from cpython.object cimport PyObject, Py_EQ, Py_GE, Py_GT, Py_LE, Py_LT, Py_NE
from tapecore.core cimport TG_BOOL, TG_F64, TG_OK, tg_dtype_is_inexact, tg_dtype_is_native, tg_index
from tapecore.elementwise cimport tg_elementwise
from tapecore.ops cimport (
    TG_MAX_OPERANDS, TG_OP_ADD, TG_OP_MULTIPLY, TG_OP_POSITIVE, TG_OP_POWER, TG_OP_RECIPROCAL, TG_OP_SQRT,
    TG_OP_SQUARE, TG_OP_SUBTRACT, tg_loop, tg_native_index
)
from tapecore.record cimport TG_QUICK_GENERAL, tg_record_number
from tapecore.tape cimport tg_tape
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_records
from tapecore.value cimport tg_handles, tg_value
from tapegrad._native._core cimport RELEASE_LOCK_AT, large, loops, pool
from tapegrad._native.capi cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact, PyLong_CheckExact
from tapegrad._native.following cimport handles_on
from tapegrad._native.operands cimport constant_operand, elementwise_general, record_array, record_elementwise
from tapegrad._native.recording cimport is_observed
from tapegrad._native.silence cimport hush, unhush
from tapegrad._native.values cimport (
    Tensor, Value, allocate_tensor, changes, is_value, listed_values, operators, settled_now, unchanging, view_of
)

import numpy as np

from tapegrad._native.arrays import own, tensor
from tapegrad._native.values import observe_end


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


cdef object binary(int op, object left, object right):
    """The operators: the shortest ways for numbers and for arrays of one native type, else the general one."""
    cdef tg_value operands[2]
    cdef PyObject *pointers[2]
    cdef Tensor result
    cdef int dtype
    if changes(left) or changes(right):
        first = unchanging(left)
        return binary(op, first, first if right is left else unchanging(right))  # x * x reads a variable once
    if is_value(left):
        dtype = (<Value>left).value.dtype
        pointers[0] = <PyObject *>left
        operands[0] = (<Value>left).value
        if is_value(right):
            if (<Value>right).value.dtype != dtype:
                return general_operator(op, left, right)
            pointers[1] = <PyObject *>right
            operands[1] = (<Value>right).value
        else:
            pointers[1] = NULL
            if not constant_operand(right, dtype, &operands[1]):
                return general_operator(op, left, right)
    else:
        dtype = (<Value>right).value.dtype
        pointers[0] = NULL
        pointers[1] = <PyObject *>right
        operands[1] = (<Value>right).value
        if not constant_operand(left, dtype, &operands[0]):
            return general_operator(op, left, right)
    if not tg_dtype_is_native(dtype):
        return general_operator(op, left, right)
    result = allocate_tensor()
    if operands[0].array == NULL and operands[1].array == NULL:
        number_result(op, dtype, operands, 2, &result.value)
        if tg_thread_records(tg_thread_current()):
            record_number(op, True, pointers, operands, result)
        return result
    if large(operands, 2) or tg_elementwise(&loops, pool, op, dtype, operands, &result.value) != TG_OK:
        result.value.array = NULL
        return general_operator(op, left, right)
    if tg_thread_records(tg_thread_current()):
        record_array(op, 2, pointers, operands, result)
    return result


cdef object general_operator(int op, object left, object right):
    """An operator on operands of any kind; types that nobody can convert leave the decision to Python."""
    if not convertible(left) or not convertible(right):
        return NotImplemented
    return elementwise_general(op, (left, right))


cdef bint convertible(object x):
    return isinstance(x, (Value, int, float, complex, list, tuple, cnp.ndarray, np.generic)) or hasattr(x, "__array__")


cdef object unary(int op, object x):
    cdef PyObject *pointer = <PyObject *>x
    cdef Tensor result
    cdef tg_value *value
    if changes(x):
        return unary(op, settled_now(x))
    if not is_value(x) or not tg_dtype_is_native((<Value>x).value.dtype):
        return elementwise_general(op, (x,))
    value = &(<Value>x).value
    result = allocate_tensor()
    if value.array == NULL:
        number_result(op, value.dtype, value, 1, &result.value)
        if tg_thread_records(tg_thread_current()):
            record_number(op, False, &pointer, value, result)
        return result
    if value.array.size >= RELEASE_LOCK_AT or tg_elementwise(&loops, pool, op, value.dtype, value,
                                                             &result.value) != TG_OK:
        result.value.array = NULL
        return elementwise_general(op, (x,))
    if tg_thread_records(tg_thread_current()):
        record_array(op, 1, &pointer, value, result)
    return result


cdef object power(object left, object right):
    """x ** y. Like NumPy's operator, the commonest constant exponents are operations of their own."""
    cdef double exponent = 0.0
    if isinstance(left, Value) and tg_dtype_is_inexact((<Value>left).value.dtype):
        if PyFloat_CheckExact(right):
            exponent = PyFloat_AS_DOUBLE(right)
        elif PyLong_CheckExact(right) and -2 < right < 3:
            exponent = right
        if exponent == 2.0:
            return unary(TG_OP_SQUARE, left)
        if exponent == 1.0:
            return unary(TG_OP_POSITIVE, left)
        if exponent == 0.5:
            return unary(TG_OP_SQRT, left)
        if exponent == -1.0:
            return unary(TG_OP_RECIPROCAL, left)
    return binary(TG_OP_POWER, left, right)


cdef object operator_call(object function, object left, object right):
    if not convertible(left) or not convertible(right):
        return NotImplemented
    return function(left, right)


cdef object plain_operator(object ufunc, object left, object right):
    if not convertible(left) or not convertible(right):
        return NotImplemented
    return apply_ufunc(ufunc, left, right)


def apply_ufunc(ufunc, *operands):
    """The value of a piecewise constant ufunc (comparison, logic, rounding to integers): never watched."""
    values = []
    for x in operands:
        if isinstance(x, Value):
            values.append(view_of(<Value>x))
        elif isinstance(x, (list, tuple)):
            values.append(view_of(<Value>tensor(x)))
        else:
            values.append(x)
    if not any([isinstance(x, np.ndarray) for x in values]):
        values = [view_of(<Value>tensor(x)) for x in values]
    before = hush()
    try:
        result = own(ufunc(*values))
        if is_observed(tg_thread_current()):
            observe_end(ufunc.__name__, listed_values(operands), (result,))
        return result
    except ValueError as error:
        raise ValueError(f"{ufunc.__name__}: operands of shapes {', '.join([str(np.shape(x)) for x in values])} "
                         "cannot be broadcast together") from error
    finally:
        unhush(before)


cdef object invert(object x):
    return apply_ufunc(np.invert, x)


cdef object COMPARISONS = {Py_LT: np.less, Py_LE: np.less_equal, Py_EQ: np.equal, Py_NE: np.not_equal,
                           Py_GT: np.greater, Py_GE: np.greater_equal}


cdef inline bint compare_numbers(double a, double b, int relation) noexcept:
    if relation == Py_LT:
        return a < b
    if relation == Py_LE:
        return a <= b
    if relation == Py_EQ:
        return a == b
    if relation == Py_NE:
        return a != b
    if relation == Py_GT:
        return a > b
    return a >= b


cdef inline double as_double(const tg_value *number) noexcept:
    return number.scalar.f64 if number.dtype == TG_F64 else <double>number.scalar.f32


cdef object compare(Value left, object right, int relation):
    cdef tg_value other
    cdef Tensor result
    if changes(left) or changes(right):
        return compare(<Value>unchanging(left), unchanging(right), relation)
    if left.value.array == NULL and tg_dtype_is_native(left.value.dtype):
        other.dtype = -1
        if isinstance(right, Value):
            if (<Value>right).value.array == NULL and (<Value>right).value.dtype == left.value.dtype:
                other = (<Value>right).value
        elif constant_operand(right, left.value.dtype, &other):
            pass
        else:
            other.dtype = -1
        if other.dtype >= 0:
            result = Tensor.__new__(Tensor)
            result.value.dtype = TG_BOOL
            result.value.scalar.bytes[0] = compare_numbers(as_double(&left.value), as_double(&other), relation)
            if is_observed(tg_thread_current()):
                observe_end(COMPARISONS[relation].__name__, listed_values((left, right)), (result,))
            return result
    if not convertible(right):
        return NotImplemented
    return apply_ufunc(COMPARISONS[relation], left, right)


operators.binary = binary
operators.unary = unary
operators.power = power
operators.piecewise = plain_operator
operators.invert = invert
operators.compare = compare
