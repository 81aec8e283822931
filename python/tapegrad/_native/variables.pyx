"""The native part of `tapegrad.Variable`."""
from libc.stdint cimport uint64_t
from libc.string cimport memcmp
from tapecore.array cimport tg_array, tg_array_is_unique, tg_array_release, tg_array_retain, tg_same_shape
from tapecore.core cimport tg_dtype_is_native, tg_index, tg_itemsize
from tapecore.guard cimport tg_guard_count, tg_guard_give, tg_guard_set_changes, tg_guard_take
from tapecore.ops cimport TG_OP_ADD, TG_OP_SUBTRACT, tg_loop, tg_native_index
from tapecore.thread cimport tg_thread_current
from tapecore.value cimport tg_handles_copy, tg_value, tg_value_ndim, tg_value_shape
from tapegrad._native._core cimport check, loops, pool
from tapegrad._native.indexing cimport index
from tapegrad._native.operators cimport binary, compare
from tapegrad._native.recording cimport is_observed, pause
from tapegrad._native.values cimport Tensor, Value, changes, copy_value, settled_now, unchanging

import numpy as np

from tapegrad._native.arrays import snapshot
from tapegrad._native.values import observe_end


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
