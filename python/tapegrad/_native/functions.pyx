"""The elementwise functions as builtins, the table of them, and ufuncs of other libraries."""
from cpython.object cimport PyObject
from libc.stdlib cimport calloc
from tapecore.core cimport TG_BAD_SHAPE, TG_F64, tg_dtype_is_native, tg_status
from tapecore.elementwise cimport tg_elementwise_loop
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.ops cimport TG_ELEMENTWISE_OPS, TG_MAX_OPERANDS, tg_loop, tg_op_table
from tapecore.pool cimport tg_pool_share, tg_pool_unshare
from tapecore.value cimport tg_value
from tapegrad._native._core cimport check, dtype_index, find_loop, large, pool
from tapegrad._native.capi cimport METH_FASTCALL, METH_KEYWORDS, PyCFunction_NewEx, PyMethodDef, builtin, raise_pending
from tapegrad._native.operands cimport elementwise_general
from tapegrad._native.operators cimport binary, unary
from tapegrad._native.values cimport Tensor, Value, copy_value, is_value, new_tensor, unchanging

from importlib import import_module

from tapegrad._examples import example, parameters as described_parameters
from tapegrad._native._core import OPS

elementwise = {}
"""The elementwise functions by name."""


cdef tuple OPERAND_NAMES = ("x", "y", "z")


cdef object call_elementwise(object self, PyObject **args, Py_ssize_t count, PyObject *names):
    """What `sin(x)` and its like run: `self` is the operation's number."""
    cdef int op = self
    if names == NULL:
        if count == 1 and tg_op_table[op].operands == 1:
            return unary(op, <object>args[0])
        if count == 2 and tg_op_table[op].operands == 2:
            if is_value(<object>args[0]) or is_value(<object>args[1]):
                result = binary(op, <object>args[0], <object>args[1])
                if result is not NotImplemented:
                    return result
    return call_with_names(op, args, count, names)


cdef object call_with_names(int op, PyObject **args, Py_ssize_t count, PyObject *names):
    """Keywords x, y, z, and a last `name` that is ignored as in TensorFlow's signatures."""
    cdef Py_ssize_t i
    cdef int operands = tg_op_table[op].operands
    given = {}
    if count > operands + 1:
        raise TypeError(f"{OPS[op]}() takes {operands} operands and a name, got {count} positional arguments")
    for i in range(count):
        given[OPERAND_NAMES[i] if i < operands else "name"] = <object>args[i]
    if names != NULL:
        for i, key in enumerate(<tuple>names):
            if key in given:
                raise TypeError(f"{OPS[op]}() got multiple values for argument {key!r}")
            given[key] = <object>args[count + i]
    given.pop("name", None)
    missing = [key for key in OPERAND_NAMES[:operands] if key not in given]
    if missing or len(given) != operands:
        wrong = missing or [key for key in given if key not in OPERAND_NAMES[:operands]]
        raise TypeError(f"{OPS[op]}() takes the arguments {', '.join(OPERAND_NAMES[:operands])} and name; "
                        f"{'missing' if missing else 'unknown'}: {', '.join(wrong)}")
    return elementwise_general(op, tuple([given[key] for key in OPERAND_NAMES[:operands]]))


class _Number(int):
    """An operation's number, to which its function is bound; pickle finds the function by its name in tapegrad."""

    def __reduce__(self):
        return import_module, ("tapegrad",)


cdef list KEPT_ALIVE = []  # the texts that the method definitions below point to


cdef int make_builtins() except -1:
    cdef PyMethodDef *definitions = <PyMethodDef *>calloc(TG_ELEMENTWISE_OPS, sizeof(PyMethodDef))
    cdef int op, k
    if definitions == NULL:
        raise MemoryError()
    for op in range(TG_ELEMENTWISE_OPS):
        info = &tg_op_table[op]
        operands = OPERAND_NAMES[:info.operands]
        rules = "\n".join([f"    d/d{OPERAND_NAMES[k]} = {info.partial[k].decode()}" if info.partial[k] != NULL
                           else f"    not differentiable in {OPERAND_NAMES[k]}" for k in range(info.operands)])
        doc = (f"{OPS[op]}($module, {', '.join(operands)}, name=None)\n--\n\nElementwise: {info.summary.decode()}.\n\n"
               f"Derivatives::\n\n{rules}{described_parameters(operands, '; types are promoted as in NumPy 2')}"
               f"{example('elementwise', 'tapegrad', OPS[op])}").encode()
        KEPT_ALIVE.append(doc)
        definitions[op].ml_name = info.name
        definitions[op].ml_meth = <void *><builtin>call_elementwise
        definitions[op].ml_flags = METH_FASTCALL | METH_KEYWORDS
        definitions[op].ml_doc = <const char *>doc
        elementwise[OPS[op]] = PyCFunction_NewEx(&definitions[op], _Number(op), "tapegrad")
    return 0


make_builtins()


def op_table():
    """The table of elementwise operations: (name, operands, forward, partials, domains, complex_rule, summary) each."""
    cdef int op, k
    rows = []
    for op in range(TG_ELEMENTWISE_OPS):
        info = &tg_op_table[op]
        rows.append((OPS[op], info.operands, None if info.forward == NULL else info.forward.decode(),
                     tuple([None if info.partial[k] == NULL else info.partial[k].decode()
                            for k in range(info.operands)]),
                     tuple([info.domain[k].decode() for k in range(info.operands)]),
                     info.complex_rule.decode(), info.summary.decode()))
    return tuple(rows)

# --- ufuncs of other libraries ----------------------------------------------------------------------------------------


cdef class Loop:
    """The inner loop of a ufunc for operands of one native type, run by the core: the value alone, recorded nowhere."""

    cdef tg_loop loop
    cdef int dtype
    cdef int operands
    cdef str name

    def __init__(self, ufunc, dtype):
        self.dtype = dtype_index(dtype)
        self.operands = ufunc.nin
        self.name = ufunc.__name__
        if tg_dtype_is_native(self.dtype) and ufunc.nin <= TG_MAX_OPERANDS and ufunc.nout == 1:
            letter = b"d" if self.dtype == TG_F64 else b"f"
            self.loop = find_loop(ufunc, letter * (self.operands + 1))
        if self.loop.function == NULL:
            raise TypeError(f"{self.name} has no native loop for {dtype}")

    def __call__(self, *operands):
        cdef tg_value values[TG_MAX_OPERANDS]
        cdef tg_value out
        cdef tg_status status
        cdef int i
        if len(operands) != self.operands:
            raise TypeError(f"{self.name} takes {self.operands} operands, got {len(operands)}")
        if TG_WITHOUT_INTERPRETER_LOCK:
            operands = tuple([unchanging(x) for x in operands])
        for i in range(self.operands):
            if not isinstance(operands[i], Tensor) or (<Tensor>operands[i]).value.dtype != self.dtype:
                raise TypeError(f"{self.name}: operand {i} is no tensor of the loop's type")
            values[i] = (<Tensor>operands[i]).value
        if large(values, self.operands):
            # Another thread may write to these tensors meanwhile, that is, let them stand for other arrays.
            _held = [copy_value(<Value>x) for x in operands]
            tg_pool_share(pool)
            with nogil:
                status = tg_elementwise_loop(self.loop, self.operands, pool, self.dtype, values, &out)
            tg_pool_unshare(pool)
        else:
            status = tg_elementwise_loop(self.loop, self.operands, pool, self.dtype, values, &out)
        if status == TG_BAD_SHAPE:
            shapes = ", ".join([str(x.shape) for x in operands])
            raise ValueError(f"{self.name}: operands of shapes {shapes} cannot be broadcast together")
        check(status)
        result = new_tensor(&out)
        raise_pending()  # a loop of Numba's or SciPy's takes the lock to set an exception
        return result
