"""The C interface: what its functions need of Python, and the capsule with the table of them."""
from cpython.pycapsule cimport PyCapsule_New
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy
from tapecore.api cimport (
    TAPEGRAD_BAD_DTYPE, TAPEGRAD_BAD_VALUE, TAPEGRAD_CALLBACK, TAPEGRAD_INTERRUPTED, TAPEGRAD_NO_MEMORY, TAPEGRAD_OK,
    tapegrad_context, tapegrad_error_status, tapegrad_error_text, tapegrad_fail, tapegrad_op, tapegrad_op_name,
    tapegrad_release, tapegrad_status, tapegrad_table, tapegrad_value, tg_api_table, tg_application,
    tg_application_create, tg_application_has_jvp, tg_application_jvp, tg_application_release, tg_application_vjp,
    tg_context_create, tg_host, tg_value_wrap
)
from tapecore.array cimport tg_array_retain
from tapecore.core cimport TG_INTERRUPTED, TG_OK, tg_status
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.lock cimport tg_lock, tg_lock_give, tg_lock_take
from tapecore.structural cimport TG_CONCATENATE, TG_SELECT, tg_call
from tapecore.value cimport tg_handles, tg_handles_clear, tg_handles_copy, tg_value
from tapegrad._native._core cimport check, loops, pool, registry
from tapegrad._native.capi cimport PyErr_CheckSignals
from tapegrad._native.external cimport RuleInC
from tapegrad._native.operands cimport elementwise_general
from tapegrad._native.operators cimport binary, unary
from tapegrad._native.passing cimport borrowed_tensor
from tapegrad._native.structural cimport structural
from tapegrad._native.values cimport Tensor, Value, copy_with_handles

from tapegrad._native.arrays import tensor
from tapegrad._native.combining import concatenate, stack, where
from tapegrad._native.external import record
from tapegrad.dtypes import DTYPES


cdef Tensor tensor_of(const tapegrad_value *value):
    """A tensor of a value of the C interface, with its place on the tapes."""
    cdef Tensor result = borrowed_tensor(&value.value)
    check(tg_handles_copy(&value.handles, pool, &result.handles))
    return result


cdef int fill_value(tapegrad_value *target, Value source) except -1:
    """Gives a value of the C interface, which has none yet, elements and places."""
    cdef tg_handles handles
    source = copy_with_handles(source) if TG_WITHOUT_INTERPRETER_LOCK else source
    check(tg_handles_copy(&source.handles, pool, &handles))
    tg_handles_clear(&target.handles, pool)
    target.handles = handles
    target.value = source.value
    if target.value.array != NULL:
        tg_array_retain(target.value.array)
    return 0


cdef tapegrad_value *value_from(Value source) except NULL:
    """A new value of the C interface; owned by the caller."""
    cdef tg_value nothing
    cdef tapegrad_context *context = context_for_c()
    cdef tapegrad_value *result = NULL
    nothing.array = NULL
    nothing.dtype = source.value.dtype
    if context != NULL:
        result = tg_value_wrap(context, nothing)
    if result == NULL:
        raise_error()
    try:
        fill_value(result, source)
    except BaseException:
        tapegrad_release(result)
        raise
    return result


cdef list ERRORS = [None, MemoryError, OverflowError, KeyboardInterrupt, RuntimeError, ValueError, TypeError,
                    ValueError, RuntimeError, TypeError, TypeError]  # by status


cdef object raise_error():
    """Raises the exception for the C interface's error of this thread."""
    raise ERRORS[<int>tapegrad_error_status()](tapegrad_error_text().decode(errors="replace"))


cdef tapegrad_status error_of(object error) noexcept:
    """Makes an exception, which ends here, the C interface's error of this thread."""
    cdef tapegrad_status status = TAPEGRAD_CALLBACK
    text = str(error)
    if isinstance(error, MemoryError):
        status = TAPEGRAD_NO_MEMORY
    elif isinstance(error, KeyboardInterrupt):
        status = TAPEGRAD_INTERRUPTED
    elif isinstance(error, ValueError):
        status = TAPEGRAD_BAD_VALUE
    elif isinstance(error, TypeError):
        status = TAPEGRAD_BAD_DTYPE
    else:
        text = f"{type(error).__name__}: {text}"
    return tapegrad_fail(status, text.encode(errors="replace"))


cdef tapegrad_status host_elementwise(int op, int count, tapegrad_value *const *operands,
                                      tapegrad_value *out) noexcept with gil:
    try:
        if count == 1:
            result = unary(op, tensor_of(operands[0]))
        elif count == 2:
            result = binary(op, tensor_of(operands[0]), tensor_of(operands[1]))
        else:
            result = elementwise_general(op, tuple([tensor_of(operands[k]) for k in range(count)]))
        fill_value(out, result)
        return TAPEGRAD_OK
    except BaseException as error:
        return error_of(error)


cdef tapegrad_status host_structural(const tg_call *call, int count, tapegrad_value *const *operands,
                                     tapegrad_value *out) noexcept with gil:
    cdef tg_call own_call = call[0]
    cdef int k
    try:
        values = [tensor_of(operands[k]) for k in range(count)]
        if call.op == TG_CONCATENATE:
            join = concatenate if values[0].ndim == call.ndim else stack
            fill_value(out, join(values, call.params[0]))
        elif call.op == TG_SELECT:
            fill_value(out, where(values[0], values[1], values[2]))
        else:
            fill_value(out, structural(&own_call, values[0], values[1] if count == 2 else None))
        return TAPEGRAD_OK
    except BaseException as error:
        return error_of(error)


cdef tapegrad_status host_record(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                 tapegrad_value *const *results) noexcept with gil:
    cdef _OpRule rule
    cdef int k
    try:
        rule = _OpRule()
        if tg_application_create(op, count, operands, results, &rule.application) != TAPEGRAD_OK:
            return tapegrad_error_status()
        outputs = tuple([tensor_of(results[k]) for k in range(rule.application.results_count)])
        record(rule, tuple([tensor_of(operands[k]) for k in range(count)]), outputs, None)
        for k, output in enumerate(outputs):
            tg_handles_clear(&results[k].handles, pool)
            check(tg_handles_copy(&(<Tensor>output).handles, pool, &results[k].handles))
        return TAPEGRAD_OK
    except BaseException as error:
        return error_of(error)


cdef tg_status host_poll(void *context) noexcept with gil:
    try:
        PyErr_CheckSignals()
        return TG_OK
    except BaseException as error:
        error_of(error)
        return TG_INTERRUPTED


cdef class _OpRule(RuleInC):
    """A use of an op of the C interface, in the form in which tapes call rules."""

    cdef tg_application *application

    opaque = True

    def __dealloc__(self):
        if self.application != NULL:
            tg_application_release(self.application)

    @property
    def name(self):
        return tapegrad_op_name(self.application.op).decode()

    def vjp(self, saved, cotangents, wanted):
        return self.apply(cotangents, bytes(wanted))

    @property
    def jvp(self):
        return self.push if tg_application_has_jvp(self.application) else None

    def push(self, saved, tangents):
        return self.apply(tangents, None)

    cdef list apply(self, object given, bytes wanted):
        """The vjp of cotangents, or (wanted: None) the jvp of tangents."""
        cdef int i, count = self.application.operands_count + self.application.results_count
        cdef int found_count = count - <int>len(given)
        cdef const unsigned char *asked = NULL
        cdef tapegrad_status status
        cdef tapegrad_value **values = <tapegrad_value **>calloc(count, sizeof(tapegrad_value *))
        cdef tapegrad_value **found = values + len(given)
        if values == NULL:
            raise MemoryError()
        try:
            for i, value in enumerate(given):
                if value is not None:
                    values[i] = value_from(value)
            if wanted is not None:
                asked = wanted
                status = tg_application_vjp(self.application, values, asked, found)
            else:
                status = tg_application_jvp(self.application, values, found)
            if status != TAPEGRAD_OK:
                raise_error()
            return [None if found[i] == NULL else tensor_of(found[i]) for i in range(found_count)]
        finally:
            for i in range(count):
                tapegrad_release(values[i])
            free(values)


cdef tapegrad_context *c_context = NULL
cdef tg_lock c_context_lock
cdef tg_host c_host
cdef tapegrad_table c_table


cdef tapegrad_context *context_for_c() noexcept with gil:
    """The context of extension modules, made for the first of them."""
    tg_lock_take(&c_context_lock)
    if c_context == NULL:
        tg_context_create(pool, &loops, &registry, &c_host, &c_context)
    tg_lock_give(&c_context_lock)
    return c_context


cdef tapegrad_status keep_context(tapegrad_context *context) noexcept nogil:
    return TAPEGRAD_OK


cdef object to_python(tapegrad_value *value):
    if value == NULL:
        return raise_error()
    return tensor_of(value)


cdef tapegrad_value *from_python(object argument, int dtype) except NULL:
    return value_from(tensor(argument, None if dtype < 0 else DTYPES[dtype]))


cdef object c_interface():
    """The capsule with the function table."""
    c_host.elementwise = host_elementwise
    c_host.structural = host_structural
    c_host.record = host_record
    c_host.poll = host_poll
    memcpy(&c_table, &tg_api_table, sizeof(tapegrad_table))
    c_table.context_new = context_for_c
    c_table.context_free = keep_context
    c_table.to_python = to_python
    c_table.from_python = from_python
    c_table.raise_ = raise_error
    return PyCapsule_New(&c_table, "tapegrad._native._C_API", NULL)


_C_API = c_interface()
