"""Tensors of NumPy's arrays, of numbers and of lists; and what NumPy computes and no tape records."""
cimport numpy as cnp
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memcpy
from tapecore.array cimport (
    tg_array, tg_array_borrow, tg_array_new, tg_array_pack, tg_array_release, tg_array_shape, tg_array_view
)
from tapecore.core cimport TG_F32, TG_F64, TG_I32, TG_OK, tg_index, tg_itemsize
from tapecore.thread cimport tg_thread, tg_thread_current
from tapecore.value cimport tg_value
from tapegrad._native._core cimport check, dtype_index, dtype_of, late, pool, set_number
from tapegrad._native.capi cimport (
    PyArray_ISBEHAVED_RO, PyFloat_AS_DOUBLE, PyFloat_CheckExact, PyLong_CheckExact, type_of
)
from tapegrad._native.following cimport slot_on
from tapegrad._native.recording cimport is_observed
from tapegrad._native.silence cimport hush, unhush
from tapegrad._native.values cimport Tensor, Value, copy_with_handles, new_tensor, view_of

import numpy as np

from tapegrad._native.values import observe_end
from tapegrad.dtypes import DTYPES

cnp.import_array()


cdef void release_object(void *held) noexcept with gil:
    Py_DECREF(<object>held)


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


def snapshot(x):
    """The value of x now as a tensor with x's place on the tapes; other things become constants."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    if not isinstance(x, Value) or isinstance(x, Tensor):
        return tensor(x)
    for i in range(thread.base, thread.count):
        slot_on(thread.tapes[i], <Value>x)
    result = copy_with_handles(<Value>x)
    if is_observed(thread):
        observe_end("read_value", [x], (result,))
    return result

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
