# cython: language_level=3, initializedcheck=False, cdivision=True
# cython: c_api_binop_methods=True, embedsignature=False
# What guards values and tapes where there is no interpreter lock: guard.h, and docs/parallel.md.
# cython: freethreading_compatible=True
"""The binding: what Python sees of the core.

Values (`Tensor`, and the base of `Variable`), the dispatch of an operation from Python objects to the core, the owner
of a tape, and the two ways to sweep it: natively, or recorded by an outer tape. No arithmetic and no rule lives here.

It is one module, so that its functions call each other as those of one C file do, and the files of binding/, which are
included below, are its chapters.
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

from tapegrad._examples import example, parameters
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
    enum: NPY_ARRAY_CARRAY_RO, NPY_ARRAY_ALIGNED, NPY_ARRAY_CARRAY
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


include "binding/core.pxi"
include "binding/quiet.pxi"
include "binding/changing.pxi"
include "binding/value.pxi"
include "binding/tensor.pxi"
include "binding/variable.pxi"
include "binding/allocation.pxi"
include "binding/arrays.pxi"
include "binding/handles.pxi"
include "binding/elementwise.pxi"
include "binding/observing.pxi"
include "binding/operands.pxi"
include "binding/operators.pxi"
include "binding/loop.pxi"
include "binding/builtins.pxi"
include "binding/structural.pxi"
include "binding/shaping.pxi"
include "binding/joining.pxi"
include "binding/indexing.pxi"
include "binding/external.pxi"
include "binding/declared.pxi"
include "binding/unrecorded.pxi"
include "binding/tape.pxi"
include "binding/recording.pxi"
include "binding/structures.pxi"
include "binding/sweep.pxi"
include "binding/cotangents.pxi"
include "binding/recorded_sweep.pxi"
include "binding/push.pxi"
include "binding/memory.pxi"
include "binding/c_interface.pxi"
