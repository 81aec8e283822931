# Python's operators.

cdef inline bint is_value(object x) noexcept:
    """isinstance(x, Value), at once for what x nearly always is."""
    return type_of(<PyObject *>x) == <PyTypeObject *>Tensor or isinstance(x, Value)


cdef object binary(int op, object left, object right):
    """The operators: the shortest ways for numbers and for arrays of one native type, else the general one."""
    cdef tg_value operands[2]
    cdef PyObject *pointers[2]
    cdef Tensor result
    cdef int dtype
    if TG_WITHOUT_INTERPRETER_LOCK and (changes(left) or changes(right)):
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
        if number > LARGE or number < -LARGE:
            return False
    else:
        return False
    out.array = NULL
    out.dtype = dtype
    set_number(out, number)
    return True


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
    if TG_WITHOUT_INTERPRETER_LOCK and changes(x):
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
    if TG_WITHOUT_INTERPRETER_LOCK and (changes(left) or changes(right)):
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
