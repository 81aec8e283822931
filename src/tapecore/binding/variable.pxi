# The native part of Variable, and the parts of variables that can be assigned to.

cdef class VariableBase(Value):
    """The native part of `tapegrad.Variable`: a value that can be replaced, and that tapes watch when it is read."""

    def __init__(self, Tensor value not None, bint trainable):
        global births
        births += 1
        self.birth = births
        self._assign(value)
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
        cdef tg_array *old = self.value.array
        if is_observed(tg_thread_current()):
            observe_end("assign", [value], (self,))
        if value.value.array != NULL:
            tg_array_retain(value.value.array)
        self.value = value.value
        if old != NULL:
            tg_array_release(old)

    def _accepts(self, value):
        """Whether value is a tensor of this variable's type and shape, so that it can be assigned as it is."""
        return (isinstance(value, Tensor) and (<Tensor>value).value.dtype == self.value.dtype
                and tg_same_shape(tg_value_ndim(&self.value), tg_value_shape(&self.value),
                                  tg_value_ndim(&(<Tensor>value).value), tg_value_shape(&(<Tensor>value).value)))

    def _update(self, Tensor delta not None, bint subtract):
        """Adds or subtracts a tensor that `_accepts` has passed.

        The buffer is written to if nobody else sees it (no tape has saved it, no tensor or array shares it), which
        saves a training step the memory of a second parameter; else the sum becomes a new one.
        """
        cdef tg_array *own = self.value.array
        cdef tg_array *other = delta.value.array
        cdef int op = TG_OP_SUBTRACT if subtract else TG_OP_ADD
        cdef char *args[3]
        cdef tg_index steps[3]
        cdef tg_loop loop
        if is_observed(tg_thread_current()):
            observe_end("assign_sub" if subtract else "assign_add", [self, delta], (self,))
        if (own == NULL or not tg_dtype_is_native(self.value.dtype) or not tg_array_is_unique(own)
                or not other.contiguous):
            with pause():
                self._assign(binary(op, self, delta))
            return
        loop = loops.elementwise[op][tg_native_index(self.value.dtype)]
        args[0] = args[2] = own.data
        args[1] = other.data
        steps[0] = steps[1] = steps[2] = tg_itemsize(self.value.dtype)
        loop.function(args, &own.size, steps, loop.data)

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


cdef uint64_t births = 0
