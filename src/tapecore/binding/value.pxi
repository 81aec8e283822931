# Value: what tensors and variables have in common.

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
