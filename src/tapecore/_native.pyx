# cython: language_level=3, initializedcheck=False, cdivision=True
# cython: c_api_binop_methods=True, embedsignature=False
# What guards values and tapes where there is no interpreter lock: guard.h, and docs/parallel.md.
# cython: freethreading_compatible=True
"""The binding: what Python sees of the core.

Values (`Tensor`, and the base of `Variable`), the dispatch of an operation from Python objects to the core, the owner
of a tape, and the two ways to sweep it: natively, or recorded by an outer tape. No arithmetic and no rule lives here.
"""
cimport cython
cimport numpy as cnp
from cpython.contextvars cimport PyContextVar_Reset, PyContextVar_Set
from cpython.pycapsule cimport PyCapsule_New
from cpython.object cimport Py_EQ, Py_GE, Py_GT, Py_LE, Py_LT, Py_NE, PyObject, PyTypeObject, destructor
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset, strlen

from contextvars import Context
from functools import update_wrapper
from importlib import import_module

import numpy as np

from tapegrad._examples import example, parameters as described_parameters
from tapegrad.dtypes import DTYPES, as_dtype

cnp.import_array()

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1
    object PyCFunction_NewEx(PyMethodDef *definition, object self, object module)
    ctypedef struct PyMethodDef:
        const char *ml_name
        void *ml_meth
        int ml_flags
        const char *ml_doc
    enum: METH_FASTCALL, METH_KEYWORDS
    object PyObject_Vectorcall(object function, PyObject **args, size_t count, PyObject *names)
    Py_ssize_t PyVectorcall_NARGS(size_t flags_and_count)
    object PyVectorcall_Call(object function, object operands, object named)
    bint PyFloat_CheckExact(object o)
    bint PyLong_CheckExact(object o)
    bint PyBool_Check(object o)
    bint PyComplex_CheckExact(object o)
    double PyFloat_AS_DOUBLE(object o)
    double PyLong_AsDouble(object o) except? -1.0
    Py_ssize_t PyLong_AsSsize_t(object o) except? -1
    bint PySlice_Check(object o)
    int PySlice_Unpack(object key, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step) except -1
    Py_ssize_t PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t step)
    ctypedef struct PyInterpreterState:
        pass
    ctypedef struct PyThreadState:
        pass
    PyInterpreterState *PyInterpreterState_Get()
    PyThreadState *PyInterpreterState_ThreadHead(PyInterpreterState *interpreter)
    PyThreadState *PyThreadState_Next(PyThreadState *thread)

cdef extern from *:
    """
    /* A freed tensor's memory as a new one, all fields zero. A macro, since the struct is declared further down. */
    #define tg_revive(memory, type) \
        ((struct __pyx_obj_8tapegrad_7_native_Tensor *)PyObject_Init( \
            (PyObject *)memset(memory, 0, sizeof(struct __pyx_obj_8tapegrad_7_native_Tensor)), type))
    /* The buffer becomes the exporter's, not that of the object which was asked for it. */
    static inline int tg_export_buffer(PyObject *exporter, Py_buffer *buffer, int flags) {
        Py_CLEAR(buffer->obj);
        return PyObject_GetBuffer(exporter, buffer, flags);
    }
    /* Calls of the type's objects go to the function that each of them has behind its header. */
    static void tg_make_vectorcallable(PyTypeObject *type, Py_ssize_t offset) {
        type->tp_vectorcall_offset = offset;
        type->tp_call = PyVectorcall_Call;
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        PyType_Modified(type);
    }
    #define tg_make_vectorcallable_type(type) tg_make_vectorcallable( \
        type, offsetof(struct __pyx_obj_8tapegrad_7_native_DeclaredOperation, call))
    #define tg_tuple_items(tuple) (&PyTuple_GET_ITEM(tuple, 0))
    static inline int tg_pending_error(void) { return PyErr_Occurred() ? -1 : 0; }

    #ifdef __clang__
    #define TG_COMPILER __VERSION__  /* begins with Clang's name */
    #else
    #define TG_COMPILER "GCC " __VERSION__
    #endif
    #ifdef NDEBUG
    #define TG_ASSERTIONS 0
    #else
    #define TG_ASSERTIONS 1
    #endif
    """
    const char *TG_COMPILER
    bint TG_ASSERTIONS
    int raise_pending "tg_pending_error"() except -1
    int export_buffer "tg_export_buffer"(object exporter, Py_buffer *buffer, int flags) except -1
    Tensor revive "tg_revive"(PyObject *memory, PyTypeObject *type)
    PyTypeObject *type_of "Py_TYPE"(PyObject *o) noexcept
    void make_vectorcallable "tg_make_vectorcallable_type"(PyTypeObject *type) noexcept
    PyObject **tuple_items "tg_tuple_items"(tuple t) noexcept

cdef extern from "numpy/arrayobject.h":
    object PyArray_New(type subtype, int nd, const Py_ssize_t *dims, int type_num, const Py_ssize_t *strides,
                       void *data, int itemsize, int flags, object obj)
    int PyArray_SetBaseObject(cnp.ndarray arr, object base) except -1
    object PyArray_Scalar(void *data, cnp.dtype descr, object base)
    enum: NPY_ARRAY_ALIGNED
    bint PyArray_ISBEHAVED_RO(cnp.ndarray arr)

cdef extern from "numpy/ufuncobject.h":
    ctypedef struct PyUFuncObject:
        int nin, nout, nargs, ntypes
        tg_loop_function *functions
        void **data
        const char *types

ctypedef object (*builtin)(object self, PyObject **args, Py_ssize_t count, PyObject *names)
ctypedef object (*vectorcall)(object self, PyObject **args, size_t flags_and_count, PyObject *names)


cdef int warn(str message, object detail=None) except -1:
    """To the logger "tapegrad", as TensorFlow logs; imported when needed, since it takes long."""
    import logging

    logging.getLogger("tapegrad").warning(message, *(() if detail is None else (detail,)))
    return 0

# --- what is made once ------------------------------------------------------------------------------------------------

cdef size_t CACHE_LIMIT = 512 << 20      # bytes of freed buffers that wait for reuse
cdef tg_index RELEASE_LOCK_AT = 1 << 14  # elements from which an operation lets other Python threads run
cdef tg_index CHUNK_ELEMENTS = 1 << 15   # of a stacked cotangent that stay in the cache while the sweep passes
cdef tg_pool *pool = NULL
cdef tg_loops loops
cdef signed char promoted[TG_NDTYPES][TG_NDTYPES]
cdef int type_numbers[TG_NDTYPES]
cdef signed char dtype_of_number[64]
cdef object OPS = []                     # the operations' names, by number
cdef object UFUNCS = []                  # their NumPy ufuncs; None where tapegrad has its own forward rule
elementwise = {}


cdef int check(tg_status status) except -1:
    """Turns a status of the core into an exception."""
    if status == TG_OK:
        return 0
    if status == TG_NO_MEMORY:
        raise MemoryError("tapegrad could not allocate memory for a result or for the tape")
    if status == TG_TOO_LARGE:
        raise OverflowError("an array or a tape would become too large: sizes must fit 63 bits, a tape 2**32 words")
    if status == TG_BAD_SHAPE:
        raise ValueError("the shapes of the operands do not fit the operation")
    raise RuntimeError(f"unexpected status {status} of the core")


cdef tg_loop find_loop(object ufunc, bytes signature):
    """The inner loop of a ufunc for one combination of type characters, such as b'dd->d'."""
    cdef PyUFuncObject *raw = <PyUFuncObject *>ufunc
    cdef tg_loop found
    cdef int i, k
    found.function = NULL
    found.data = NULL
    wanted = [np.dtype(chr(c)).num for c in signature.replace(b"->", b"")]
    for i in range(raw.ntypes):
        for k in range(raw.nargs):
            if raw.types[i * raw.nargs + k] != <int>wanted[k]:
                break
        else:
            found.function = raw.functions[i]
            found.data = raw.data[i] if raw.data != NULL else NULL
            return found
    return found


cdef int setup() except -1:
    cdef int op, t, i, j
    cdef const tg_op_info *info
    check(tg_pool_create(tg_system_allocator(), CACHE_LIMIT, &pool))
    if TG_WITHOUT_INTERPRETER_LOCK:
        tg_pool_share(pool)
    if len(DTYPES) != TG_NDTYPES:
        raise ImportError("tapegrad.dtypes and the native core disagree about the element types")
    memset(dtype_of_number, -1, sizeof(dtype_of_number))
    for i in range(TG_NDTYPES):
        type_numbers[i] = np.dtype(DTYPES[i].as_numpy_dtype).num
        dtype_of_number[type_numbers[i]] = <signed char>i
    for name in ("longlong", "ulonglong", "long", "ulong", "intc", "uintc"):  # other names of the same sizes
        dtype_of_number[<int>np.dtype(name).num] = <signed char>DTYPES.index(np.dtype(name))
    for i in range(TG_NDTYPES):
        for j in range(TG_NDTYPES):
            promoted[i][j] = <signed char>DTYPES.index(np.promote_types(DTYPES[i].dtype, DTYPES[j].dtype))
    memset(&loops, 0, sizeof(loops))
    for op in range(TG_ELEMENTWISE_OPS):
        info = &tg_op_table[op]
        name = info.name.decode()
        ufunc = None if info.forward != NULL else getattr(np, name)
        OPS.append(name)
        UFUNCS.append(ufunc)
        for t in range(TG_NATIVE_TYPES):
            if ufunc is None:
                loops.elementwise[op][t].function = info.own[t]
                loops.elementwise[op][t].data = &loops
            else:
                letter = b"d" if t == tg_native_index(TG_F64) else b"f"
                loops.elementwise[op][t] = find_loop(ufunc, letter * info.operands + b"->" + letter)
                if loops.elementwise[op][t].function == NULL:
                    raise ImportError(f"NumPy {np.__version__} has no {letter.decode()} loop for {name}")
    loops.matmul[tg_native_index(TG_F32)] = find_loop(np.matmul, b"ff->f")
    loops.matmul[tg_native_index(TG_F64)] = find_loop(np.matmul, b"dd->d")
    return 0


setup()


UFUNC_OPERATIONS = {}
"""For NumPy's ufuncs the recorded operation that takes their positional operands."""

IMPLEMENTATIONS = {}
"""For NumPy's other functions the recorded function of the same signature; `tapegrad._protocols` fills both."""

cdef dict late_modules = {}


cdef object late(str name):
    """A module of tapegrad that imports this one, or is not needed by every program: imported when first asked for."""
    module = late_modules.get(name)
    if module is None:
        module = late_modules[name] = import_module(f"tapegrad.{name}")
    return module

# --- NumPy's warnings, turned off -------------------------------------------------------------------------------------

cdef object NUMPY_ERRORS  # the context variable in which NumPy keeps what to warn of; None if there is no such thing
cdef object IGNORED       # its value where every error is ignored


cdef tuple find_numpy_errors():
    """Asks np.seterr, which sets nothing but this variable in an empty context."""
    context = Context()
    context.run(np.seterr, all="ignore")
    found = list(context.items())
    return found[0] if len(found) == 1 else (None, None)


NUMPY_ERRORS, IGNORED = find_numpy_errors()


cdef object hush():
    """From here on NumPy warns of nothing; `unhush` takes what this returns."""
    if NUMPY_ERRORS is not None:
        return PyContextVar_Set(NUMPY_ERRORS, IGNORED)
    state = np.errstate(all="ignore")
    state.__enter__()
    return state


cdef int unhush(object before) except -1:
    if NUMPY_ERRORS is not None:
        PyContextVar_Reset(NUMPY_ERRORS, before)
    else:
        before.__exit__(None, None, None)
    return 0


def silent(forward):
    """Decorate a forward that can overflow: it does not warn, as the elementwise operations do not.

    Parameters
    ----------
    forward : callable
        A function of arrays.

    Returns
    -------
    callable
        The same function, in which NumPy says nothing of overflow, division by zero and invalid values.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.extend import silent, structural
    >>> sinh = structural("sinh", silent(lambda x: np.sinh(x)), x=lambda g, x: g * np.cosh(x))
    >>> float(sinh(1000.0))
    inf
    """

    def quiet(*operands, **parameters):
        before = hush()
        try:
            return forward(*operands, **parameters)
        finally:
            unhush(before)

    quiet.silenced = forward
    return update_wrapper(quiet, forward)

# --- values that change -----------------------------------------------------------------------------------------------

# Variables are assigned to, and tensors written to. Under the interpreter lock nobody does while an operation reads its
# operands. Without it an operation works on what cannot change: on tensors as they are, until they are written to; on a
# tensor of its own for a variable (`settled_now`), which knows its variable and watches that; and a tensor that is
# written to keeps its first value, which somebody may be reading, and refers to a tensor with the present one.


cdef inline bint changes(object x) noexcept:
    """Whether x is a value that another thread may replace meanwhile: never under the interpreter lock."""
    return TG_WITHOUT_INTERPRETER_LOCK and isinstance(x, Value) and tg_guard_changes(&(<Value>x).guard)


cdef inline object unchanging(object x):
    """x; if it is a value that changes, a tensor of its value now, known to the same tapes."""
    return settled_now(<Value>x) if changes(x) else x


cdef Tensor settled_now(Value x):
    """A value that changes as a tensor that does not."""
    cdef Tensor result
    cdef tg_status status
    if isinstance(x, Tensor):
        tg_guard_take(&x.guard)
        result = <Tensor>tg_guard_object(&x.guard)
        tg_guard_give(&x.guard)
        return result
    result = allocate_tensor()
    tg_guard_take(&x.guard)
    result.value = x.value
    if result.value.array != NULL:
        tg_array_retain(result.value.array)
    status = tg_handles_copy(&x.handles, pool, &result.handles)
    tg_guard_give(&x.guard)
    check(status)
    result.watchable = x.watchable
    Py_INCREF(x)
    tg_guard_set_object(&result.guard, <void *>x)
    return result


cdef object original(object x):
    """The variable whose value an operation has worked on (`settled_now`); any other operand itself."""
    if isinstance(x, Tensor) and not changes(x) and tg_guard_object(&(<Value>x).guard) != NULL:
        return <object>tg_guard_object(&(<Value>x).guard)
    return x


cdef int become(Tensor x, Tensor new) except -1:
    """Makes x stand for the value `new`, which is nobody else's."""
    cdef void *before
    Py_INCREF(new)
    tg_guard_take(&x.guard)
    before = tg_guard_object(&x.guard)
    tg_guard_set_object(&x.guard, <void *>new)
    tg_guard_set_changes(&x.guard)
    tg_guard_give(&x.guard)
    if before != NULL:
        Py_DECREF(<object>before)
    return 0


cdef int let_go(Value x) noexcept:
    """When x is freed: what it refers to."""
    cdef void *other = tg_guard_object(&x.guard)
    if other != NULL:
        tg_guard_set_object(&x.guard, NULL)
        Py_DECREF(<object>other)
    return 0

# --- values -----------------------------------------------------------------------------------------------------------


@cython.freelist(1024)
cdef class Value:
    """What tensors and variables have in common: an immutable array, and the tapes that know it."""

    def __dealloc__(self):
        if self.value.array != NULL:
            tg_array_release(self.value.array)
        if self.handles.more != NULL:
            tg_handles_clear(&self.handles, pool)
        let_go(self)

    @property
    def shape(self):
        """The sizes of the dimensions, a tuple of ints."""
        return shape_of(self)

    @property
    def dtype(self):
        """The element type, a `tapegrad.DType`."""
        return DTYPES[self.value.dtype]

    @property
    def ndim(self):
        """The number of dimensions."""
        if changes(self):
            return settled_now(self).ndim
        return tg_value_ndim(&self.value)

    @property
    def size(self):
        """The number of elements."""
        if changes(self):
            return settled_now(self).size
        return tg_value_size(&self.value)

    def get_shape(self):
        """The same as `shape`, under TensorFlow's name."""
        return self.shape

    def numpy(self):
        """The value as a writable copy: an array, or a NumPy scalar for a value without dimensions."""
        if is_observed(tg_thread_current()):
            observe_end(".numpy()", [self])
        return to_numpy(self)

    def __array__(self, dtype=None, copy=None):
        stay_on_tape(self)
        if copy:
            return np.array(view_of(self), dtype=dtype)
        view = view_of(self)
        if dtype is None or view.dtype == dtype:
            return view
        if copy is False:
            raise ValueError(f"a {self.dtype.name} value has no view as {np.dtype(dtype)}: allow a copy")
        return view.astype(dtype)

    def __float__(self):
        refuse_storing(self)
        return float(one_element(self, "float()"))

    def __int__(self):
        refuse_storing(self)
        return int(one_element(self, "int()"))

    def __complex__(self):
        refuse_storing(self)
        return complex(one_element(self, "complex()"))

    def __index__(self):
        if not self.dtype.is_integer or self.value.array != NULL:
            raise TypeError(f"only integer values without dimensions can be used as an index, got dtype "
                            f"{self.dtype.name} and shape {self.shape}")
        return int(to_numpy(self))

    def __bool__(self):
        if changes(self):
            return bool(settled_now(self))
        if self.value.array == NULL:
            if self.value.dtype == TG_BOOL:
                return self.value.scalar.bytes[0] != 0
            return bool(to_numpy(self))
        return bool(one_element(self, "bool()"))

    def __len__(self):
        if changes(self):
            return len(settled_now(self))
        if self.value.array == NULL:
            raise TypeError("a value without dimensions has no len()")
        return tg_array_shape(self.value.array)[0]

    def __iter__(self):
        if self.value.array == NULL:
            raise TypeError("a value without dimensions cannot be iterated over")
        return _items(self)

    def __getitem__(self, key):
        return index(self, key)

    def __format__(self, spec):
        if self.value.array == NULL:
            return format(to_numpy(self).item() if spec else to_numpy(self), spec)
        return format(view_of(self), spec)

    def __add__(left, right):
        return binary(TG_OP_ADD, left, right)

    def __sub__(left, right):
        return binary(TG_OP_SUBTRACT, left, right)

    def __mul__(left, right):
        return binary(TG_OP_MULTIPLY, left, right)

    def __truediv__(left, right):
        return binary(TG_OP_DIVIDE, left, right)

    def __floordiv__(left, right):
        return binary(TG_OP_FLOOR_DIVIDE, left, right)

    def __mod__(left, right):
        return binary(TG_OP_REMAINDER, left, right)

    def __pow__(left, right, modulus):
        if modulus is not None:
            return NotImplemented
        return power(left, right)

    def __matmul__(left, right):
        return operator_call(matmul, left, right)

    def __and__(left, right):
        return plain_operator(np.bitwise_and, left, right)

    def __or__(left, right):
        return plain_operator(np.bitwise_or, left, right)

    def __xor__(left, right):
        return plain_operator(np.bitwise_xor, left, right)

    def __lshift__(left, right):
        return plain_operator(np.left_shift, left, right)

    def __rshift__(left, right):
        return plain_operator(np.right_shift, left, right)

    def __neg__(self):
        return unary(TG_OP_NEGATIVE, self)

    def __pos__(self):
        return unary(TG_OP_POSITIVE, self)

    def __abs__(self):
        return unary(TG_OP_ABSOLUTE, self)

    def __invert__(self):
        return apply_ufunc(np.invert, self)

    def __richcmp__(self, other, int relation):
        return compare(self, other, relation)

    def __hash__(self):
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def ref(self):
        """A hashable reference to this very object; `.deref()` gives it back."""
        return late("_reference").Reference(self)

    def __array_ufunc__(self, ufunc, method, *operands, **keywords):
        if not keywords and method == "__call__":
            function = UFUNC_OPERATIONS.get(ufunc)
            if function is not None and not holds_list(operands):
                return function(*operands)
        return late("_protocols").array_ufunc(ufunc, method, operands, keywords)

    def __array_function__(self, function, types, args, keywords):
        implementation = IMPLEMENTATIONS.get(function)
        if implementation is None:
            implementation = late("_protocols").implementation_of(function)
        return implementation(*args, **keywords)

    def __array_namespace__(self, *, api_version=None):
        return late("_protocols").array_namespace(api_version)

    def __dlpack__(self, **keywords):
        stay_on_tape(self)
        return late("_protocols").to_dlpack(view_of(self), **keywords)

    def __dlpack_device__(self):
        return 1, 0  # memory of the CPU

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        stay_on_tape(self)
        export_buffer(view_of(self), buffer, flags)

    @property
    def device(self):
        """Where the elements are: always "cpu"."""
        return "cpu"

    def to_device(self, device, /, *, stream=None):
        """The value itself, for the only device there is, "cpu"."""
        if device != "cpu" or stream is not None:
            raise ValueError("tapegrad's values live on the device 'cpu' and have no streams: got "
                             f"{device!r}, {stream!r}")
        return self

    def __getattr__(self, name):
        if name.startswith("__"):  # what Python and NumPy ask every object for
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return late("numpy.methods").attribute(self, name)

    # Before arrays and NumPy's scalars, where Python asks which operand's method decides.
    __array_priority__ = 100.0


cdef bint holds_list(tuple operands):
    """Whether there is a list, which is weak for an operator of ours and an array for NumPy."""
    for operand in operands:
        if isinstance(operand, (list, tuple)):
            return True
    return False


cdef int refuse_storing(Value value) except -1:
    """Raises where NumPy asks for a number to store in an array: that is no explicit way off a tape."""
    if is_followed(value):
        late("_protocols").refuse_storing()
    return 0


cdef bint is_followed(Value value) noexcept:
    """`is_watched`, but a variable is not watched by being asked about."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    for i in range(thread.base, thread.count):
        if (value.watchable and thread.tapes[i].watches
                or find_slot(value, thread.tapes[i].id) != TG_NO_SLOT):
            return True
    return False


cdef int stay_on_tape(Value value) except -1:
    """Raises where an array made of the value would silently leave a tape."""
    if is_followed(value):
        raise TypeError("a tape records this value, and as an array it would leave the tape: call the function of that "
                        "name in tapegrad.numpy, stack values with tapegrad.stack or tapegrad.numpy.array, or take a "
                        "constant copy with .numpy()")
    return 0


def _items(Value value):
    cdef Py_ssize_t i
    for i in range(len(value)):
        yield index(value, i)


cdef object one_element(Value value, str use):
    if changes(value):
        return one_element(settled_now(value), use)
    if tg_value_size(&value.value) != 1:
        if use == "bool()":
            raise ValueError(f"the truth value of a tensor with shape {value.shape} is ambiguous: use "
                             "reduce_any or reduce_all")
        raise TypeError(f"only values with one element can be converted by {use}, got shape {value.shape}")
    if is_observed(tg_thread_current()):
        observe_end(use, [value])
    result = to_numpy(value)
    if value.dtype.is_complex and use != "complex()" and use != "bool()":
        raise TypeError(f"a complex value cannot be converted by {use}: take its real part or its modulus first")
    return result.item() if value.value.array != NULL else result

# --- tensors ----------------------------------------------------------------------------------------------------------


cdef class Tensor(Value):
    """An immutable array that tapes can follow.

    Tensors are made by `tapegrad.constant`, `tapegrad.convert_to_tensor` and by every operation. They have Python's
    operators, with tensors, arrays, lists and numbers on either side, NumPy's indexing, and the attributes and methods
    of NumPy's arrays; NumPy's functions take them. `x[key] = value` is recorded, too: the object then stands for
    another value, and what was computed from the old one keeps that. `numpy()` gives a copy as an array.

    Raises
    ------
    TypeError
        If the class itself is called, or NumPy is to make an array of a tensor that a tape follows.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> x.shape, x.dtype.name, x[0].sum().numpy()
    ((2, 2), 'float32', np.float32(3.0))
    >>> (2.0 * x.T @ [1.0, 1.0]).numpy()
    array([ 8., 12.], dtype=float32)
    """

    def __init__(self, *arguments, **keywords):
        raise TypeError("Tensor is not to be called: make tensors with tapegrad.constant or convert_to_tensor")

    def __repr__(self):
        return late("_format").tensor_repr(self)

    def __str__(self):
        return late("_format").tensor_str(self)

    def __reduce__(self):
        return _rebuild_tensor, (to_numpy(self),)

    def __setitem__(self, key, value):
        late("_ops.writing").setitem(self, key, value)

    @property
    def at(self):
        """`x.at[key].set(v)`, `.add(v)`, `.multiply(v)`: a tensor like x but for the elements at `key`."""
        return late("_ops.writing").At(self)

    def __copy__(self):
        return copy_with_handles(self)

    def __deepcopy__(self, memo):
        return copy_value(self)


def _rebuild_tensor(array):
    return tensor(np.asarray(array))


cdef Tensor copy_with_handles(Value value):
    """Another object for the same value, known to the same tapes."""
    cdef Tensor result
    cdef tg_status status
    if changes(value):
        return copy_with_handles(settled_now(value))
    result = copy_value(value)
    tg_guard_take(&value.guard)
    status = tg_handles_copy(&value.handles, pool, &result.handles)
    tg_guard_give(&value.guard)
    check(status)
    return result


def version(Tensor x not None):
    """The value that x has now, as an object of its own on the same tapes: writing to x does not change it."""
    return versioned(x)


cdef Tensor versioned(Tensor x):
    cdef Tensor result = copy_with_handles(x)
    if is_observed(tg_thread_current()):
        observe_end("copy", [x], (result,))
    return result


def rebind(Tensor x not None, Tensor new not None):
    """Makes x the value `new`, on the tapes that know `new`; whoever saved x's old value keeps that."""
    cdef tg_value value = new.value
    cdef tg_handles handles
    if TG_WITHOUT_INTERPRETER_LOCK:
        present = copy_with_handles(new)
        become(x, present)
        if is_observed(tg_thread_current()):
            observe_end("assignment to elements", [new], (x, present))
        return
    check(tg_handles_copy(&new.handles, pool, &handles))
    if value.array != NULL:
        tg_array_retain(value.array)
    tg_handles_clear(&x.handles, pool)
    x.handles = handles
    if x.value.array != NULL:
        tg_array_release(x.value.array)
    x.value = value
    if is_observed(tg_thread_current()):
        observe_end("assignment to elements", [new], (x,))


def is_source(Value x not None):
    """Whether any tape in use, recording or not, watches x itself, rather than having computed it."""
    cdef tg_handle handle
    cdef uint32_t i = 0
    if TG_WITHOUT_INTERPRETER_LOCK:
        x = copy_with_handles(x)
    while tg_handles_get(&x.handles, i, &handle):
        if tg_reading_is_leaf(&registry, handle.id, handle.slot):
            return True
        i += 1
    return False

# --- variables --------------------------------------------------------------------------------------------------------


cdef class VariableBase(Value):
    """The native part of `tapegrad.Variable`: a value that can be replaced, and that tapes watch when it is read."""

    def __init__(self, Tensor value not None, bint trainable):
        self.birth = tg_guard_count(&births)
        self._assign(value)
        tg_guard_set_changes(&self.guard)
        self.trainable = trainable

    @property
    def trainable(self):
        """Whether tapes watch the variable on their own when it is read."""
        return self.watchable

    @trainable.setter
    def trainable(self, bint trainable):
        self.watchable = trainable

    @property
    def _birth(self):
        return self.birth

    def _assign(self, Tensor value not None):
        """Replaces the value. Buffers that a tape has saved stay as they are."""
        if is_observed(tg_thread_current()):
            observe_end("assign", [value], (self,))
        if changes(value):
            value = settled_now(value)
        put(self, &value.value, NULL)

    def _accepts(self, value):
        """Whether value is a tensor of this variable's type and shape, so that it can be assigned as it is."""
        cdef tg_value *own = &self.value
        cdef tg_value *other
        cdef bint same
        if not isinstance(value, Tensor) or (<Tensor>value).value.dtype != own.dtype:
            return False
        value = unchanging(value)
        other = &(<Tensor>value).value
        tg_guard_take(&self.guard)
        same = tg_same_shape(tg_value_ndim(own), tg_value_shape(own), tg_value_ndim(other), tg_value_shape(other))
        tg_guard_give(&self.guard)
        return same

    def _update(self, Tensor delta not None, bint subtract):
        """Adds or subtracts a tensor that `_accepts` has passed.

        The buffer is written to if nobody else sees it (no tape has saved it, no tensor or array shares it), which
        saves a training step the memory of a second parameter; else the sum becomes a new one.
        """
        cdef int op = TG_OP_SUBTRACT if subtract else TG_OP_ADD
        cdef Tensor before
        cdef bint done
        if is_observed(tg_thread_current()):
            observe_end("assign_sub" if subtract else "assign_add", [self, delta], (self,))
        if changes(delta):
            delta = settled_now(delta)
        tg_guard_take(&self.guard)
        done = updated_in_place(self, op, delta.value.array)
        tg_guard_give(&self.guard)
        with pause():
            while not done:  # without an interpreter lock another thread may be changing it, too
                before = copy_value(self)
                done = put(self, &(<Tensor>binary(op, before, delta)).value, &before.value)

    def read_value(self):
        """The value now, as a tensor; the read is recorded like any other use of the variable."""
        return snapshot(self)

    def __hash__(self):
        raise TypeError("Variable is unhashable. Instead, use variable.ref() as the key.")

    def __richcmp__(self, other, int relation):
        return compare(self, other, relation)  # defining __hash__ alone would drop the inherited comparisons

    def __getitem__(self, key):
        cdef Tensor part = index(self, key)
        cdef VariableSlice result = VariableSlice.__new__(VariableSlice)
        if part.value.array != NULL:
            tg_array_retain(part.value.array)
        result.value = part.value
        check(tg_handles_copy(&part.handles, pool, &result.handles))
        result.variable = self
        result.key = key
        return result


cdef class VariableSlice(Tensor):
    """Part of a variable: the tensor that indexing gives, and assignment to that part of the variable."""

    cdef object variable
    cdef object key

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Replaces this part of the variable, and returns the variable. The tensor itself stays as it is."""
        return self.variable._assign_slice(self.key, value)

    def assign_add(self, value, use_locking=False, name=None, read_value=True):
        """Adds to this part of the variable, and returns the variable."""
        return self.variable._assign_slice(self.key, value, np.add)

    def assign_sub(self, value, use_locking=False, name=None, read_value=True):
        """Subtracts from this part of the variable, and returns the variable."""
        return self.variable._assign_slice(self.key, value, np.subtract)


cdef bint updated_in_place(VariableBase variable, int op, tg_array *other) noexcept:
    """Adds an array to the variable's, or subtracts it, where nobody else sees that; returns whether it has."""
    cdef tg_array *own = variable.value.array
    cdef char *args[3]
    cdef tg_index steps[3]
    cdef tg_loop loop
    if (own == NULL or not tg_dtype_is_native(variable.value.dtype) or not tg_array_is_unique(own)
            or not other.contiguous):
        return False
    loop = loops.elementwise[op][tg_native_index(variable.value.dtype)]
    args[0] = args[2] = own.data
    args[1] = other.data
    steps[0] = steps[1] = steps[2] = tg_itemsize(variable.value.dtype)
    loop.function(args, &own.size, steps, loop.data)
    return True


cdef bint put(VariableBase variable, const tg_value *value, const tg_value *expected) noexcept:
    """Gives a variable another value; if `expected` is given, only in its place. Returns whether that was done."""
    cdef tg_array *old = NULL
    cdef bint done
    if value.array != NULL:
        tg_array_retain(value.array)
    tg_guard_take(&variable.guard)
    done = expected == NULL or same_value(&variable.value, expected)
    if done:
        old = variable.value.array
        variable.value = value[0]
    tg_guard_give(&variable.guard)
    tg_array_release(old if done else value.array)
    return done


cdef bint same_value(const tg_value *a, const tg_value *b) noexcept:
    """Whether two values are one array, or numbers of the same bytes."""
    if a.array != NULL or b.array != NULL:
        return a.array == b.array
    return memcmp(&a.scalar, &b.scalar, tg_itemsize(a.dtype)) == 0


cdef uint64_t births = 0

# --- making and freeing tensors ---------------------------------------------------------------------------------------

# A scalar operation takes some twenty nanoseconds, so making and freeing its result must take less. Cython's own
# deallocation saves and restores the current exception and its allocation clears the object twice; these do not.

cdef enum:
    KEPT_TENSORS = 1024

# Freed tensors, guarded by the interpreter lock; without it none are kept.
cdef PyObject *kept[KEPT_TENSORS]
cdef int kept_count = 0
cdef destructor general_dealloc = (<PyTypeObject *>Tensor).tp_dealloc


cdef void dealloc_tensor(PyObject *self) noexcept:
    global kept_count
    if TG_WITHOUT_INTERPRETER_LOCK or type_of(self) != <PyTypeObject *>Tensor or kept_count == KEPT_TENSORS:
        general_dealloc(self)
        return
    if (<Value>self).value.array != NULL:
        tg_array_release((<Value>self).value.array)
    if (<Value>self).handles.more != NULL:
        tg_handles_clear(&(<Value>self).handles, pool)
    if kept_count == KEPT_TENSORS:  # releasing the array has freed other tensors
        (<Value>self).value.array = NULL
        general_dealloc(self)
        return
    kept[kept_count] = self
    kept_count += 1


(<PyTypeObject *>Tensor).tp_dealloc = dealloc_tensor


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


cdef Tensor copy_value(Value value):
    """A tensor of the same value without its handles."""
    cdef tg_value copy
    if changes(value):
        return copy_value(settled_now(value))
    copy = value.value
    if copy.array != NULL:
        tg_array_retain(copy.array)
    return new_tensor(&copy)

# --- NumPy arrays in and out ------------------------------------------------------------------------------------------


cdef tuple sizes(int ndim, const tg_index *shape):
    """A shape as Python's."""
    cdef tuple result = PyTuple_New(ndim)
    cdef int i
    for i in range(ndim):
        set_item(result, i, shape[i])
    return result


cdef inline void set_item(tuple fresh, Py_ssize_t i, object x) noexcept:
    """Stores x in a tuple that nobody has seen yet."""
    Py_INCREF(x)
    PyTuple_SET_ITEM(fresh, i, x)


cdef tuple shape_of(Value value):
    if changes(value):
        value = settled_now(value)
    return sizes(tg_value_ndim(&value.value), tg_value_shape(&value.value))


cdef object to_numpy(Value value):
    cdef tg_array *array
    cdef object result
    if changes(value):
        return to_numpy(settled_now(value))
    array = value.value.array
    if array == NULL:
        return PyArray_Scalar(&value.value.scalar, cnp.PyArray_DescrFromType(type_numbers[value.value.dtype]), None)
    result = PyArray_New(cnp.ndarray, array.ndim, tg_array_shape(array), type_numbers[value.value.dtype], NULL, NULL,
                         0, 0, None)
    tg_array_pack(array, cnp.PyArray_DATA(<cnp.ndarray>result))
    return result


cdef cnp.ndarray view_of(Value value):
    """A read-only array over the value's own memory."""
    cdef tg_array *array
    cdef cnp.ndarray result
    cdef object owner
    if changes(value):
        return view_of(settled_now(value))
    array = value.value.array
    if array == NULL:
        result = PyArray_New(cnp.ndarray, 0, NULL, type_numbers[value.value.dtype], NULL, NULL, 0, 0, None)
        memcpy(cnp.PyArray_DATA(result), &value.value.scalar, tg_itemsize(value.value.dtype))
        result.flags.writeable = False
        return result
    # A variable's array can be replaced, so the view keeps a tensor of its own alive.
    owner = copy_value(value)
    result = PyArray_New(cnp.ndarray, array.ndim, tg_array_shape(array), type_numbers[value.value.dtype],
                         tg_array_strides(array), array.data, 0, NPY_ARRAY_ALIGNED, None)
    PyArray_SetBaseObject(result, owner)
    Py_INCREF(owner)
    return result


cdef void release_object(void *held) noexcept with gil:
    Py_DECREF(<object>held)


cdef inline int dtype_of(int number) noexcept:
    """The dtype with NumPy's type number, or -1 where tapegrad has none."""
    return dtype_of_number[number] if 0 <= number < 64 else -1


cdef int supported_dtype(cnp.dtype dtype) except -1:
    cdef int found = dtype_of(dtype.type_num)
    if found >= 0:
        return found
    raise TypeError(f"tapegrad has no values of dtype {dtype}: convert to one of "
                    f"{', '.join([d.name for d in DTYPES])} first")


cdef Value value_behind(cnp.ndarray array):
    """The value whose memory an array is a view of, or None."""
    cdef object base
    if cnp.PyArray_BASE(array) == NULL:
        return None
    base = (<object>array).base
    while isinstance(base, (cnp.ndarray, memoryview)):
        base = base.obj if isinstance(base, memoryview) else base.base
    return <Value>base if isinstance(base, Value) and (<Value>base).value.array != NULL else None


cdef Tensor from_ndarray(cnp.ndarray array, bint borrow):
    """A tensor of an array's elements; `borrow` shares its memory, which must then never change."""
    cdef int dtype = dtype_of(cnp.PyArray_TYPE(array))
    cdef tg_value value
    cdef tg_array *source = NULL
    cdef tg_array *packed = NULL
    cdef Value behind
    if dtype < 0:
        supported_dtype(array.dtype)  # raises
    if not PyArray_ISBEHAVED_RO(array):  # unaligned, or not in the machine's byte order
        array = array.astype(DTYPES[dtype].as_numpy_dtype)
        borrow = True
    value.array = NULL
    value.dtype = dtype
    if array.ndim == 0:
        memcpy(&value.scalar, cnp.PyArray_DATA(array), tg_itemsize(dtype))
        return new_tensor(&value)
    behind = value_behind(array) if borrow else None
    if behind is not None:
        # Looking into the value itself, not at the array around it: views of views do not become a chain.
        check(tg_array_view(behind.value.array, dtype, array.ndim,
                            <const tg_index *>cnp.PyArray_DIMS(array), <const tg_index *>cnp.PyArray_STRIDES(array),
                            <char *>cnp.PyArray_DATA(array), &value.array))
        return new_tensor(&value)
    check(tg_array_borrow(pool, dtype, array.ndim, <const tg_index *>cnp.PyArray_DIMS(array),
                          <const tg_index *>cnp.PyArray_STRIDES(array), <char *>cnp.PyArray_DATA(array),
                          release_object, <void *>array, &source))
    Py_INCREF(array)
    if borrow:
        value.array = source
        return new_tensor(&value)
    status = tg_array_new(pool, dtype, array.ndim, tg_array_shape(source), &packed)
    if status == TG_OK:
        tg_array_pack(source, packed.data)
    tg_array_release(source)
    check(status)
    value.array = packed
    return new_tensor(&value)


cdef bint is_immutable(cnp.ndarray array):
    """True if nobody can write to the array's memory: it and all it is a view of are read-only, down to a tensor."""
    cdef object base = array
    while isinstance(base, (cnp.ndarray, memoryview)):
        if isinstance(base, memoryview):
            base = base.obj
            continue
        if base.flags.writeable:
            return False
        base = base.base
    return isinstance(base, (Value, bytes))


def own(array):
    """A tensor over a fresh NumPy result, without a copy: nobody may write to the array afterwards."""
    return owned(array)


cdef Tensor owned(object result):
    cdef tg_value number
    if type_of(<PyObject *>result) == <PyTypeObject *>cnp.ndarray:
        return from_ndarray(<cnp.ndarray>result, True)
    if not isinstance(result, cnp.generic):
        return from_ndarray(np.asarray(result), True)
    number.array = NULL
    number.dtype = supported_dtype(cnp.PyArray_DescrFromScalar(result))
    cnp.PyArray_ScalarAsCtype(result, &number.scalar)
    return new_tensor(&number)


def from_numpy(array):
    """A tensor that shares the memory of a NumPy array.

    No copy is made: the caller promises not to write to the array while the tensor, or a tape that saved it, is alive.
    `tapegrad.constant` copies and needs no promise.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape and strides; unaligned or byte-swapped arrays are copied after all.

    Examples
    --------
    >>> import numpy as np, tapegrad as tf
    >>> tf.from_numpy(np.arange(3.0)).dtype.name
    'float64'
    """
    if not isinstance(array, cnp.ndarray):
        raise TypeError(f"from_numpy shares the memory of a numpy.ndarray, got {type(array).__name__}: use "
                        "tapegrad.constant for other values")
    return from_ndarray(array, True)


def array(value):
    """The value as a read-only array without a copy, unrecorded; `numpy.asarray` of anything that is not a Value."""
    if isinstance(value, Value):
        return view_of(<Value>value)
    return np.asarray(value)


cdef int dtype_index(object dtype) except -1:
    cdef int i
    dtype = as_dtype(dtype)
    for i in range(TG_NDTYPES):
        if DTYPES[i] is dtype:
            return i
    raise TypeError(f"tapegrad has no values of dtype {dtype}")


def tensor(value, dtype=None, name=None):
    """A tensor of any value, by TensorFlow's rules.

    Python floats become float32, integers int32 (int64 if they do not fit), complex numbers complex128; lists of them
    likewise; arrays keep their type and are copied unless nobody can write to them. A tensor is returned as it is, a
    variable is read (recorded). A list that holds tensors or variables is stacked (recorded).

    Parameters
    ----------
    value : tensor, variable, array, number, or nested lists of these
    dtype : DType or anything NumPy takes for one, optional
    name : ignored

    Raises
    ------
    TypeError
        if the value cannot become an array of a supported type
    ValueError
        if `value` is a tensor or a variable of another dtype: use `tapegrad.cast`
    """
    cdef tg_value number
    cdef cnp.ndarray array
    cdef int small
    cdef int wanted = -1 if dtype is None else dtype_index(dtype)
    if isinstance(value, Value):
        if wanted >= 0 and (<Value>value).value.dtype != wanted:
            raise ValueError(f"Tensor conversion requested dtype {DTYPES[wanted].name} for Tensor with dtype "
                             f"{value.dtype.name}: {value!r}. Use cast(value, {DTYPES[wanted].name!r}).")
        return value if isinstance(value, Tensor) else snapshot(value)
    if PyFloat_CheckExact(value) and (wanted < 0 or wanted == TG_F32 or wanted == TG_F64):
        number.array = NULL
        number.dtype = TG_F32 if wanted < 0 else wanted
        set_number(&number, PyFloat_AS_DOUBLE(value))
        return new_tensor(&number)
    if isinstance(value, (cnp.ndarray, np.generic)):
        array = np.asarray(value)
        if wanted >= 0 and array.dtype != DTYPES[wanted].as_numpy_dtype:
            return from_ndarray(array.astype(DTYPES[wanted].as_numpy_dtype), True)
        return from_ndarray(array, is_immutable(array))
    if PyLong_CheckExact(value) and wanted < 0 and -2147483648 <= value <= 2147483647:
        small = value
        number.array = NULL
        number.dtype = TG_I32
        memcpy(number.scalar.bytes, &small, sizeof(small))
        return new_tensor(&number)
    if isinstance(value, (list, tuple)) and late("_conversion").holds_value(value):
        return late("_ops.joining").pack(value, None if wanted < 0 else DTYPES[wanted])
    converted = late("_conversion").convert(value, None if wanted < 0 else DTYPES[wanted])
    return <Tensor>converted if isinstance(converted, Tensor) else from_ndarray(converted, True)


cdef inline void set_number(tg_value *number, double x) noexcept:
    """Stores x as the number's type, float32 or float64."""
    if number.dtype == TG_F64:
        number.scalar.f64 = x
    else:
        number.scalar.f32 = <float>x

# --- which tapes know a value -----------------------------------------------------------------------------------------

cdef tg_registry registry      # the ids of tapes that are in use
cdef int generation = 1        # counts the forks between the first process and this one
tg_registry_init(&registry)


cdef void before_fork() noexcept nogil:
    tg_registry_before_fork(&registry)
    tg_pool_before_fork(pool)


cdef void after_fork_in_parent() noexcept nogil:
    tg_pool_after_fork(pool, False)
    tg_registry_after_fork(&registry, False)


cdef void after_fork_in_child() noexcept nogil:
    global generation
    generation += 1
    tg_pool_after_fork(pool, True)
    if TG_WITHOUT_INTERPRETER_LOCK:
        tg_pool_share(pool)
    tg_registry_after_fork(&registry, True)


check(tg_system_at_fork(before_fork, after_fork_in_parent, after_fork_in_child))


cdef inline int await_readers(tg_tape *tape) except -1:
    """A tape that another thread is sweeping must not move. (Without the interpreter lock it can grow meanwhile.)"""
    if not TG_WITHOUT_INTERPRETER_LOCK and tape.readers:
        wait_for_readers(tape)
    return 0


cdef int wait_for_readers(tg_tape *tape) except -1:
    while tape.readers:
        pass_time()
    return 0


cdef inline void count_reader(tg_tape *tape, int change) noexcept:
    """Around a sweep that gives the interpreter lock up. Where there is none, begin_reading has counted it."""
    if not TG_WITHOUT_INTERPRETER_LOCK:
        tape.readers += change


cdef int pass_time() except -1:
    """What to do while another thread has something: Ctrl-C is answered."""
    with nogil:
        tg_system_sleep(100)
    PyErr_CheckSignals()
    return 0


cdef tg_reading begin_reading(tg_tape *tape, bint alone) except TG_READING_NOT:
    """Before a tape's nodes are looked at (`alone`: and changed); matters without an interpreter lock, where
    tg_reading_end follows."""
    cdef tg_reading reading = tg_reading_begin_alone(tape) if alone else tg_reading_begin(tape)
    while reading == TG_READING_NOT:
        pass_time()
        reading = tg_reading_begin_alone(tape) if alone else tg_reading_begin(tape)
    return reading


cdef int add_handle(Value value, tg_tape *tape, uint32_t slot) except -1:
    cdef tg_status status
    tg_guard_take(&value.guard)
    status = tg_handles_add(&value.handles, pool, tape.id, slot, tg_registry_has, &registry)
    tg_guard_give(&value.guard)
    check(status)
    return 0


cdef inline uint32_t find_slot(Value value, uint64_t id) noexcept:
    """The slot under which tape `id` knows the value, or TG_NO_SLOT."""
    if TG_WITHOUT_INTERPRETER_LOCK:
        return find_shared(value, id)
    return tg_handles_find(&value.handles, id)


cdef uint32_t find_shared(Value value, uint64_t id) noexcept:
    if changes(value) and isinstance(value, Tensor):
        value = settled_now(value)
    return tg_handles_find_shared(&value.handles, &value.guard, id)


cdef uint32_t watch_value(tg_tape *tape, Value value) except? 0:
    """The value's slot on the tape; it is watched from now on if it was not already."""
    cdef uint32_t slot = find_slot(value, tape.id)
    cdef Value variable
    cdef tg_status status = TG_OK
    if slot != TG_NO_SLOT:
        return slot
    if TG_WITHOUT_INTERPRETER_LOCK:
        if changes(value) and isinstance(value, Tensor):
            return watch_value(tape, settled_now(value))
        if tg_guard_object(&value.guard) != NULL:  # what a variable was when an operation began
            variable = <Value>tg_guard_object(&value.guard)
            slot = watch_value(tape, variable)
            add_handle(value, tape, slot)
            return slot
    await_readers(tape)
    tg_tape_take(tape)
    tg_guard_take(&value.guard)
    if TG_WITHOUT_INTERPRETER_LOCK:  # another thread may have come first
        slot = tg_handles_find(&value.handles, tape.id)
    if slot == TG_NO_SLOT:
        status = tg_tape_watch(tape, value.value.dtype, tg_value_ndim(&value.value), tg_value_shape(&value.value),
                               &slot)
        if status == TG_OK:
            status = tg_handles_add(&value.handles, pool, tape.id, slot, tg_registry_has, &registry)
    tg_guard_give(&value.guard)
    tg_tape_give(tape)
    check(status)
    if isinstance(value, VariableBase):
        (<GradientTape>tape.owner).remember_variable(value)
    if tape.observed:
        (<GradientTape>tape.owner).observer.watched(slot, value)
    return slot


cdef inline uint32_t slot_on(tg_tape *tape, Value value) except? 0:
    """The slot under which the tape knows the value, or TG_NO_SLOT. Reading a variable may watch it."""
    cdef uint32_t slot = find_slot(value, tape.id)
    if slot == TG_NO_SLOT and value.watchable and tape.watches and tg_dtype_is_inexact(value.value.dtype):
        return watch_value(tape, value)
    return slot


def is_watched(x):
    """Whether a tape that records on this thread knows x, or would by reading it.

    Parameters
    ----------
    x
        Any object.

    Examples
    --------
    >>> import tapegrad as tf
    >>> from tapegrad.extend import is_watched
    >>> x = tf.Variable(1.0)
    >>> with tf.GradientTape():
    ...     inside = is_watched(x)
    >>> inside, is_watched(x)
    (True, False)
    """
    return isinstance(x, Value) and watched_by(tg_thread_current(), <Value>x)


cdef bint watched_by(tg_thread *thread, Value x) except -1:
    """Whether a tape that records on this thread knows x, or would by reading it."""
    cdef int i
    for i in range(thread.base, thread.count):
        if slot_on(thread.tapes[i], x) != TG_NO_SLOT:
            return True
    return False


def snapshot(x):
    """The value of x now as a tensor with x's place on the tapes; other things become constants."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    if not isinstance(x, VariableBase):
        return tensor(x)
    for i in range(thread.base, thread.count):
        slot_on(thread.tapes[i], <Value>x)
    result = copy_with_handles(<Value>x)
    if is_observed(thread):
        observe_end("read_value", [x], (result,))
    return result

# --- elementwise operations -------------------------------------------------------------------------------------------


cdef double LARGE = 9007199254740992.0  # 2**53: integers up to here are exact in float64


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


cdef inline const tg_handles *handles_on(tg_tape *tape, Value value) except NULL:
    """The value's handles; a variable is watched first."""
    if value.watchable and value.handles.id[0] != tape.id:
        slot_on(tape, value)
    return &value.handles


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


cdef int record_array(int op, int count, PyObject **values, const tg_value *operands, Tensor out) except -1:
    """Records an operation on values of one native type, not all of them numbers."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_tape *tape = thread.tapes[thread.base]
    cdef const tg_handles *handles[TG_MAX_OPERANDS]
    cdef int k
    if thread.count - thread.base == 1 and not tape.observed:
        for k in range(count):
            handles[k] = NULL if values[k] == NULL else handles_on(tape, <Value>values[k])
        if tg_record_array(tape, op, count, handles, operands, &out.value, &out.handles) != TG_QUICK_GENERAL:
            return 0
    return record_elementwise(op, count, values, operands, out, 0)


cdef bint known_to_tapes(tg_thread *thread, int count, PyObject **values, const char *const *partial) except -1:
    """Whether any tape knows an operand by which the result can be differentiated; variables are watched. Waits until
    such tapes can record."""
    cdef int i, k
    cdef bint tracked, any_tracked = False
    for i in range(thread.base, thread.count):
        tracked = False
        for k in range(count):
            if values[k] != NULL and (partial == NULL or partial[k] != NULL):
                tracked |= slot_on(thread.tapes[i], <Value>values[k]) != TG_NO_SLOT
        if tracked:
            await_readers(thread.tapes[i])
            any_tracked = True
    return any_tracked


cdef tg_status announce(tg_thread *thread, int count, const tg_handles *const *handles, const char *const *partial,
                        Tensor out) noexcept:
    """Gives a result its handle on every tape that is about to record it; the tapes are held.

    All tapes are told before the first one records: what a tape saves names the places it has on the others, and the
    place is known, since a tape's next output is its next slot.
    """
    cdef int i, k
    cdef tg_tape *tape
    cdef tg_status status
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        for k in range(count):
            if (handles[k] != NULL and (partial == NULL or partial[k] != NULL)
                    and tg_handles_find(handles[k], tape.id) != TG_NO_SLOT):
                status = tg_handles_add(&out.handles, pool, tape.id, tape.slots, tg_registry_has, &registry)
                if status != TG_OK:
                    return status
                break
    return TG_OK


cdef list held_while_waiting(tg_thread *thread, int count, PyObject **values):
    """Tensors of the operands as they are, if a tape cannot record at once: variables may be assigned to meanwhile."""
    cdef int i, k
    for i in range(thread.base, thread.count):
        if not TG_WITHOUT_INTERPRETER_LOCK and thread.tapes[i].readers:
            return [copy_value(<Value>values[k]) for k in range(count) if values[k] != NULL]
    return None


cdef list lasting_handles(int count, PyObject **values, const tg_handles **handles):
    """Finds the operands' handles (NULL for a constant). Without an interpreter lock others may be adding to these:
    they are those of tensors in the list that is returned."""
    cdef int k
    copies = [] if TG_WITHOUT_INTERPRETER_LOCK else None
    for k in range(count):
        handles[k] = NULL
        if values[k] != NULL:
            if TG_WITHOUT_INTERPRETER_LOCK:
                copies.append(copy_with_handles(<Value>values[k]))
                handles[k] = &(<Value>copies[-1]).handles
            else:
                handles[k] = &(<Value>values[k]).handles
    return copies


cdef inline void hold_tapes(tg_thread *thread) noexcept:
    """Around the moment at which tapes record, in which nothing of Python runs: see guard.h."""
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        for i in range(thread.base, thread.count):
            tg_tape_take(thread.tapes[i])


cdef inline void let_tapes_go(tg_thread *thread) noexcept:
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        for i in range(thread.base, thread.count):
            tg_tape_give(thread.tapes[i])


cdef int record_elementwise(int op, int count, PyObject **values, const tg_value *operands, Tensor out,
                            int flags) except -1:
    """Records an elementwise operation on every tape that knows an operand."""
    cdef tg_thread *thread = tg_thread_current()
    cdef const tg_op_info *info = &tg_op_table[op]
    cdef tg_record record
    cdef const tg_handles *handles[TG_MAX_OPERANDS]
    cdef uint32_t slots[TG_MAX_OPERANDS]
    cdef uint32_t slot
    cdef tg_tape *tape
    cdef tg_status status
    cdef int i, k
    _held = held_while_waiting(thread, count, values)
    if not known_to_tapes(thread, count, values, info.partial):
        if is_observed(thread):
            observe(thread, OPS[op], listed(count, values), (out,))
        return 0
    _copies = lasting_handles(count, values, handles)
    memset(&record, 0, sizeof(record))
    record.op = op
    record.kind = TG_NODE_ELEMENTWISE
    record.dtype = out.value.dtype
    record.flags = flags
    record.ndim = tg_value_ndim(&out.value)
    record.shape = tg_value_shape(&out.value)
    record.operands = count
    record.in_ = slots
    for k in range(count):
        record.saved[k] = &operands[k]
        record.handles[k] = handles[k]
    record.saved[TG_MAX_OPERANDS] = &out.value
    record.handles[TG_MAX_OPERANDS] = &out.handles
    hold_tapes(thread)
    status = announce(thread, count, handles, info.partial, out)
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        if status != TG_OK or tg_handles_find(&out.handles, tape.id) == TG_NO_SLOT:
            continue
        record.saved_mask = 0
        for k in range(count):
            slots[k] = TG_NO_SLOT
            if handles[k] == NULL or info.partial[k] == NULL:
                continue
            slots[k] = tg_handles_find(handles[k], tape.id)
            if slots[k] != TG_NO_SLOT:
                record.saved_mask |= info.needs[k]
        status = tg_tape_record(tape, &record, &slot)
    let_tapes_go(thread)
    check(status)
    if is_observed(thread):
        observe(thread, OPS[op], listed(count, values), (out,))
    return 0

# --- what hears of every operation ------------------------------------------------------------------------------------


cdef list listed(int count, PyObject **values):
    """The operands of an operation that are tensors or variables, None for the others."""
    cdef int k
    return [None if values[k] == NULL else <object>values[k] for k in range(count)]


cdef list listed_values(object operands):
    return [x if isinstance(x, Value) else None for x in operands]


cdef bint is_observed(tg_thread *thread) noexcept:
    """Whether a tape that records on this thread has an observer."""
    cdef int i
    for i in range(thread.base, thread.count):
        if thread.tapes[i].observed:
            return True
    return False


cdef int observe(tg_thread *thread, str name, list operands, tuple results) except -1:
    """Tells the observers of an operation, after all tapes that know an operand have recorded it: they may raise."""
    cdef tg_tape *tape
    cdef uint32_t slot
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        operands = [original(x) for x in operands]
    for i in range(thread.base, thread.count):
        tape = thread.tapes[i]
        if tape.observed:
            slot = tg_handles_find(&(<Value>results[0]).handles, tape.id) if results else TG_NO_SLOT
            if slot == TG_NO_SLOT:
                (<GradientTape>tape.owner).observer.ended(name, operands, results)
            else:
                (<GradientTape>tape.owner).observer.recorded(slot, name, operands, results)
    return 0


def observe_end(str name, list operands, tuple results=()):
    """Tells the observers that what `name` makes of values is no longer followed: it has no derivative, or (without a
    result) the value has left as a number or an array. Operands that are no values are None."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    if TG_WITHOUT_INTERPRETER_LOCK:
        operands = [original(x) for x in operands]
    for i in range(thread.base, thread.count):
        if thread.tapes[i].observed:
            (<GradientTape>thread.tapes[i].owner).observer.ended(name, operands, results)

# --- operands of every type -------------------------------------------------------------------------------------------


cdef inline tg_value *operand_value(object x) noexcept:
    return &(<Value>x).value


cdef int weak_dtype(object x) noexcept:
    """For Python numbers, whose type gives way to the other operands': int, float, complex as a dtype; else -1."""
    if PyFloat_CheckExact(x):
        return TG_F64
    if PyBool_Check(x):
        return -1
    if PyLong_CheckExact(x):
        return TG_I64
    if PyComplex_CheckExact(x):
        return TG_C128
    return -1


cdef int weak_result(int strong, int weak) noexcept:
    """The result type of a value with a Python number, as in NumPy 2."""
    if weak == TG_I64:
        return TG_I64 if strong == TG_BOOL else strong
    if weak == TG_F64:
        return strong if tg_dtype_is_inexact(strong) else TG_F64
    if strong == TG_F32 or strong == TG_F16:
        return TG_C64
    return strong if strong == TG_C64 else TG_C128


cdef Tensor typed(object x, int dtype):
    """A constant of the given type from a Python number, a list or an array."""
    cdef tg_value number
    if dtype == TG_F64 and constant_operand(x, dtype, &number):
        return new_tensor(&number)
    return from_ndarray(np.asarray(x, dtype=DTYPES[dtype].as_numpy_dtype), isinstance(x, (int, float, complex)))


cdef object operands_of(tuple args):
    """Values for the arguments of an operation, converted to their common type: (list of Values, dtype).

    Conversions of watched values are recorded, so that gradients come back in the operand's own type.
    """
    cdef int strong = -1, weak, dtype
    cdef object before = None, read = None
    values = []
    for x in args:
        if changes(x):  # once, if it is the operand before, too
            same = x is before
            before = x
            x = read if same else settled_now(x)
            read = x
        weak = weak_dtype(x)
        if weak < 0 and not isinstance(x, Value):
            kind = late("_conversion").weak_type(x) if isinstance(x, (list, tuple)) else None
            if kind is int or kind is float or kind is complex:
                weak = TG_I64 if kind is int else TG_F64 if kind is float else TG_C128
            elif isinstance(x, (cnp.ndarray, np.generic)):
                # What a tape saves must not change: a writable array is copied while one records.
                x = np.asarray(x)
                x = from_ndarray(x, not tg_thread_records(tg_thread_current()) or is_immutable(x))
            else:
                x = tensor(x)
        if weak < 0:
            dtype = (<Value>x).value.dtype
            strong = dtype if strong < 0 else promoted[strong][dtype]
        values.append((x, weak))
    if strong < 0:  # only Python numbers: TensorFlow's default types
        widest = max([weak for _, weak in values])
        if widest == TG_I64:
            values = [(tensor(x), -1) for x, _ in values]
            for x, _ in values:
                dtype = (<Value>x).value.dtype
                strong = dtype if strong < 0 else promoted[strong][dtype]
        else:
            strong = TG_F32 if widest == TG_F64 else TG_C128
    dtype = strong
    for _, weak in values:
        if weak >= 0:
            dtype = weak_result(dtype, weak)
    return [typed(x, dtype) if weak >= 0 else x for x, weak in values], dtype


cdef object elementwise_general(int op, tuple args):
    """An elementwise operation on anything: conversion, dispatch, recording."""
    cdef int dtype, i, count = tg_op_table[op].operands
    cdef tg_value operands[TG_MAX_OPERANDS]
    cdef PyObject *pointers[TG_MAX_OPERANDS]
    cdef tg_value out
    cdef tg_status status
    cdef Tensor result
    if len(args) != count:
        raise TypeError(f"{OPS[op]} takes {count} operands, got {len(args)}")
    values, dtype = operands_of(args)
    if not tg_dtype_is_native(dtype):
        return elementwise_by_numpy(op, values)
    values = [x if (<Value>x).value.dtype == dtype else cast_to(x, dtype) for x in values]
    for i in range(count):
        operands[i] = operand_value(values[i])[0]
        pointers[i] = <PyObject *>values[i]
    if large(operands, count):
        # Nobody must replace a variable's array meanwhile: the list holds tensors of their own.
        _held = [copy_value(<Value>x) for x in values]
        tg_pool_share(pool)
        with nogil:
            status = tg_elementwise(&loops, pool, op, dtype, operands, &out)
        tg_pool_unshare(pool)
    else:
        status = tg_elementwise(&loops, pool, op, dtype, operands, &out)
    if status == TG_BAD_SHAPE:
        raise ValueError(f"{OPS[op]}: operands of shapes {', '.join([str(x.shape) for x in values])} cannot be "
                         "broadcast together")
    check(status)
    result = new_tensor(&out)
    if tg_thread_records(tg_thread_current()):
        if result.value.array != NULL:
            record_array(op, count, pointers, operands, result)
        else:
            record_elementwise(op, count, pointers, operands, result, 0)
    return result


cdef inline bint large(const tg_value *operands, int count) noexcept:
    cdef int i
    for i in range(count):
        if operands[i].array != NULL and operands[i].array.size >= RELEASE_LOCK_AT:
            return True
    return False


cdef object elementwise_by_numpy(int op, list values):
    """Types without native kernels go through the ufunc itself, and their derivatives through the rule's text."""
    cdef tg_value operands[TG_MAX_OPERANDS]
    cdef PyObject *pointers[TG_MAX_OPERANDS]
    cdef int i, dtype
    cdef Tensor result
    before = hush()
    try:
        result = owned(late("_rules").forward(op, [view_of(<Value>x) for x in values]))
    finally:
        unhush(before)
    dtype = result.value.dtype
    if not tg_thread_records(tg_thread_current()):
        return result
    if not tg_dtype_is_inexact(dtype) or (tg_dtype_is_native(dtype)
                                          and all([not (<Value>x).dtype.is_complex for x in values])):
        if is_observed(tg_thread_current()):
            observe_end(OPS[op], values, (result,))
        return result  # integers, or made of integers: nothing to differentiate
    for i in range(len(values)):
        operands[i] = operand_value(values[i])[0]
        pointers[i] = <PyObject *>values[i]
        if is_watched(values[i]) and tg_op_table[op].partial[i] != NULL:
            late("_rules").check_differentiable(op, i, values)
    record_elementwise(op, len(values), pointers, operands, result, TG_FLAG_GENERIC)
    return result

# --- Python's operators -----------------------------------------------------------------------------------------------


cdef inline bint is_value(object x) noexcept:
    """isinstance(x, Value), at once for what x nearly always is."""
    return type_of(<PyObject *>x) == <PyTypeObject *>Tensor or isinstance(x, Value)


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

# --- the elementwise functions as builtins ----------------------------------------------------------------------------

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

# --- structural operations --------------------------------------------------------------------------------------------


cdef bint moves_only(int op) noexcept:
    """Operations that move elements of any type; the others add or multiply."""
    return op in (TG_RESHAPE, TG_PERMUTE, TG_SLICE, TG_UNSLICE, TG_EXPAND, TG_MASK, TG_TAKE)


cdef tuple STRUCTURAL_NAMES = ("reshape", "transpose", "slice", "unslice", "sum", "broadcast_to", "cast", "concatenate",
                               "where", "mask", "take", "scatter_add", "matmul")
cdef dict ARITHMETIC = {TG_SUM: "sum", TG_CAST: "cast", TG_SCATTER_ADD: "scatter_add", TG_MATMUL: "matmul"}


cdef Tensor run_structural(tg_call *call, Value x, Value other):
    """The value of a call: natively, or for less common types and orders of summation through NumPy."""
    cdef tg_workspace workspace
    cdef tg_value operands[2]
    cdef tg_value out
    cdef tg_status status
    cdef bint native = moves_only(call.op)
    if call.op == TG_CAST:
        native = tg_dtype_is_native(x.value.dtype) and tg_dtype_is_native(call.dtype)
    elif call.op == TG_SUM:
        native = x.value.array != NULL and tg_sum_agrees_with_numpy(x.value.array, <uint64_t>call.params[0])
    elif not native:
        native = tg_dtype_is_native(x.value.dtype)
    if not native:
        return from_ndarray(np.asarray(late("_rules").structural(
            ARITHMETIC[call.op], view_of(x), None if other is None else view_of(other),
            tuple([call.shape[i] for i in range(call.ndim)]), [call.params[i] for i in range(call.params_count)],
            DTYPES[call.dtype].as_numpy_dtype)), True)
    operands[0] = x.value
    if other is not None:
        operands[1] = other.value
    tg_workspace_init(&workspace, pool)
    if large(operands, 1 if other is None else 2):
        _held = (copy_value(x), None if other is None else copy_value(other))
        tg_pool_share(pool)
        with nogil:
            status = tg_structural_apply(&loops, &workspace, call, operands, &out)
        tg_pool_unshare(pool)
    else:
        status = tg_structural_apply(&loops, &workspace, call, operands, &out)
    tg_workspace_clear(&workspace)
    check(status)
    return new_tensor(&out)


cdef enum:
    FEW_OPERANDS = 8


cdef bint record_quickly(tg_tape *tape, tg_call *call, int count, PyObject **values, Tensor out) except -1:
    """The short way for the one tape that records, and a few operands of one native type of which none is saved.
    Returns whether that was possible."""
    cdef const tg_handles *handles[FEW_OPERANDS]
    cdef int k
    if count > FEW_OPERANDS or tape.observed or tg_structural_needs(call.op, 0) or not tg_dtype_is_native(call.dtype):
        return False
    for k in range(count):
        if (<Value>values[k]).value.dtype != call.dtype:
            return False
        handles[k] = handles_on(tape, <Value>values[k])
    return tg_record_move(tape, call, count, handles, &out.handles) != TG_QUICK_GENERAL


cdef int record_structural(tg_call *call, int count, PyObject **values, Tensor out) except -1:
    """Records a structural operation on every tape that knows an operand."""
    cdef tg_thread *thread = tg_thread_current()
    cdef tg_record record
    cdef const tg_handles **handles
    cdef uint32_t *slots
    cdef uint32_t slot
    cdef tg_tape *tape
    cdef tg_status status
    cdef int i, k, dtype
    if not tg_thread_records(thread):
        return 0
    if thread.count - thread.base == 1 and record_quickly(thread.tapes[thread.base], call, count, values, out):
        return 0
    _held = held_while_waiting(thread, count, values)
    if not tg_dtype_is_inexact(out.value.dtype) or not known_to_tapes(thread, count, values, NULL):
        if is_observed(thread):
            observe(thread, STRUCTURAL_NAMES[call.op], listed(count, values), (out,))
        return 0
    memset(&record, 0, sizeof(record))
    record.op = call.op
    record.kind = TG_NODE_STRUCTURAL
    record.dtype = out.value.dtype
    record.ndim = call.ndim
    record.shape = call.shape
    record.operands = count
    record.params_count = call.params_count
    record.params = call.params
    if not tg_dtype_is_native(out.value.dtype):
        record.flags = TG_FLAG_GENERIC
    for k in range(min(count, <int>TG_MAX_OPERANDS)):
        record.saved[k] = operand_value(<object>values[k])
        dtype = (<Value>values[k]).value.dtype
        if tg_dtype_is_inexact(dtype) and not tg_dtype_is_native(dtype):
            record.flags = TG_FLAG_GENERIC
    handles = <const tg_handles **>malloc(count * (sizeof(tg_handles *) + sizeof(uint32_t)))
    if handles == NULL:
        raise MemoryError()
    try:
        _copies = lasting_handles(count, values, handles)
        for k in range(min(count, <int>TG_MAX_OPERANDS)):
            record.handles[k] = handles[k]
        record.in_ = slots = <uint32_t *>(handles + count)
        hold_tapes(thread)
        status = announce(thread, count, handles, NULL, out)
        for i in range(thread.base, thread.count):
            tape = thread.tapes[i]
            if status != TG_OK or tg_handles_find(&out.handles, tape.id) == TG_NO_SLOT:
                continue
            record.saved_mask = 0
            for k in range(count):
                slots[k] = tg_handles_find(handles[k], tape.id)
                if slots[k] != TG_NO_SLOT:
                    record.saved_mask |= tg_structural_needs(call.op, k)
            status = tg_tape_record(tape, &record, &slot)
        let_tapes_go(thread)
        check(status)
    finally:
        free(handles)
    if is_observed(thread):
        observe(thread, STRUCTURAL_NAMES[call.op], listed(count, values), (out,))
    return 0


cdef Tensor structural(tg_call *call, Value x, Value other):
    cdef PyObject *values[2]
    cdef Tensor out = run_structural(call, x, other)
    values[0] = <PyObject *>x
    values[1] = <PyObject *>other
    record_structural(call, 1 if other is None else 2, values, out)
    return out


cdef Value as_value(object x):
    """The operand of a structural operation: a Value as it is (so that a variable keeps its place), else a constant.

    Arrays are copied, since the result may be a view of the operand.
    """
    return <Value>unchanging(x) if isinstance(x, Value) else tensor(x)


cdef int set_shape(tg_call *call, object shape) except -1:
    cdef int i = 0
    if len(shape) > TG_MAX_DIMS:
        raise ValueError(f"a value can have at most {TG_MAX_DIMS} dimensions, got {len(shape)}")
    for size in shape:
        call.shape[i] = size
        i += 1
    call.ndim = i
    return 0


cdef int set_shape_of(tg_call *call, Value x) except -1:
    call.ndim = tg_value_ndim(&x.value)
    if call.ndim:
        memcpy(call.shape, tg_value_shape(&x.value), call.ndim * sizeof(tg_index))
    return 0


cdef int normal_axis(object axis, int ndim, str operation) except -1:
    cdef Py_ssize_t number = axis
    if not -ndim <= number < ndim:
        raise ValueError(f"{operation}: axis {number} is out of bounds for a value with {ndim} dimensions")
    return <int>(number + ndim if number < 0 else number)

# --- structural operations of one value, products and choices ---------------------------------------------------------


def reshape(x, shape):
    """x with its elements, in C order, in another shape; one size may be -1.

    Raises ValueError if the number of elements differs.
    """
    cdef tg_call call
    cdef Value value = as_value(x)
    cdef tg_index size = tg_value_size(&value.value), known = 1
    cdef int i, open_ = -1
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple([int(n) for n in shape])
    set_shape(&call, wanted)
    for i in range(call.ndim):
        if call.shape[i] >= 0:
            known *= call.shape[i]
        elif call.shape[i] == -1 and open_ < 0:
            open_ = i
        else:
            raise ValueError(f"reshape: {wanted} is no shape: sizes must not be negative, and only one may be -1")
    if open_ >= 0:
        if known == 0 or size % known:
            raise ValueError(f"reshape: cannot reshape shape {value.shape} ({size} elements) to {wanted}")
        call.shape[open_] = size // known
    elif known != size:
        raise ValueError(f"reshape: cannot reshape shape {value.shape} ({size} elements) to {wanted}")
    call.op = TG_RESHAPE
    call.dtype = value.value.dtype
    call.params_count = 0
    call.params = NULL
    return structural(&call, value, None)


def transpose(x, axes=None):
    """x with its axes in the given order; reversed by default."""
    cdef tg_call call
    cdef tg_index order[TG_MAX_DIMS]
    cdef Value value = as_value(x)
    cdef int i, ndim = tg_value_ndim(&value.value)
    if axes is None:
        wanted = tuple(range(ndim - 1, -1, -1))
    else:
        wanted = tuple([normal_axis(a, ndim, "transpose") for a in axes])
        if sorted(wanted) != list(range(ndim)):
            raise ValueError(f"transpose: {tuple(axes)} does not name each of the {ndim} axes of shape {value.shape} "
                             "once")
    for i in range(ndim):
        order[i] = wanted[i]
        call.shape[i] = tg_value_shape(&value.value)[order[i]]
    call.op = TG_PERMUTE
    call.dtype = value.value.dtype
    call.ndim = ndim
    call.params_count = ndim
    call.params = order
    return structural(&call, value, None)


def broadcast_to(x, shape):
    """x repeated to a larger shape that it broadcasts to."""
    cdef tg_call call
    cdef tg_index mask = 0
    cdef Value value = as_value(x)
    cdef int d, missing
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple([int(n) for n in shape])
    set_shape(&call, wanted)
    missing = call.ndim - tg_value_ndim(&value.value)
    for d in range(call.ndim):
        if missing >= 0 and (d < missing or (tg_value_shape(&value.value)[d - missing] == 1 and call.shape[d] != 1)):
            mask |= <tg_index>1 << d
        elif missing < 0 or tg_value_shape(&value.value)[d - missing] != call.shape[d]:
            raise ValueError(f"broadcast_to: shape {value.shape} does not broadcast to {wanted}")
    if missing < 0:
        raise ValueError(f"broadcast_to: shape {value.shape} does not broadcast to {wanted}")
    call.op = TG_EXPAND
    call.dtype = value.value.dtype
    call.params_count = 1
    call.params = &mask
    return structural(&call, value, None)


def sum(x, axis=None, keepdims=False):
    """The sum over some axes (all by default); integers and bools add up as in NumPy."""
    cdef tg_call call
    cdef tg_index mask = 0
    cdef Value value = as_value(x)
    cdef int d, ndim = tg_value_ndim(&value.value), kept = 0
    if axis is None:
        mask = -1 if ndim == TG_MAX_DIMS else (<tg_index>1 << ndim) - 1
    else:
        for a in (axis if isinstance(axis, (tuple, list)) else (axis,)):
            d = normal_axis(a, ndim, "sum")
            if mask >> d & 1:
                raise ValueError(f"sum: axis {d} is named twice in {axis}")
            mask |= <tg_index>1 << d
    if not tg_dtype_is_inexact(value.value.dtype):
        axes = tuple([d for d in range(ndim) if mask >> d & 1])
        return own(np.sum(view_of(value), axis=axes, keepdims=bool(keepdims)))
    for d in range(ndim):
        if not mask >> d & 1:
            call.shape[kept] = tg_value_shape(&value.value)[d]
            kept += 1
        elif keepdims:
            call.shape[kept] = 1
            kept += 1
    call.op = TG_SUM
    call.dtype = value.value.dtype
    call.ndim = kept
    call.params_count = 1
    call.params = &mask
    return structural(&call, value, None)


cdef Tensor cast_to(object x, int dtype):
    cdef tg_call call
    cdef Value value = <Value>unchanging(x)
    if not (tg_dtype_is_inexact(dtype) and tg_dtype_is_inexact(value.value.dtype)):
        source = view_of(value)
        if source.dtype.kind == "c":
            source = source.real
        converted = from_ndarray(source.astype(DTYPES[dtype].as_numpy_dtype), True)
        if is_observed(tg_thread_current()):
            observe_end("cast", [value], (converted,))
        return converted
    set_shape_of(&call, value)
    call.op = TG_CAST
    call.dtype = dtype
    call.params_count = 0
    call.params = NULL
    return structural(&call, value, None)


def cast(x, dtype):
    """x in another type. Between floating types the gradient passes; through integers and bools it ends."""
    cdef Value value = <Value>x if isinstance(x, Value) else tensor(x)
    cdef int wanted = dtype_index(dtype)
    if value.value.dtype == wanted:
        return value if isinstance(value, Tensor) else snapshot(value)
    before = hush()
    try:
        return cast_to(value, wanted)
    finally:
        unhush(before)


cdef Tensor in_shape(Value x, int ndim, const tg_index *shape):
    """A reshape to a shape that is known to fit."""
    cdef tg_call call
    call.op = TG_RESHAPE
    call.dtype = x.value.dtype
    call.ndim = ndim
    if ndim:
        memcpy(call.shape, shape, ndim * sizeof(tg_index))
    call.params_count = 0
    call.params = NULL
    return structural(&call, x, None)


cdef Tensor vector_product(Value x, Value y):
    """A product of a vector with a vector or matrices: the vector as a matrix with one row (first) or one column."""
    cdef tg_index shape[TG_MAX_DIMS]
    cdef int x_ndim = tg_value_ndim(&x.value), y_ndim = tg_value_ndim(&y.value), ndim
    cdef Tensor product
    if x_ndim == 1:
        shape[0], shape[1] = 1, tg_value_size(&x.value)
        x = in_shape(x, 2, shape)
    if y_ndim == 1:
        shape[0], shape[1] = tg_value_size(&y.value), 1
        y = in_shape(y, 2, shape)
    product = matmul(x, y)
    ndim = tg_value_ndim(&product.value)
    memcpy(shape, tg_value_shape(&product.value), ndim * sizeof(tg_index))
    if x_ndim == 1:
        ndim -= 1
        shape[ndim - 1] = shape[ndim]
    if y_ndim == 1:
        ndim -= 1
    return in_shape(product, ndim, shape)


def matmul(a, b):
    """The matrix product in all of NumPy's forms: vectors, matrices, and broadcast stacks of matrices."""
    cdef tg_call call
    cdef tg_index flags = 0
    cdef Value x, y
    cdef int i, dtype, stacked_x, stacked_y, own_x, own_y
    if isinstance(a, Value) and isinstance(b, Value) and (<Value>a).value.dtype == (<Value>b).value.dtype:
        x, y, dtype = a, b, (<Value>a).value.dtype
    else:
        (x, y), dtype = operands_of((a, b))
    shapes = shape_of(x), shape_of(y)
    if not shapes[0] or not shapes[1] or shapes[0][-1] != shapes[1][-2 if len(shapes[1]) > 1 else 0]:
        raise ValueError(f"matmul: shapes {shapes[0]} and {shapes[1]} do not fit: the last size of the first must be "
                         "the second-last (of a vector: the only) size of the second")
    if not tg_dtype_is_inexact(dtype):
        return own(np.matmul(view_of(x), view_of(y)))
    if x.value.dtype != dtype:
        x = cast_to(x, dtype)
    if y.value.dtype != dtype:
        y = cast_to(y, dtype)
    if len(shapes[0]) == 1 or len(shapes[1]) == 1:
        return vector_product(x, y)
    stacked_x = len(shapes[0]) - 2
    stacked_y = len(shapes[1]) - 2
    call.ndim = max(stacked_x, stacked_y) + 2
    for i in range(call.ndim - 2):
        own_x = i - (call.ndim - 2 - stacked_x)
        own_y = i - (call.ndim - 2 - stacked_y)
        n = shapes[0][own_x] if own_x >= 0 else 1
        m = shapes[1][own_y] if own_y >= 0 else 1
        if n != m and n != 1 and m != 1:
            raise ValueError(f"matmul: the stacks of shapes {shapes[0]} and {shapes[1]} cannot be broadcast together")
        call.shape[i] = m if n == 1 else n
    call.shape[call.ndim - 2] = shapes[0][-2]
    call.shape[call.ndim - 1] = shapes[1][-1]
    call.op = TG_MATMUL
    call.dtype = dtype
    call.params_count = 1
    call.params = &flags
    return structural(&call, x, y)


def where(condition, x, y):
    """x where the condition is true, else y; the branch not taken gets no gradient, not even a NaN."""
    cdef tg_call call
    cdef PyObject *pointers[3]
    cdef int dtype
    cdef tg_value result
    cdef tg_status status
    cdef Tensor out
    cdef Value test = as_value(condition)
    if test.value.dtype != TG_BOOL:
        test = own(view_of(test) != 0)
    values, dtype = one_dtype((x, y))
    status = tg_select(pool, &test.value, &(<Value>values[0]).value, &(<Value>values[1]).value, &result)
    if status == TG_BAD_SHAPE:
        raise ValueError(f"where: shapes {test.shape}, {values[0].shape} and {values[1].shape} cannot be broadcast "
                         "together")
    check(status)
    out = new_tensor(&result)
    set_shape_of(&call, out)
    call.op = TG_SELECT
    call.dtype = dtype
    call.params_count = 0
    call.params = NULL
    pointers[0] = <PyObject *>test
    pointers[1] = <PyObject *>values[0]
    pointers[2] = <PyObject *>values[1]
    record_structural(&call, 3, pointers, out)
    return out

# --- joining and taking apart -----------------------------------------------------------------------------------------


def concatenate(values, axis=0):
    """The values joined along an existing axis; their other sizes must agree."""
    return joined(values, axis, False)


def stack(values, axis=0):
    """The values, which have one shape, joined along a new axis."""
    return joined(values, axis, True)


cdef object joined(object values, object axis, bint new_axis):
    cdef tg_call call
    cdef PyObject **pointers
    cdef tg_index *params
    cdef tg_index length
    cdef int k, d, where_, dtype, first_ndim, count = len(values)
    cdef Value first, part
    cdef Tensor out
    cdef tg_value result
    cdef str name = "stack" if new_axis else "concatenate"
    if not count:
        raise ValueError(f"{name}: needs at least one value")
    converted, dtype = one_dtype(values)
    first = converted[0]
    first_ndim = tg_value_ndim(&first.value)
    where_ = normal_axis(axis, first_ndim + (1 if new_axis else 0), name)
    pointers = <PyObject **>malloc(count * sizeof(PyObject *) + (count + 2) * sizeof(tg_index))
    if pointers == NULL:
        raise MemoryError()
    try:
        params = <tg_index *>(pointers + count)
        params[0] = where_
        params[1] = 0
        for k in range(count):
            part = converted[k]
            pointers[k] = <PyObject *>part
            fits = tg_value_ndim(&part.value) == first_ndim
            for d in range(first_ndim):
                fits = fits and (tg_value_shape(&part.value)[d] == tg_value_shape(&first.value)[d]
                                 or (d == where_ and not new_axis))
            if not fits:
                if new_axis:
                    raise ValueError(f"stack: the tensors must have one shape, not {first.shape} and {part.shape}")
                raise ValueError(f"concatenate: shapes {', '.join([str(v.shape) for v in converted])} do not fit along "
                                 f"axis {where_}")
            length = 1 if new_axis else tg_value_shape(&part.value)[where_]
            params[2 + k] = params[1 + k] + length
        call.ndim = first_ndim + (1 if new_axis else 0)
        if call.ndim > TG_MAX_DIMS:
            raise ValueError(f"a value can have at most {TG_MAX_DIMS} dimensions, got {call.ndim}")
        for d in range(call.ndim):
            if d == where_:
                call.shape[d] = params[1 + count]
            else:
                call.shape[d] = tg_value_shape(&first.value)[d - 1 if new_axis and d > where_ else d]
        result.dtype = dtype
        check(tg_array_new(pool, dtype, call.ndim, call.shape, &result.array))
        out = new_tensor(&result)
        for k in range(count):
            check(tg_join(out.value.array, where_, params[1 + k], &(<Value>pointers[k]).value))
        call.op = TG_CONCATENATE
        call.dtype = dtype
        call.params_count = count + 2
        call.params = params
        record_structural(&call, count, pointers, out)
    finally:
        free(pointers)
    return out


def alike(values):
    """Whether a list holds nothing but tensors of one type, so that they can be joined as they are."""
    cdef int dtype = -1
    if type(values) is not list or not values:
        return False
    for x in <list>values:
        if type_of(<PyObject *>x) != <PyTypeObject *>Tensor or (dtype >= 0 and (<Tensor>x).value.dtype != dtype):
            return False
        dtype = (<Tensor>x).value.dtype
    return True


cdef tuple one_dtype(object values):
    """The values converted to their common type: (list of Values, dtype)."""
    cdef int dtype = -1
    cdef bint agree = True
    for v in values:
        if not isinstance(v, Value) or (dtype >= 0 and (<Value>v).value.dtype != dtype):
            agree = False
            break
        dtype = (<Value>v).value.dtype
    if agree:
        return [unchanging(v) for v in values] if TG_WITHOUT_INTERPRETER_LOCK else list(values), dtype
    converted, dtype = operands_of(tuple(values))
    return [v if (<Value>v).value.dtype == dtype else cast_to(v, dtype) for v in converted], dtype


def unstack(x, axis=0):
    """The slices of x along an axis, without that axis: a list of views."""
    cdef Value value = as_value(x)
    cdef int where_ = normal_axis(axis, tg_value_ndim(&value.value), "unstack")
    cdef tg_index k
    return [part_of(value, where_, k, 1, 1, True) for k in range(tg_value_shape(&value.value)[where_])]


def split(x, stops, axis=0):
    """The pieces of x between positions of an axis: a list of views."""
    cdef Value value = as_value(x)
    cdef int where_ = normal_axis(axis, tg_value_ndim(&value.value), "split")
    cdef tg_index size = tg_value_shape(&value.value)[where_], start, stop
    parts = []
    for start, stop in zip((0, *stops), (*stops, size)):  # as slices: from the end if negative, and within bounds
        start = max(0, start + size) if start < 0 else min(start, size)
        stop = max(0, stop + size) if stop < 0 else min(stop, size)
        parts.append(part_of(value, where_, start, 1, max(0, stop - start), False))
    return parts


cdef Tensor part_of(Value x, int axis, tg_index start, tg_index step, tg_index count, bint dropped):
    """`count` positions of an axis, which is left out if `dropped` (and there is but one)."""
    cdef tg_call call
    cdef tg_index params[3 * TG_MAX_DIMS]
    cdef int d, ndim = tg_value_ndim(&x.value)
    cdef const tg_index *shape = tg_value_shape(&x.value)
    call.ndim = 0
    for d in range(ndim):
        params[3 * d] = 0
        params[3 * d + 1] = 1
        params[3 * d + 2] = shape[d]
        if d == axis:
            params[3 * d] = start
            params[3 * d + 1] = step
            params[3 * d + 2] = count
            if dropped:
                continue
        call.shape[call.ndim] = params[3 * d + 2]
        call.ndim += 1
    call.op = TG_SLICE
    call.dtype = x.value.dtype
    call.params_count = 3 * ndim
    call.params = params
    return sliced(&call, x)


cdef Tensor sliced(tg_call *call, Value x):
    """The part of x that a SLICE call takes: a view, or a number."""
    cdef tg_array *view
    cdef Tensor out
    cdef PyObject *pointer = <PyObject *>x
    if x.value.array == NULL:
        return structural(call, x, None)
    check(tg_slice_view(call, x.value.array, &view))
    out = allocate_tensor()
    tg_value_from_array(view, &out.value)
    record_structural(call, 1, &pointer, out)
    return out

# --- indexing ---------------------------------------------------------------------------------------------------------


def take(x, indices, axis=0, bint sparse=False):
    """The elements of x at integer positions along an axis; negative positions count from the end.

    `sparse`, along axis 0: the gradient of a source of which nothing but rows is taken lists these, as IndexedSlices.
    """
    cdef tg_call call
    cdef tg_index where_
    cdef tg_index params[2]
    cdef Value value = as_value(x), positions
    where_ = normal_axis(axis, tg_value_ndim(&value.value), "take")
    positions = positions_in(indices, value.shape, where_, "take")
    set_shape(&call, value.shape[:where_] + positions.shape + value.shape[where_ + 1:])
    call.op = TG_TAKE
    call.dtype = value.value.dtype
    params[0], params[1] = where_, 1
    call.params_count = 2 if sparse and where_ == 0 else 1
    call.params = params
    return structural(&call, value, positions)


def scatter_add(x, indices, tuple shape not None):
    """Zeros of a shape with the rows of x added at integer positions; negative positions count from the end."""
    cdef tg_call call
    cdef tg_index params[1]
    cdef Value value = as_value(x), positions = positions_in(indices, shape, 0, "scatter_add")
    if value.shape != positions.shape + shape[1:]:
        raise ValueError(f"scatter_add: {positions.shape} rows of shape {shape[1:]} are needed, not {value.shape}")
    set_shape(&call, shape)
    call.op = TG_SCATTER_ADD
    call.dtype = value.value.dtype
    params[0] = 0
    call.params_count = 1
    call.params = params
    return structural(&call, value, positions)


cdef Tensor positions_in(object indices, tuple shape, tg_index axis, str what):
    """Integers that count along an axis, as positions from its start."""
    cdef cnp.ndarray given = array(indices)
    cdef cnp.ndarray chosen
    cdef tg_index length = shape[axis], size = cnp.PyArray_SIZE(given)
    cdef bint fits = True
    if size and not cnp.PyArray_ISINTEGER(given):
        raise TypeError(f"{what}: indices must be integers, got dtype {given.dtype}")
    if size and given.dtype.kind == "u":  # the greatest of them would be negative as int64
        fits = given.max() < length
    chosen = cnp.PyArray_FROMANY(given, cnp.NPY_INT64, 0, 0, cnp.NPY_ARRAY_CARRAY | cnp.NPY_ARRAY_ENSURECOPY
                                 | cnp.NPY_ARRAY_FORCECAST)
    if not fits or not tg_positions_from_start(<int64_t *>cnp.PyArray_DATA(chosen), size, length):
        bad = int(given.max()) if given.max() >= length else int(given.min())
        raise IndexError(f"{what}: index {bad} is out of bounds for axis {axis} of shape {shape}")
    return owned(chosen)


def basic_index(x, key):
    """x[key] for a key of integers, slices, None and Ellipsis: a view."""
    cdef tg_call call
    cdef tg_index params[3 * TG_MAX_DIMS]
    cdef Value value = as_value(x)
    cdef int ndim = tg_value_ndim(&value.value), axis = 0, kept = 0, used = 0
    cdef Py_ssize_t start, stop, step, length, position
    if not isinstance(key, tuple):
        key = (key,)
    for part in key:
        used += part is not None and part is not Ellipsis
        kept += part is None
    if used > ndim:
        raise IndexError(f"too many indices for a value with {ndim} dimensions: {used} were given")
    if ndim + kept > TG_MAX_DIMS:
        raise IndexError(f"a value can have at most {TG_MAX_DIMS} dimensions")
    kept = 0
    seen = False
    for part in key + (Ellipsis,):
        if part is Ellipsis:
            if seen:
                continue  # the one added here
            seen = True
            while axis < ndim and (ndim - axis) > used:
                params[3 * axis] = 0
                params[3 * axis + 1] = 1
                params[3 * axis + 2] = call.shape[kept] = tg_value_shape(&value.value)[axis]
                axis += 1
                kept += 1
            continue
        if part is None:
            call.shape[kept] = 1
            kept += 1
            continue
        length = tg_value_shape(&value.value)[axis]
        used -= 1
        if isinstance(part, slice):
            start, stop, step = part.indices(length)
            params[3 * axis] = start
            params[3 * axis + 1] = step
            params[3 * axis + 2] = call.shape[kept] = len(range(start, stop, step))
            kept += 1
        else:
            position = part
            if not -length <= position < length:
                raise IndexError(f"index {position} is out of bounds for axis {axis} of shape {value.shape}")
            params[3 * axis] = position + length if position < 0 else position
            params[3 * axis + 1] = params[3 * axis + 2] = 1
        axis += 1
    call.op = TG_SLICE
    call.dtype = value.value.dtype
    call.ndim = kept
    call.params_count = 3 * ndim
    call.params = params
    return sliced(&call, value)


cdef Tensor first_axis(Value x, object key):
    """x[key] for an int, or a slice of ints, of the first axis: the commonest keys by the shortest way. None for
    others."""
    cdef Py_ssize_t start, stop, step, length = tg_array_shape(x.value.array)[0]
    if PyLong_CheckExact(key):
        start = PyLong_AsSsize_t(key)
        if start < 0:
            start += length
        return part_of(x, 0, start, 1, 1, True) if 0 <= start < length else None
    if (PySlice_Check(key) and (<slice>key).step is None
            and is_bound((<slice>key).start) and is_bound((<slice>key).stop)):
        PySlice_Unpack(key, &start, &stop, &step)
        length = PySlice_AdjustIndices(length, &start, &stop, step)
        return part_of(x, 0, start, step, length, False)
    return None


cdef inline bint is_bound(object x):
    return x is None or PyLong_CheckExact(x)


cdef bint is_basic(object part):
    if isinstance(part, slice):
        return not (isinstance(part.start, Value) or isinstance(part.stop, Value) or isinstance(part.step, Value))
    return part is None or part is Ellipsis or (isinstance(part, (int, np.integer)) and not isinstance(part, bool))


cdef object index(Value x, object key):
    cdef bint basic = True
    cdef Tensor found
    if changes(x):
        return index(settled_now(x), key)
    found = first_axis(x, key) if x.value.array != NULL else None
    if found is not None:
        return found
    if isinstance(key, tuple):
        dots = 0
        for part in key:
            basic = basic and is_basic(part)
            dots += part is Ellipsis
        if dots > 1:
            raise IndexError("an index can only have a single ellipsis ('...')")
    else:
        basic = is_basic(key)
    if basic:
        return basic_index(x, key)
    return late("_ops.indexing").getitem(x, key)

# --- operations whose rules are written in Python ---------------------------------------------------------------------


cdef class pause:
    """`with pause():` nothing inside is recorded by the tapes that record on this thread now.

    Tapes entered inside record as usual.
    """

    cdef int base

    def __enter__(self):
        cdef tg_thread *thread = tg_thread_current()
        self.base = thread.base
        thread.base = thread.count
        return self

    def __exit__(self, *details):
        cdef tg_thread *thread = tg_thread_current()
        thread.base = min(self.base, thread.count)  # tapes may have been left inside


cdef void release_payload(void *payload) noexcept nogil:
    """Payloads belong to the GradientTape's list, where the cycle collector sees them; the node only borrows."""


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
                if not isinstance(rule, _OpRule):
                    raise TypeError(f"a tape of the C interface cannot record {rule_name(rule)}, whose rule is in "
                                    "Python")
            elif tracked:
                await_readers(tape)
                known.append((i, tape.id))
                (<GradientTape>tape.owner).keep(payload)
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

# --- what NumPy computes and no tape records --------------------------------------------------------------------------


def unrecorded(value):
    """`value` with each tensor in it replaced by a read-only array, in lists, tuples and dicts too."""
    return without_tensors(value)


cdef object without_tensors(object value):
    if isinstance(value, Value):
        return view_of(<Value>value)
    if type(value) is tuple:
        return tuple([without_tensors(element) for element in <tuple>value])
    if type(value) is list:
        return [without_tensors(element) for element in <list>value]
    if type(value) is dict:
        return {key: without_tensors(element) for key, element in (<dict>value).items()}
    return value


def wrapped(result):
    """A result of NumPy with each array and NumPy scalar in it as a tensor, if tensors can have its type."""
    if isinstance(result, cnp.ndarray):
        if dtype_of(cnp.PyArray_TYPE(<cnp.ndarray>result)) < 0 or not cnp.PyArray_ISNOTSWAPPED(<cnp.ndarray>result):
            return result
        # A view may be one of the caller's memory, who can write to it; a fresh array belongs to the tensor.
        return owned(result) if cnp.PyArray_BASE(<cnp.ndarray>result) == NULL else tensor(np.asarray(result))
    if isinstance(result, cnp.generic):
        return owned(result) if dtype_of(cnp.PyArray_DescrFromScalar(result).type_num) >= 0 else result
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*[wrapped(part) for part in result])
    if isinstance(result, (list, tuple)):
        return type(result)([wrapped(part) for part in result])
    return result


def compute(function, tuple args not None, dict keywords not None):
    """What NumPy's function computes for the tensors' values, as tensors that no tape knows; it does not warn."""
    before = hush()
    try:
        result = wrapped(function(*without_tensors(args), **without_tensors(keywords)))
    finally:
        unhush(before)
    if isinstance(result, Tensor) and is_observed(tg_thread_current()):
        observe_end(function.__name__, [x for x in args if isinstance(x, Value)], (result,))
    return result

# --- tapes ------------------------------------------------------------------------------------------------------------


cdef enum:
    NEW        # never entered
    RECORDING
    STOPPED    # left; what it recorded is alive
    CONSUMED   # not persistent, and its gradient was taken

cdef enum:
    FEW = 32  # sources and targets that need no memory of their own

cdef str ONE_SET = "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
cdef str INSIDE = (
    "Calling GradientTape.gradient on a persistent tape inside its context is significantly less efficient than "
    "calling it outside the context (it causes the gradient ops to be recorded on the tape, leading to increased CPU "
    "and memory usage). Only call GradientTape.gradient inside the context if you actually want to trace the gradient "
    "in order to compute higher order derivatives.")


cdef class GradientTape:
    """GradientTape(persistent=False, watch_accessed_variables=True, *, debug=False, max_bytes=None)\n--\n
    Records operations on watched values, and differentiates them.

    Trainable variables are watched when they are read inside the `with` block; other values by `watch`. Each thread
    has its own stack of recording tapes. A tape may be entered again: what it recorded stays.

    Parameters
    ----------
    persistent : bool
        Keep what was recorded after `gradient`, so that it can be called again. Otherwise it is freed.
    watch_accessed_variables : bool
        Whether trainable variables are watched when they are read.
    debug : bool
        Whether to remember where each operation was called, and what became of values that left the tape, for
        `explain` and `summary`. It makes recording slower, and keeps these values, and after `gradient` what was
        recorded, until the tape is reset, entered again, or gone.
    max_bytes : int, optional
        The most memory that the tape and what it saves may take; beyond it an operation raises MemoryError and names
        the largest contributors. It makes recording slower.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x**2
    >>> float(tape.gradient(y, x))
    6.0
    """

    cdef tg_tape tape
    cdef int state
    cdef bint persistent
    cdef bint paused          # inside stop_recording
    cdef list variables       # watched variables, None before the first; they live as long as the tape
    cdef list payloads        # what nodes with Python rules saved, likewise
    cdef tuple remembered     # the variables of a consumed tape
    cdef readonly object observer  # hears of every node (tapegrad._observing), or None
    cdef bint accumulates     # belongs to a forward accumulator
    cdef readonly frozenset within  # a tape of tapegrad's own, for batches: the rules on whose behalf it records
    cdef object __weakref__

    def __cinit__(self):
        tg_tape_init(&self.tape, pool, 0, release_payload)
        self.tape.owner = <void *>self
        self.state = NEW
        self.within = frozenset()

    def __init__(self, persistent=False, watch_accessed_variables=True, *, debug=False, max_bytes=None):
        self.persistent = persistent
        self.tape.watches = watch_accessed_variables
        if debug or max_bytes is not None:
            self._observe(late("_observing").Observer(self, debug, max_bytes))

    def __reduce__(self):
        raise TypeError("a GradientTape cannot be pickled or copied, since it refers to what this process holds: take "
                        "gradient() here and pass the gradients on, or let the other process record for itself")

    def __dealloc__(self):
        tg_registry_remove(&registry, &self.tape)
        tg_tape_clear(&self.tape, 0)

    cdef int forget(self, bint renew) except -1:
        """Drops everything recorded; renew: the tape can record again at once."""
        if self.observer is not None:
            self.observer.forgot()
        if TG_WITHOUT_INTERPRETER_LOCK:
            _kept = self.give_up_lists()
            while not tg_reading_forget(&self.tape, &registry, renew):
                pass_time()
            return 0
        await_readers(&self.tape)
        tg_registry_remove(&registry, &self.tape)
        tg_tape_clear(&self.tape, tg_registry_new_id(&registry) if renew else 0)
        if renew:
            tg_registry_add(&registry, &self.tape)
        self.variables = self.payloads = None
        return 0

    cdef int remember_variable(self, Value variable) except -1:
        if TG_WITHOUT_INTERPRETER_LOCK:
            self.lists()[0].append(variable)
            return 0
        if self.variables is None:
            self.variables = []
        self.variables.append(variable)
        return 0

    cdef int keep(self, object payload) except -1:
        if TG_WITHOUT_INTERPRETER_LOCK:
            self.lists()[1].append(payload)
            return 0
        if self.payloads is None:
            self.payloads = []
        self.payloads.append(payload)
        return 0

    # Where no interpreter lock makes one step of these.

    @cython.critical_section
    cdef tuple lists(self):
        """The lists of variables and payloads."""
        if self.variables is None:
            self.variables = []
        if self.payloads is None:
            self.payloads = []
        return self.variables, self.payloads

    @cython.critical_section
    cdef tuple give_up_lists(self):
        """What nodes refer to, which goes after them; what is recorded from now on is listed anew."""
        lists = self.variables, self.payloads
        self.variables = self.payloads = None
        return lists

    @cython.critical_section
    cdef bint claims(self, int before, int after, tuple variables=None) except -1:
        """Takes the tape from one state to another, if no other thread has taken it from there; CONSUMED with the
        variables that it remembers."""
        if self.state != before:
            return False
        self.state = after
        self.remembered = variables
        return True

    @cython.critical_section
    cdef tuple recalled(self):
        """The variables of a tape that is CONSUMED, else None."""
        return self.remembered if self.state == CONSUMED else None

    def _observe(self, observer):
        """Makes `observer` hear of every node from now on; None ends it."""
        self.observer = observer
        self.tape.observed = observer is not None

    def _nodes(self, uint32_t slot=0, size_t limit=0):
        """What the tape holds from a slot on (no more than `limit` nodes, if that is not 0), in order: (slot, kind,
        name, slots of the operands (None for constants), [(shape, dtype)] of the outputs, [(address, bytes)] of the
        buffers of the saved arrays) for each node."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        try:
            return self.nodes_from(slot, limit)
        finally:
            tg_reading_end(&self.tape, reading)

    cdef list nodes_from(self, uint32_t slot, size_t limit):
        cdef uint32_t k
        cdef int bit
        cdef tg_node *node
        cdef tg_value saved
        cdef list result = []
        while slot < self.tape.slots:
            node = tg_tape_node(&self.tape, slot)
            held = []
            kind, name = "watched", "watch"
            if node.kind == TG_NODE_EXTERNAL:
                kind, name = "external", rule_name((<tuple><object>tg_node_payload(node)[0])[0])
                held = arrays_in((<tuple><object>tg_node_payload(node)[0])[1], [])
            elif node.kind != TG_NODE_LEAF:
                kind = "elementwise" if node.kind == TG_NODE_ELEMENTWISE else "structural"
                name = OPS[node.op] if node.kind == TG_NODE_ELEMENTWISE else STRUCTURAL_NAMES[node.op]
                for bit in range(TG_MAX_OPERANDS + 1):
                    if node.array_mask >> bit & 1:
                        saved = tg_node_saved_value(node, bit)
                        if saved.array != NULL:  # a number that did not fit the word counts with the nodes
                            held.append(buffer_of(saved.array))
            result.append((slot, kind, name,
                           [None if node.in_[k] == TG_NO_SLOT else node.in_[k] for k in range(node.operands)],
                           [(output_shape(tg_tape_output(&self.tape, slot + k)),
                             DTYPES[tg_tape_output(&self.tape, slot + k).dtype]) for k in range(tg_node_outputs(node))],
                           held))
            slot += tg_node_outputs(node)
            if len(result) == <Py_ssize_t>limit:
                break
        return result

    def _parameters(self, uint32_t slot):
        """The parameters of a structural node: those of structural.h, as a tuple."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        cdef tg_node *node = tg_tape_node(&self.tape, slot)
        cdef int i
        try:
            if node.kind != TG_NODE_STRUCTURAL:
                raise ValueError("only structural nodes have parameters")
            return tuple([tg_node_params(node)[i] for i in range(tg_node_params_count(node))])
        finally:
            tg_reading_end(&self.tape, reading)

    def _rule(self, uint32_t slot):
        """The rule of a node that has it in Python, and what it saved: what `record` was given."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        cdef tg_node *node = tg_tape_node(&self.tape, slot)
        try:
            if node.kind != TG_NODE_EXTERNAL:
                raise ValueError("only nodes with rules in Python have these")
            return <tuple><object>tg_node_payload(node)[0]
        finally:
            tg_reading_end(&self.tape, reading)

    def _saved(self, uint32_t slot, int bit):
        """What a native node saved of operand `bit` (3: of its result), as a tensor; None if it saved nothing there."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        cdef tg_node *node = tg_tape_node(&self.tape, slot)
        try:
            if node.kind == TG_NODE_EXTERNAL or not node.saved_mask >> bit & 1:
                return None
            return saved_tensor(&self.tape, node, bit)
        finally:
            tg_reading_end(&self.tape, reading)

    def _slot(self, Value value not None):
        """The slot under which the tape knows a value, or None; looking does not watch."""
        if self.tape.id == 0:  # nobody's, which stands for an empty handle too
            return None
        cdef uint32_t slot = find_slot(value, self.tape.id)
        return None if slot == TG_NO_SLOT else slot

    @property
    def _arena_bytes(self):
        """The bytes of nodes and of their table."""
        return tg_tape_bytes(&self.tape)

    @property
    def _situation(self):
        """("new", "recording", "paused", "stopped" or "consumed", whether variables are watched when they are read)."""
        situation = "paused" if self.paused else ("new", "recording", "stopped", "consumed")[self.state]
        return situation, bool(self.tape.watches)

    cdef bint keeps(self):
        """Whether what was recorded outlives its use, for a later explanation."""
        return self.persistent or (self.observer is not None and self.observer.debug)

    cdef int start(self) except -1:
        check(tg_thread_push(&self.tape))
        Py_INCREF(self)  # the thread's list borrows the tape
        self.state = RECORDING
        if tg_thread_current().checking > 0 and self.observer is None:
            self._observe(late("_observing").Observer(self, False, None))
        if self.observer is not None:
            self.observer.entered()
        return 0

    cdef int stop(self) except -1:
        if not tg_thread_remove(&self.tape):
            raise RuntimeError("a tape stops recording on the thread that entered it; this is another one")
        self.state = STOPPED
        if self.observer is not None:
            self.observer.exited()
        Py_DECREF(self)
        return 0

    def __enter__(self):
        cdef int before = self.state
        cdef bint entered = False
        if before == RECORDING or (TG_WITHOUT_INTERPRETER_LOCK and not self.claims(before, RECORDING)):
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        try:
            if self.tape.readers:
                raise RuntimeError("the tape is being differentiated on another thread; enter it when that is done")
            if before != STOPPED:
                self.forget(True)
            self.start()
            entered = True
        finally:
            if TG_WITHOUT_INTERPRETER_LOCK and not entered:
                self.state = before
        return self

    def __exit__(self, *details):
        if self.state == RECORDING:
            self.stop()

    def watch(self, tensor):
        """Follows a tensor or variable, or every one in a nested structure, from now on.

        Raises
        ------
        ValueError
            for anything that is not a tensor or a variable
        RuntimeError
            if the tape was never entered, or is consumed
        """
        if self.state == NEW or self.state == CONSUMED:
            raise RuntimeError("watch() needs a tape that has been entered: use it inside `with tape:`")
        if isinstance(tensor, Value):
            self.watch_one(tensor)
            return
        if (type(tensor) is list or type(tensor) is tuple) and all_values(tensor):
            leaves = tensor
        else:
            leaves = late("nest").flatten(tensor)
            for leaf in leaves:
                if not isinstance(leaf, Value):
                    raise ValueError(f"Passed in object {leaf} of type {type(leaf).__name__!r}, not tf.Tensor or "
                                     "tf.Variable or ExtensionType.")
        for leaf in leaves:
            self.watch_one(leaf)

    cdef int watch_one(self, Value value) except -1:
        if not tg_dtype_is_inexact(value.value.dtype):
            warn("The dtype of the watched tensor must be floating (e.g. tf.float32), got tf.%s: its gradient will be "
                 "None. Write the number as 3.0, or pass dtype=tf.float32.", value.dtype.name)
            return 0
        watch_value(&self.tape, value)
        return 0

    def watched_variables(self):
        """The variables watched so far, in the order of their construction."""
        if TG_WITHOUT_INTERPRETER_LOCK:
            variables = self.recalled()
            return tuple(sorted(self.lists()[0], key=_birth)) if variables is None else variables
        if self.state == CONSUMED:
            return () if self.remembered is None else self.remembered
        return () if self.variables is None else tuple(sorted(self.variables, key=_birth))

    def stop_recording(self):
        """A context in which this tape records nothing.

        Raises RuntimeError if the tape was never entered or is consumed, ValueError if it is not recording.
        """
        return _StopRecording(self)

    def reset(self):
        """Forgets everything recorded and watched; the tape goes on recording.

        Raises ValueError if it is not recording.
        """
        if self.state != RECORDING:
            raise ValueError("Tape is not recording.")
        self.forget(True)

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        """The gradient of the sum of all elements of `target` with respect to each of `sources`.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        output_gradients : as `target`, optional
            The cotangent of each target, of its shape and dtype; None stands for ones.
        unconnected_gradients : UnconnectedGradients or its value, "none" or "zero"
            What stands for the gradient of a source that no target depends on: None, or zeros.

        Returns
        -------
        Tensor or None, or the structure of `sources` with these
            Each of the shape and dtype of its source.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and this is the second call
        TypeError
            if a target or source is not a tensor or variable
        ValueError
            if `output_gradients` does not fit the targets, or for an unknown `unconnected_gradients`
        """
        cdef list targets, flat_sources, seeds, results
        cdef bint zero
        self.check_usable()
        zero = zeros_wanted(unconnected_gradients)
        if target is None:
            raise TypeError("Argument `target` should be a list or nested structure of Tensors, Variables or "
                            "CompositeTensors to be differentiated, but received None.")
        targets = flatten_values(target, "target")
        flat_sources = flatten_values(sources, "sources")
        seeds = seeds_for(targets, output_gradients)
        self.end_recording()
        results = self.differentiate(targets, flat_sources, seeds)
        if zero:
            results = [zeros_of(<Value>s) if r is None else r for r, s in zip(results, flat_sources)]
        return pack_values(sources, results)

    def jacobian(self, target, sources, unconnected_gradients="none", parallel_iterations=None,
                 experimental_use_pfor=True, *, max_bytes=None, progress=False):
        """The derivative of each element of `target` with respect to each element of `sources`.

        All rows go through one reverse sweep, or all columns through one forward push where the sources have fewer
        elements than the target; large ones in chunks.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        unconnected_gradients : UnconnectedGradients or its value, "none" or "zero"
            What stands for the Jacobian with respect to a source that the target does not depend on.
        parallel_iterations, experimental_use_pfor
            TensorFlow's; they have no effect.
        max_bytes : int, optional
            A bound for the memory of the intermediate results of a chunk.
        progress : bool
            Whether to show a progress bar, which needs tqdm.

        Returns
        -------
        Tensor or None, or the structure of `sources` with these
            Of shape ``target.shape + source.shape`` and the source's dtype. For a structure of targets, that structure
            with one such result each.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        TypeError
            if a target or source is not a tensor or variable
        ValueError
            for an unknown `unconnected_gradients`
        """
        zero = zeros_wanted(unconnected_gradients)
        if (isinstance(target, Value) and isinstance(sources, Value) and max_bytes is None and not progress
                and not (changes(target) or changes(sources))):
            if self.in_one_pass(target, sources):
                return self.jacobian_in_one_pass(target, sources, zero)
        return late("_jacobians").jacobian(self, target, sources, zero, max_bytes, progress)

    cdef bint in_one_pass(self, Value target, Value source):
        """Whether a Jacobian is so small and simple that nothing has to be decided but the direction."""
        cdef tg_index rows = tg_value_size(&target.value), columns = tg_value_size(&source.value)
        cdef tg_index widest = max(rows, columns, self.typical_size())
        return (rows > 0 and columns > 0 and tg_dtype_is_native(target.value.dtype)
                and source.value.dtype == target.value.dtype and min(rows, columns) * widest <= CHUNK_ELEMENTS
                and tg_value_ndim(&target.value) + tg_value_ndim(&source.value) < TG_MAX_DIMS)

    cdef object jacobian_in_one_pass(self, Value target, Value source, bint zero):
        cdef tg_index rows = tg_value_size(&target.value), columns = tg_value_size(&source.value)
        cdef tg_index shape[TG_MAX_DIMS]
        cdef int t_ndim = tg_value_ndim(&target.value), s_ndim = tg_value_ndim(&source.value), d
        self._open()
        try:
            if rows <= columns:
                found = self._pull([target], [source], [unit_stack(target, 0, rows)], rows)[0]
            else:
                found = self._push([target], [source], [unit_stack(source, 0, columns)], columns)[0]
            if found is None:
                return own(np.zeros(target.shape + source.shape, source.dtype.as_numpy_dtype)) if zero else None
            if rows > columns:
                found = transpose(found, (*range(1, t_ndim + 1), 0))
            for d in range(t_ndim):
                shape[d] = tg_value_shape(&target.value)[d]
            for d in range(s_ndim):
                shape[t_ndim + d] = tg_value_shape(&source.value)[d]
            return in_shape(found, t_ndim + s_ndim, shape)
        finally:
            self._close()

    def batch_jacobian(self, target, source, unconnected_gradients="none", parallel_iterations=None,
                       experimental_use_pfor=True, *, max_bytes=None):
        """The Jacobian of each row of `target` with respect to the same row of `source`.

        Rows must not depend on other rows' sources: what they contribute is summed.

        Parameters
        ----------
        target : tensor or variable of shape (b, ...)
        source : tensor or variable of shape (b, ...)
        unconnected_gradients : UnconnectedGradients or its value
            Without effect but for the check: a source without influence gives zeros, as in TensorFlow.
        parallel_iterations, experimental_use_pfor
            TensorFlow's; they have no effect.
        max_bytes : int, optional
            A bound for the memory of the intermediate results of a chunk.

        Returns
        -------
        Tensor
            Of shape ``target.shape + source.shape[1:]``.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        ValueError
            if there are fewer than two dimensions, or the numbers of rows differ
        TypeError
            if target or source is not one tensor or variable
        """
        zeros_wanted(unconnected_gradients)
        return late("_jacobians").batch_jacobian(self, target, source, max_bytes)

    def pullback(self, target, sources, cotangents):
        """The gradients for many cotangents of `target` in one sweep: products with the Jacobian from the left.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        cotangents : as `target`
            For each target a stack of n cotangents, of shape ``(n, *target.shape)``; None stands for zeros.

        Returns
        -------
        Tensor or None, or the structure of `sources` with these
            Of shape ``(n, *source.shape)``.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        ValueError
            if the shapes do not fit
        """
        return late("_jacobians").pullback(self, target, sources, cotangents)

    def pushforward(self, target, sources, tangents):
        """The tangents of `target` for many tangents of `sources` in one push: products with the Jacobian from the
        right.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        tangents : as `sources`
            For each source a stack of n tangents, of shape ``(n, *source.shape)``; None stands for zeros.

        Returns
        -------
        Tensor or None, or the structure of `target` with these
            Of shape ``(n, *target.shape)``.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        ValueError
            if the shapes do not fit
        """
        return late("_jacobians").pushforward(self, target, sources, tangents)

    def _pull(self, list targets, list sources, list cotangents, tg_index batch):
        """One sweep for `batch` cotangents of each target (None: zero), stacked along a new first axis; so are the
        results, with None where there is no dependence. The tape stays as it is."""
        cdef Py_ssize_t i
        cdef uint32_t *slots
        cdef tg_reading reading = begin_reading(&self.tape, False)
        known = [(t, c) for t, c in zip(targets, cotangents) if c is not None]
        slots = <uint32_t *>malloc((len(sources) + len(known) + 1) * sizeof(uint32_t))
        try:
            if slots == NULL:
                raise MemoryError()
            for i in range(len(sources)):
                slots[i] = find_slot(<Value>sources[i], self.tape.id)
            for i in range(len(known)):
                slots[len(sources) + i] = find_slot(<Value>known[i][0], self.tape.id)
            seeds = [c for _, c in known]
            results = sweep(self, len(sources), slots, len(known), slots + len(sources), seeds, batch, False)
            add_own(results, sources, slots, [t for t, _ in known], seeds)
            return results
        finally:
            tg_reading_end(&self.tape, reading)
            free(slots)

    def _push(self, list targets, list sources, list tangents, tg_index batch=0):
        """One push of the sources' tangents (None: zero), with a batch stacked along a new first axis, to those of the
        targets, None where there is no dependence. The tape stays as it is."""
        cdef Push push = Push(self, batch)
        cdef tg_reading reading = begin_reading(&self.tape, False)
        try:
            for source, tangent in zip(sources, tangents):
                if tangent is not None and find_slot(<Value>source, self.tape.id) != TG_NO_SLOT:
                    push.seed(source, tangent)
            if push.tangents:
                push.prune(targets)
                for target in targets:
                    push.advance(target)
            return [own_tangent(target, sources, tangents) if self._slot(target) is None else push.tangent(target)
                    for target in targets]
        finally:
            tg_reading_end(&self.tape, reading)

    def _follow(self, list values):
        """Watches values from now on, before the tape is entered for the first time."""
        self.forget(True)
        self.state = STOPPED
        for value in values:
            self.watch_one(<Value?>value)

    cdef int check_usable(self) except -1:
        if self.state == NEW or self.state == CONSUMED:
            raise RuntimeError(ONE_SET)
        return 0

    cdef int end_recording(self) except -1:
        """Taking derivatives ends the recording of a tape that is not persistent."""
        if self.state == RECORDING:
            if not self.persistent:
                self.stop()
            elif not self.paused:
                warn(INSIDE)
        return 0

    cdef int use_up(self) except -1:
        """Before the first sweep, so that no other thread starts on what is used up: this set of derivatives is the
        only one, unless the tape is persistent."""
        if not self.persistent:
            if TG_WITHOUT_INTERPRETER_LOCK:
                if not self.claims(STOPPED, CONSUMED, tuple(sorted(self.lists()[0], key=_birth))):
                    raise RuntimeError(ONE_SET)
                return 0
            self.remembered = None if self.variables is None else self.watched_variables()
            self.state = CONSUMED
        return 0

    def _open(self):
        """Checks that derivatives can be taken now, and begins to take them; `_close` must follow."""
        self.check_usable()
        self.end_recording()
        self.use_up()

    def _close(self):
        """After the last derivative of a set: what has been used up goes."""
        if not self.keeps():
            self.forget(False)

    cdef tg_index typical_size(self):
        """The elements of a recorded array, on average."""
        return self.tape.work // max(<tg_index>self.tape.nodes, 1)

    def _rows_per_chunk(self, Value like not None):
        """How many cotangents of a value's shape fit into a chunk that the cache holds."""
        if changes(like):
            like = settled_now(like)
        return CHUNK_ELEMENTS // max(tg_value_size(&like.value), self.typical_size(), 1)

    @property
    def _work(self):
        """The elements of all recorded arrays."""
        return self.tape.work

    def explain(self, target, source):
        """Says why the gradient of `target` with respect to `source` is None or zero.

        A tape that was made with ``debug=True`` knows what happened to the values that left it, and the lines of the
        program; another one says what it can. What a debug tape has recorded stays for this after `gradient`.

        Parameters
        ----------
        target : tensor or variable
        source : tensor or variable

        Returns
        -------
        Explanation
            Its text by `str`; `reason`, `where`, `op` and `path` as attributes.

        Raises
        ------
        TypeError
            if one of them is not a tensor or a variable

        Examples
        --------
        >>> import tapegrad as tf
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape(debug=True) as tape:
        ...     y = 2.0 * tf.stop_gradient(x)
        >>> tape.gradient(y, x) is None
        True
        >>> tape.explain(y, x).reason
        'stop_gradient'
        """
        return late("_observing").explain(self, target, source)

    def summary(self, group=True, limit=40):
        """A table of what the tape has recorded: operations, shapes, dtypes, bytes saved, and on a debug tape lines and
        times.

        Parameters
        ----------
        group : bool
            Whether nodes of one operation, line, shape and dtype share a row.
        limit : int, optional
            The most rows that are printed, those that save most; None prints all.

        Returns
        -------
        Summary
            Its text by `str`; `rows` and totals as attributes.

        Examples
        --------
        >>> import tapegrad as tf
        >>> x = tf.ones([3], dtype=tf.float64)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = tf.exp(x) * x
        >>> tape.summary()
        op        shape  dtype    nodes  saved bytes
        watch     (3,)   float64      1            0
        exp       (3,)   float64      1           24
        multiply  (3,)   float64      1           24
        3 nodes, 48 bytes in 2 saved arrays, 148 bytes of tape
        """
        return late("_drawing").summary(self, group, limit)

    def to_dot(self, limit=200):
        """The recorded graph in Graphviz's language.

        Parameters
        ----------
        limit : int, optional
            The most nodes that are drawn, the last ones of the tape; None draws all.

        Returns
        -------
        str

        Examples
        --------
        >>> import tapegrad as tf
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape() as tape:
        ...     y = x * x
        >>> print(tape.to_dot().splitlines()[0])
        digraph tape {
        """
        return late("_drawing").to_dot(self, limit)

    def _repr_html_(self):
        """The drawing that notebooks show."""
        return late("_drawing").to_html(self)

    @property
    def nbytes(self):
        """The bytes that the tape keeps in memory: its nodes, and the arrays that they save.

        Each buffer counts once and as a whole, even if a node saves a view of part of it or the program holds it too.
        What Python rules save beside tensors, arrays, and lists and tuples of these does not count.
        """
        return late("_drawing").nbytes(self)

    cdef list differentiate(self, list targets, list sources, list seeds):
        """Gradients by position of the sources, None where there is none. Consumes a tape that is not persistent."""
        cdef list results
        cdef Py_ssize_t i
        cdef size_t sources_count = len(sources), targets_count = len(targets)
        cdef uint32_t few[FEW]
        cdef uint32_t *slots = few
        cdef tg_reading reading = TG_READING_WITHIN
        self.use_up()
        if sources_count + targets_count > FEW:
            slots = <uint32_t *>malloc((sources_count + targets_count) * sizeof(uint32_t))
            if slots == NULL:
                raise MemoryError()
        try:
            if TG_WITHOUT_INTERPRETER_LOCK:
                reading = begin_reading(&self.tape, not self.keeps())
            for i in range(len(sources)):
                if not tg_dtype_is_inexact((<Value>sources[i]).value.dtype):
                    warn("The dtype of the source tensor must be floating (e.g. tf.float32) when calling "
                         "GradientTape.gradient, got tf.%s: there is no gradient. Write the number as 3.0, or pass "
                         "dtype=tf.float32.", sources[i].dtype.name)
                slots[i] = find_slot(<Value>sources[i], self.tape.id)
            for i in range(len(targets)):
                slots[sources_count + i] = find_slot(<Value>targets[i], self.tape.id)
            try:
                results = sweep(self, sources_count, slots, targets_count, slots + sources_count, seeds, 0,
                                not self.keeps())
            finally:
                self._close()
            add_own(results, sources, slots, targets, seeds)
        finally:
            tg_reading_end(&self.tape, reading)
            if slots != few:
                free(slots)
        return results

# --- which tapes record -----------------------------------------------------------------------------------------------


def recording_tapes():
    """The tapes that record on this thread, outermost first."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    return [<object>(<PyObject *>thread.tapes[i].owner) for i in range(thread.base, thread.count)
            if thread.tapes[i].owner != NULL]  # others are the C interface's


def check_for_anomalies(int change):
    """Counts the blocks of this thread that look for NaNs and infinities; returns how many there are now."""
    cdef tg_thread *thread = tg_thread_current()
    thread.checking += change
    return thread.checking


def tape_within(within):
    """A tape for a rule's own operations; `within`: the rules on whose behalf it records."""
    cdef GradientTape tape = GradientTape(True, False)
    tape.within = within
    return tape


def accumulator_tape():
    """The tape on which a forward accumulator follows its primals."""
    cdef GradientTape tape = GradientTape(True, False)
    tape.accumulates = True
    return tape


def is_recording():
    """Whether any tape records on this thread."""
    return bool(tg_thread_records(tg_thread_current()))


cdef class _StopRecording:
    cdef GradientTape owner

    def __init__(self, GradientTape owner):
        self.owner = owner

    def __enter__(self):
        if self.owner.state == NEW or self.owner.state == CONSUMED:
            raise RuntimeError("Trying to stop recording a tape which is not recording.")
        if self.owner.state != RECORDING:
            raise ValueError("Tape is not recording.")
        self.owner.stop()
        self.owner.paused = True
        if self.owner.observer is not None:
            self.owner.observer.paused()

    def __exit__(self, *details):
        if self.owner.paused and self.owner.observer is not None:
            self.owner.observer.resumed()
        self.owner.paused = False
        if self.owner.state == STOPPED:
            self.owner.start()


cdef tuple buffer_of(tg_array *array):
    """(address, bytes) of the elements that an array keeps in memory: a view those of the array that it looks into."""
    cdef const tg_array *base = tg_array_base(array)
    return <size_t>base.data, base.size * tg_itemsize(base.dtype)


cdef list arrays_in(object saved, list found):
    """(address, bytes) of the arrays of tensors in what a Python rule saved."""
    cdef tg_array *array
    if isinstance(saved, Value):
        array = (<Value>saved).value.array
        if array != NULL:
            found.append(buffer_of(array))
    elif isinstance(saved, np.ndarray):
        found.append((saved.ctypes.data, saved.nbytes))
    elif isinstance(saved, (tuple, list)):
        for part in saved:
            arrays_in(part, found)
    return found

# --- targets, sources and cotangents ----------------------------------------------------------------------------------


cdef bint all_values(object items):
    """Whether a list or tuple holds tensors and variables only."""
    for item in items:
        if not is_value(item):
            return False
    return True


def flatten_values(structure, str argument):
    """The tensors and variables of a nested structure, in order; `argument` names it in the TypeError for others."""
    if isinstance(structure, Value):
        return [structure]
    if type(structure) is list and all_values(structure):
        return structure
    if type(structure) is tuple and all_values(structure):
        return list(structure)
    leaves = late("nest").flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(f"{argument} must be a tensor or a variable, or a structure of these; it holds {leaf!r} of "
                            f"type {type(leaf).__name__!r}. Convert it with tapegrad.constant inside the tape.")
    return leaves


def pack_values(structure, list leaves):
    """The leaves in the form of a structure that `flatten_values` has taken apart."""
    if isinstance(structure, Value):
        return leaves[0]
    if type(structure) is list and all_values(structure):
        return leaves
    if type(structure) is tuple and all_values(structure):
        return tuple(leaves)
    return late("nest").pack_sequence_as(structure, leaves)


cdef list seeds_for(list targets, object output_gradients):
    """The cotangent of each target, checked, None for ones; None altogether if all are ones."""
    if output_gradients is None:
        return None
    given = late("nest").flatten(output_gradients)
    if len(given) != len(targets):
        raise ValueError(f"output_gradients has {len(given)} entries, but there are {len(targets)} targets. A Python "
                         "list counts as a structure with one entry per target: write one cotangent as an array or a "
                         "tensor.")
    seeds = []
    for i, (seed, target) in enumerate(zip(given, targets)):
        if seed is not None:
            seed = tensor(seed, target.dtype if isinstance(seed, (int, float, complex)) else None)
            if seed.dtype != target.dtype:
                raise ValueError(f"output_gradients[{i}] has dtype {seed.dtype.name}, its target {target.dtype.name}: "
                                 f"use tapegrad.cast(..., {target.dtype.name!r})")
            if seed.shape != target.shape:
                raise ValueError(f"output_gradients[{i}] has shape {seed.shape}, its target {target.shape}")
        seeds.append(unchanging(seed))
    return seeds


cdef Tensor zeros_of(Value like):
    return own(np.zeros(like.shape, like.dtype.as_numpy_dtype))


cdef Tensor ones_of(Value like):
    return own(np.ones(like.shape, like.dtype.as_numpy_dtype))


def unit_stack(Value like not None, tg_index start, tg_index stop):
    """The unit vectors number `start` to `stop` of a value's shape and type, stacked along a new first axis."""
    cdef tg_value value
    cdef tg_index shape[TG_MAX_DIMS]
    cdef tg_index i, size, step
    cdef int d, ndim
    if changes(like):
        return unit_stack(settled_now(like), start, stop)
    size = tg_value_size(&like.value)
    ndim = tg_value_ndim(&like.value)
    if not tg_dtype_is_native(like.value.dtype):
        rows = np.eye(stop - start, size, start, like.dtype.as_numpy_dtype)
        return own(rows.reshape(stop - start, *like.shape))
    shape[0] = stop - start
    for d in range(ndim):
        shape[d + 1] = tg_value_shape(&like.value)[d]
    value.dtype = like.value.dtype
    check(tg_array_new(pool, value.dtype, ndim + 1, shape, &value.array))
    step = tg_itemsize(value.dtype)
    memset(value.array.data, 0, shape[0] * size * step)
    for i in range(shape[0]):
        if value.dtype == TG_F64:
            (<double *>(value.array.data + (i * size + start + i) * step))[0] = 1.0
        else:
            (<float *>(value.array.data + (i * size + start + i) * step))[0] = 1.0
    return new_tensor(&value)


def fit_to(value, tuple shape not None, dtype):
    """A contribution to the adjoint of an operand of this shape and type: summed over broadcast axes, converted."""
    cdef tg_output output
    cdef tg_index sizes[TG_MAX_DIMS]
    cdef int d
    output.dtype = dtype_index(dtype)
    output.ndim = len(shape)
    for d in range(output.ndim):
        sizes[d] = shape[d]
    output.shape = sizes
    return fit(value, output, 0)


cdef bint zeros_wanted(object unconnected_gradients) except -1:
    """Whether unconnected sources get zeros, from an UnconnectedGradients or its value."""
    choice = unconnected_gradients if type(unconnected_gradients) is str else getattr(
        unconnected_gradients, "value", unconnected_gradients)
    if type(choice) is str and (choice == "none" or choice == "zero"):
        return choice == "zero"
    raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}")


def _birth(variable):
    return (<Value>variable).birth


cdef int add_own(list results, list sources, uint32_t *slots, list targets, list seeds) except -1:
    """A target that the tape does not know still depends on itself: to the gradients of sources without a slot."""
    cdef Py_ssize_t i, t
    for i in range(len(sources)):
        if slots[i] == TG_NO_SLOT and tg_dtype_is_inexact((<Value>sources[i]).value.dtype):
            for t in range(len(targets)):
                if targets[t] is sources[i]:
                    seed = ones_of(<Value>sources[i]) if seeds is None or seeds[t] is None else seeds[t]
                    results[i] = seed if results[i] is None else results[i] + seed
    return 0


cdef object own_tangent(Value target, list sources, list tangents):
    """Likewise forwards: the tangent of a target that the tape does not know, if it is a source."""
    for source, tangent in zip(sources, tangents):
        if source is target and tg_dtype_is_inexact(target.value.dtype):
            return tangent
    return None

# --- sweeps -----------------------------------------------------------------------------------------------------------

cdef struct SweepContext:
    PyObject *error   # an exception on its way from a hook to the caller, owned; or NULL
    PyObject *slices  # a dict: for source slots the lists of IndexedSlices they got, borrowed


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


cdef tg_value lent(Tensor tensor):
    """The tensor's value with a reference of its own, for the core to take."""
    if changes(tensor):
        tensor = settled_now(tensor)
    if tensor.value.array != NULL:
        tg_array_retain(tensor.value.array)
    return tensor.value


cdef Tensor borrowed_tensor(const tg_value *value):
    """A tensor of a value that somebody else owns. (0-d arrays, as the sweep keeps them, become numbers.)"""
    cdef tg_value own_value = value[0]
    if own_value.array != NULL:
        tg_array_retain(own_value.array)
        tg_value_from_array(own_value.array, &own_value)
    return new_tensor(&own_value)


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


cdef list sweep(GradientTape owner, size_t sources_count, uint32_t *sources, size_t targets_count, uint32_t *targets,
                list seeds, tg_index batch, bint consume):
    """The adjoints of the source slots after a sweep: natively, or recorded if a tape records on this thread.

    With a batch, seeds and adjoints have one more axis in front. `consume`: what nodes saved may be let go on the way.
    """
    cdef tg_sweep sweep
    cdef tg_sweep_hooks hooks
    cdef tg_thread *thread = tg_thread_current()
    cdef bint checked = thread.checking > 0 or (owner.observer is not None and owner.observer.looks_for_anomalies)
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
        check(tg_sweep_begin(&sweep, &owner.tape, &loops, &hooks, known_sources, known, known_targets,
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
            results = native_sweep(owner, &sweep, &context, sources_count, sources, targets_count, targets, seeds)
    finally:
        tg_sweep_end(&sweep)
    return results


cdef Tensor constant_of(object maker, tg_output output, tg_index batch):
    """`numpy.ones` or `numpy.zeros` in the shape and type of a node's output, behind the batch axis if there is one."""
    cdef tg_value number
    if output.ndim == 0 and not batch and tg_dtype_is_native(output.dtype):
        number.array = NULL
        number.dtype = output.dtype
        set_number(&number, 1.0 if maker is np.ones else 0.0)
        return new_tensor(&number)
    shape = output_shape(output)
    return own(maker((batch, *shape) if batch else shape, DTYPES[output.dtype].as_numpy_dtype))


cdef list native_sweep(GradientTape owner, tg_sweep *sweep, SweepContext *context, size_t sources_count,
                       uint32_t *sources, size_t targets_count, uint32_t *targets, list seeds):
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
    if sweep.high - sweep.low > 4096 or owner.tape.work > RELEASE_LOCK_AT:
        count_reader(&owner.tape, 1)
        if others_run():
            tg_pool_share(pool)
            with nogil:
                status = tg_sweep_run(sweep)
            tg_pool_unshare(pool)
        else:
            status = tg_sweep_run(sweep)
        count_reader(&owner.tape, -1)
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

# --- what one node passes back ----------------------------------------------------------------------------------------


cdef list contributions_of(tg_sweep *sweep, tg_node *node, tuple cotangents):
    """For each operand of a node the contribution to its adjoint (a tensor, not yet fitted), or None."""
    cdef uint32_t k, operands = node.operands, slot = node.slot
    cdef bint known = False
    cdef tuple wanted = PyTuple_New(operands)
    cdef list found
    for c in cotangents:
        known = known or c is not None
    for k in range(operands):
        set_item(wanted, k, node.in_[k] != TG_NO_SLOT and tg_sweep_is_active(sweep, node.in_[k]))
    if node.kind == TG_NODE_EXTERNAL:
        rule, saved = <tuple><object>tg_node_payload(node)[0]
        if not known:
            return [None] * operands
        if sweep.batch:
            found = list(late("_batching").batched_vjp(rule, saved, cotangents, wanted, sweep.batch,
                                                       (<GradientTape>sweep.tape.owner).within))
        else:
            found = list(rule.vjp(saved, cotangents, wanted))
        if len(found) != <Py_ssize_t>operands:
            raise ValueError(f"the rule {rule!r} returned {len(found)} cotangents for {operands} operands")
        for k in range(operands):
            if not wanted[k]:
                found[k] = None
        return found
    found = []
    for k in range(operands):
        if not wanted[k] or (node.kind == TG_NODE_ELEMENTWISE and tg_op_table[node.op].partial[k] == NULL):
            found.append(None)
            continue
        if not known:
            tg_sweep_reach(sweep, node.in_[k])
            found.append(None)
            continue
        if (node.op == TG_TAKE and node.kind == TG_NODE_STRUCTURAL and tg_node_params_count(node) > 1
                and not sweep.batch):
            found.append(rows_of(sweep.tape, node, cotangents[0]))
        else:
            found.append(operand_cotangent(sweep.tape, slot, k, cotangents[0], sweep.batch))
        node = tg_tape_node(sweep.tape, slot)  # recording may have moved the arena
    return found


cdef object rows_of(tg_tape *tape, tg_node *node, Tensor g):
    """The cotangent of rows as IndexedSlices of what they were taken from."""
    shape = output_shape(tg_tape_output(tape, node.in_[0]))
    indices = reshape(saved_tensor(tape, node, 1), (-1,))
    return late("indexed_slices").IndexedSlices(reshape(g, (indices.shape[0], *shape[1:])), indices, shape)


cdef Tensor saved_tensor(tg_tape *tape, tg_node *node, int bit):
    """A value that a node saved, with its place on this tape and on those that knew it."""
    cdef tg_value value = tg_node_saved_value(node, bit)
    cdef Tensor result = borrowed_tensor(&value)
    cdef uint32_t slot = node.slot if bit == TG_MAX_OPERANDS else node.in_[bit]
    cdef uint32_t i = 0
    cdef tg_handle handle
    if slot != TG_NO_SLOT:
        add_handle(result, tape, slot)
    while tg_node_saved_handle(node, bit, i, &handle):
        if tg_registry_has(&registry, handle.id):
            check(tg_handles_add(&result.handles, pool, handle.id, handle.slot, tg_registry_has, &registry))
        i += 1
    return result


cdef object operand_cotangent(tg_tape *tape, uint32_t slot, uint32_t k, Tensor g, tg_index batch):
    """g carried back through operand k of an elementwise or structural node, by operations that may be recorded."""
    cdef tg_node *node = tg_tape_node(tape, slot)
    cdef tg_transposition rule
    cdef Tensor other = None
    if node.kind == TG_NODE_ELEMENTWISE:
        return late("_rules").cotangent(node.op, k, g, saved_tensors(tape, node, tg_op_table[node.op].needs[k]))
    tg_structural_transpose(tape, node, k, &rule)
    if rule.saved_bit >= 0:
        other = saved_tensor(tape, node, rule.saved_bit)
    if rule.call.op == TG_MATMUL and g.dtype.is_complex:
        other = late("_ops.complex_parts").conjugate(other)
    return carried(&rule, g, other, batch)


cdef list saved_tensors(tg_tape *tape, tg_node *node, unsigned mask):
    """x, y, z and the result of an elementwise node, None for those that are not in the mask."""
    cdef int bit
    return [saved_tensor(tape, node, bit) if mask >> bit & 1 else None for bit in range(TG_MAX_OPERANDS + 1)]


cdef object carried(tg_transposition *rule, Tensor g, Tensor other, tg_index batch):
    """A structural rule applied to a cotangent or tangent, which has one more axis in front if there is a batch."""
    cdef tg_call *call = &rule.call
    cdef tg_index *params
    cdef bint second = rule.cotangent_second
    if call.op == TG_CAST:
        return g  # fitting it to where it goes converts it
    if batch and (call.op == TG_SUM or call.op == TG_EXPAND):
        return reduced_or_expanded(call, g)
    if call.op == TG_MATMUL or g.dtype.is_complex:
        call.dtype = g.value.dtype
    params = <tg_index *>malloc((call.params_count + 4) * sizeof(tg_index))  # a batch adds up to three
    if params == NULL:
        raise MemoryError()
    try:
        if batch:
            tg_batch_call(call, batch, params)
        if call.params != params:  # those of a node move with the arena
            memcpy(params, call.params, call.params_count * sizeof(tg_index))
            call.params = params
        return structural(call, other if second else g, g if second else other)
    finally:
        free(params)


cdef object reduced_or_expanded(tg_call *call, Tensor g):
    """SUM or EXPAND behind a batch axis."""
    cdef int d
    cdef uint64_t mask = <uint64_t>call.params[0]
    cdef tuple shape = g.shape, result = shape[:1] + tuple([call.shape[d] for d in range(call.ndim)])
    if call.op == TG_SUM:
        return reshape(sum(g, tuple([d for d in range(1, len(shape)) if mask >> (d - 1) & 1]), True), result)
    return broadcast_to(reshape(g, shape[:1] + tuple([1 if mask >> d & 1 else call.shape[d]
                                                      for d in range(call.ndim)])), result)


cdef tuple output_shape(tg_output output):
    return sizes(output.ndim, output.shape)


cdef Tensor fit(object contribution, tg_output output, tg_index batch):
    """The contribution in the operand's shape (summed over broadcast dimensions) and type."""
    cdef Tensor value = unchanging(contribution if isinstance(contribution, Tensor) else tensor(contribution))
    cdef int lead = 1 if batch else 0
    cdef int ndim = tg_value_ndim(&value.value), missing = ndim - output.ndim - lead, d
    if not batch and not missing and same_sizes(&value.value, output, 0):
        return in_dtype(value, output.dtype)
    shape = output_shape(output)
    if batch:
        shape = (batch, *shape)
    if missing < 0:
        raise ValueError(f"a rule returned a cotangent of shape {value.shape} for an operand of shape {shape}")
    if value.shape != shape:
        axes = tuple([d for d in range(lead, ndim)
                      if d < missing + lead or (shape[d - missing] == 1 and value.shape[d] != 1)])
        summed = sum(value, axes, True)
        if summed.shape[:lead] + summed.shape[missing + lead:] != shape:
            raise ValueError(f"a rule returned a cotangent of shape {value.shape} for an operand of shape {shape}")
        value = reshape(summed, shape)
    return in_dtype(value, output.dtype)


cdef Tensor in_dtype(Tensor value, int dtype):
    """The value in another type; the real part where that cannot be complex."""
    if value.value.dtype == dtype:
        return value
    if value.dtype.is_complex and not DTYPES[dtype].is_complex:
        value = late("_ops.complex_parts").real(value)
    return cast(value, DTYPES[dtype])

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


cdef bint same_sizes(const tg_value *value, tg_output output, int lead) noexcept:
    """Whether the sizes behind `lead` axes are the output's."""
    cdef int d
    for d in range(output.ndim):
        if tg_value_shape(value)[d + lead] != output.shape[d]:
            return False
    return True


cdef int accumulate(dict adjoints, uint32_t slot, object contribution) except -1:
    before = adjoints.get(slot)
    adjoints[slot] = contribution if before is None else binary(TG_OP_ADD, before, contribution)
    return 0

# --- pushes -----------------------------------------------------------------------------------------------------------


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
                                           (<GradientTape>tape.owner).within)
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

# --- memory -----------------------------------------------------------------------------------------------------------


def build_info():
    """How this module was compiled, and which of NumPy's inner loops the core runs: names of operations by dtype."""
    cdef int op, t
    found = {}
    for t, name in ((TG_NATIVE_F32, "float32"), (TG_NATIVE_F64, "float64")):
        found[name] = [OPS[op] for op in range(TG_ELEMENTWISE_OPS)
                       if UFUNCS[op] is not None and loops.elementwise[op][t].function != NULL]
        if loops.matmul[t].function != NULL:
            found[name].append("matmul")
    return {"compiler": TG_COMPILER.decode(), "cython": cython.__version__, "assertions": bool(TG_ASSERTIONS),
            "block": TG_BLOCK, "alignment": TG_ALIGNMENT, "dimensions": TG_MAX_DIMS, "loops": found,
            "own": [OPS[op] for op in range(TG_ELEMENTWISE_OPS) if UFUNCS[op] is None]}


def memory_stats():
    """(live, cached, peak, limit, taken, fresh) of the pool that buffers and tapes come from."""
    cdef tg_pool_stats stats = tg_pool_statistics(pool)
    return stats.live, stats.cached, stats.peak, stats.limit, stats.taken, stats.fresh


def memory_reset_peak():
    """Starts the peak anew from what is live now."""
    tg_pool_reset_peak(pool)


def memory_set_limit(limit):
    """The most bytes of freed buffers that are kept for reuse; a smaller limit frees at once."""
    if limit < 0:
        raise ValueError(f"the limit is a number of bytes, got {limit}")
    tg_pool_set_limit(pool, limit)


def memory_trim():
    """Gives every cached buffer back to the system."""
    tg_pool_trim(pool)

# --- the C interface --------------------------------------------------------------------------------------------------


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


cdef class _OpRule:
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
