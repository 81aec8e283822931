"""What is made once for the process: the pool, NumPy's loops, tables of types, and the list of live tapes.

The lowest of the binding's modules. Its shared object holds the others and the core, too: see `tapegrad._native`.
"""
cimport cython
from cpython.object cimport PyTypeObject
from libc.string cimport memset
from tapecore.core cimport (
    TG_ALIGNMENT, TG_BAD_SHAPE, TG_BLOCK, TG_F32, TG_F64, TG_MAX_DIMS, TG_NDTYPES, TG_NO_MEMORY, TG_OK, TG_TOO_LARGE,
    tg_status
)
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.ops cimport (
    TG_ELEMENTWISE_OPS, TG_NATIVE_F32, TG_NATIVE_F64, TG_NATIVE_TYPES, tg_loop, tg_native_index, tg_op_info,
    tg_op_table
)
from tapecore.pool cimport (
    tg_pool_after_fork, tg_pool_before_fork, tg_pool_create, tg_pool_reset_peak, tg_pool_set_limit, tg_pool_share,
    tg_pool_statistics, tg_pool_stats, tg_pool_trim
)
from tapecore.reading cimport TG_READING_NOT, tg_reading, tg_reading_begin, tg_reading_begin_alone
from tapecore.registry cimport tg_registry_after_fork, tg_registry_before_fork, tg_registry_init
from tapecore.system cimport tg_system_allocator, tg_system_at_fork, tg_system_sleep
from tapecore.tape cimport tg_tape
from tapegrad._native.capi cimport PyErr_CheckSignals, PyUFuncObject

from importlib import import_module

import numpy as np

from tapegrad.dtypes import DTYPES, as_dtype

cdef extern from *:
    """
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


cdef int warn(str message, object detail=None) except -1:
    """To the logger "tapegrad", as TensorFlow logs; imported when needed, since it takes long."""
    import logging

    logging.getLogger("tapegrad").warning(message, *(() if detail is None else (detail,)))
    return 0


cdef enum:
    CACHE_LIMIT = 512 << 20  # bytes of freed buffers that wait for reuse

OPS = []
"""The operations' names, by number."""

UFUNCS = []
"""Their NumPy ufuncs; None where tapegrad has its own forward rule."""


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


cdef int dtype_index(object dtype) except -1:
    cdef int i
    dtype = as_dtype(dtype)
    for i in range(TG_NDTYPES):
        if DTYPES[i] is dtype:
            return i
    raise TypeError(f"tapegrad has no values of dtype {dtype}")


NAMES = []
"""The texts that the names of types point to."""


def set_module(function_or_type, str module not None):
    """Makes a function or type say that it comes from `module`, whatever module it is in."""
    if isinstance(function_or_type, type):
        NAMES.append(f"{module}.{function_or_type.__name__}".encode())
        (<PyTypeObject *>function_or_type).tp_name = <const char *><bytes>NAMES[-1]
    else:
        function_or_type.__module__ = module

# --- other processes --------------------------------------------------------------------------------------------------


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


tg_registry_init(&registry)
generation = 1
setup()
check(tg_system_at_fork(before_fork, after_fork_in_parent, after_fork_in_child))

# --- other threads ----------------------------------------------------------------------------------------------------


cdef int wait_for_readers(tg_tape *tape) except -1:
    while tape.readers:
        pass_time()
    return 0


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

# --- how it was compiled, and its memory ------------------------------------------------------------------------------


def build_info():
    """How this module was compiled, and which of NumPy's inner loops the core runs: names of operations by dtype."""
    cdef int op, t
    found = {}
    for t, name in ((TG_NATIVE_F32, "float32"), (TG_NATIVE_F64, "float64")):
        found[name] = [OPS[op] for op in range(TG_ELEMENTWISE_OPS)
                       if UFUNCS[op] is not None and loops.elementwise[op][t].function != NULL]
        if loops.matmul[t].function != NULL:
            found[name].append("matmul")
    return {"module": __file__, "compiler": TG_COMPILER.decode(), "cython": cython.__version__,
            "assertions": bool(TG_ASSERTIONS), "block": TG_BLOCK, "alignment": TG_ALIGNMENT,
            "dimensions": TG_MAX_DIMS, "loops": found,
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
