"""Tensors, and what variables share with them: the types, how they are made and freed, and who hears of their use.

Python's operators and indexing are done by modules above, which fill in `operators`.
"""
cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject, PyTypeObject, destructor
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_New
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy
from tapecore.array cimport tg_array, tg_array_pack, tg_array_release, tg_array_retain, tg_array_shape, tg_array_strides
from tapecore.core cimport TG_BOOL, tg_index, tg_itemsize, tg_status
from tapecore.guard cimport (
    TG_WITHOUT_INTERPRETER_LOCK, tg_guard_give, tg_guard_object, tg_guard_set_changes, tg_guard_set_object,
    tg_guard_take
)
from tapecore.ops cimport (
    TG_OP_ABSOLUTE, TG_OP_ADD, TG_OP_DIVIDE, TG_OP_FLOOR_DIVIDE, TG_OP_MULTIPLY, TG_OP_NEGATIVE, TG_OP_POSITIVE,
    TG_OP_REMAINDER, TG_OP_SUBTRACT
)
from tapecore.reading cimport tg_reading_is_leaf
from tapecore.tape cimport tg_tape
from tapecore.thread cimport tg_thread, tg_thread_current
from tapecore.value cimport (
    TG_NO_SLOT, tg_handle, tg_handles, tg_handles_clear, tg_handles_copy, tg_handles_find, tg_handles_find_shared,
    tg_handles_get, tg_value, tg_value_ndim, tg_value_shape, tg_value_size
)
from tapegrad._native._core cimport check, late, pool, registry, type_numbers
from tapegrad._native.capi cimport NPY_ARRAY_ALIGNED, PyArray_New, PyArray_Scalar, PyArray_SetBaseObject, type_of
from tapegrad._native.recording cimport is_observed, owners

import numpy as np

from tapegrad._native._core import IMPLEMENTATIONS, UFUNC_OPERATIONS
from tapegrad.dtypes import DTYPES

cnp.import_array()

cdef extern from *:
    """
    /* The buffer becomes the exporter's, not that of the object which was asked for it. */
    static inline int tg_export_buffer(PyObject *exporter, Py_buffer *buffer, int flags) {
        Py_CLEAR(buffer->obj);
        return PyObject_GetBuffer(exporter, buffer, flags);
    }
    """
    int export_buffer "tg_export_buffer"(object exporter, Py_buffer *buffer, int flags) except -1

# --- values that change -----------------------------------------------------------------------------------------------

# Variables are assigned to, and tensors written to. Under the interpreter lock nobody does while an operation reads its
# operands. Without it an operation works on what cannot change: on tensors as they are, until they are written to; on a
# tensor of its own for a variable (`settled_now`), which knows its variable and watches that; and a tensor that is
# written to keeps its first value, which somebody may be reading, and refers to a tensor with the present one.


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
        return operators.index(self, key)

    def __format__(self, spec):
        if self.value.array == NULL:
            return format(to_numpy(self).item() if spec else to_numpy(self), spec)
        return format(view_of(self), spec)

    def __add__(left, right):
        return operators.binary(TG_OP_ADD, left, right)

    def __sub__(left, right):
        return operators.binary(TG_OP_SUBTRACT, left, right)

    def __mul__(left, right):
        return operators.binary(TG_OP_MULTIPLY, left, right)

    def __truediv__(left, right):
        return operators.binary(TG_OP_DIVIDE, left, right)

    def __floordiv__(left, right):
        return operators.binary(TG_OP_FLOOR_DIVIDE, left, right)

    def __mod__(left, right):
        return operators.binary(TG_OP_REMAINDER, left, right)

    def __pow__(left, right, modulus):
        if modulus is not None:
            return NotImplemented
        return operators.power(left, right)

    def __matmul__(left, right):
        return operators.matmul(left, right)

    def __and__(left, right):
        return operators.piecewise(np.bitwise_and, left, right)

    def __or__(left, right):
        return operators.piecewise(np.bitwise_or, left, right)

    def __xor__(left, right):
        return operators.piecewise(np.bitwise_xor, left, right)

    def __lshift__(left, right):
        return operators.piecewise(np.left_shift, left, right)

    def __rshift__(left, right):
        return operators.piecewise(np.right_shift, left, right)

    def __neg__(self):
        return operators.unary(TG_OP_NEGATIVE, self)

    def __pos__(self):
        return operators.unary(TG_OP_POSITIVE, self)

    def __abs__(self):
        return operators.unary(TG_OP_ABSOLUTE, self)

    def __invert__(self):
        return operators.invert(self)

    def __richcmp__(self, other, int relation):
        return operators.compare(self, other, relation)

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
                        "name in tapegrad.numpy, stack values with tapegrad.stack or tapegrad.numpy.array, multiply by "
                        "SciPy's sparse matrices with tapegrad.sparse.matmul, or take a constant copy with .numpy()")
    return 0


def _items(Value value):
    cdef Py_ssize_t i
    for i in range(len(value)):
        yield operators.index(value, i)


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


cdef uint32_t find_shared(Value value, uint64_t id) noexcept:
    if changes(value) and isinstance(value, Tensor):
        value = settled_now(value)
    return tg_handles_find_shared(&value.handles, &value.guard, id)

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
    return late("_native").tensor(np.asarray(array))


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

# --- making and freeing tensors ---------------------------------------------------------------------------------------

# A scalar operation takes some twenty nanoseconds, so making and freeing its result must take less. Cython's own
# deallocation saves and restores the current exception and its allocation clears the object twice; these do not.


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


cdef Tensor copy_value(Value value):
    """A tensor of the same value without its handles."""
    cdef tg_value copy
    if changes(value):
        return copy_value(settled_now(value))
    copy = value.value
    if copy.array != NULL:
        tg_array_retain(copy.array)
    return new_tensor(&copy)

# --- as shapes and arrays of NumPy ------------------------------------------------------------------------------------


cdef tuple sizes(int ndim, const tg_index *shape):
    """A shape as Python's."""
    cdef tuple result = PyTuple_New(ndim)
    cdef int i
    for i in range(ndim):
        set_item(result, i, shape[i])
    return result


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

# --- what hears of every operation ------------------------------------------------------------------------------------


cdef list listed(int count, PyObject **values):
    """The operands of an operation that are tensors or variables, None for the others."""
    cdef int k
    return [None if values[k] == NULL else <object>values[k] for k in range(count)]


cdef list listed_values(object operands):
    return [x if isinstance(x, Value) else None for x in operands]


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
                owners.observer(tape.owner).ended(name, operands, results)
            else:
                owners.observer(tape.owner).recorded(slot, name, operands, results)
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
            owners.observer(thread.tapes[i].owner).ended(name, operands, results)
