# What is made once: the pool of buffers, NumPy's loops, the tables of operations; and modules imported late.

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
