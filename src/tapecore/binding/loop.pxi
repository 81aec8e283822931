# Ufuncs of other libraries, run by the core.

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
