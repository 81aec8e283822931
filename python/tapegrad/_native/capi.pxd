# What the binding uses of Python's and NumPy's C interfaces, beyond what Cython declares.
cimport numpy as cnp
from cpython.object cimport PyObject, PyTypeObject
from tapecore.ops cimport tg_loop_function

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
    #define tg_tuple_items(tuple) (&PyTuple_GET_ITEM(tuple, 0))
    static inline int tg_pending_error(void) { return PyErr_Occurred() ? -1 : 0; }
    """
    int raise_pending "tg_pending_error"() except -1
    PyTypeObject *type_of "Py_TYPE"(PyObject *o) noexcept
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
