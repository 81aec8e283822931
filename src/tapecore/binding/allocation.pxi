# Making and freeing tensors.

# A scalar operation takes some twenty nanoseconds, so making and freeing its result must take less. Cython's own
# deallocation saves and restores the current exception and its allocation clears the object twice; these do not.

cdef enum:
    KEPT_TENSORS = 1024

# Freed tensors, guarded by the interpreter lock; without it none are kept.
cdef PyObject *kept[KEPT_TENSORS]
cdef int kept_count = 0
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


cdef inline Tensor allocate_tensor():
    """A tensor without value and handles."""
    global kept_count
    if TG_WITHOUT_INTERPRETER_LOCK or kept_count == 0:
        return Tensor.__new__(Tensor)
    kept_count -= 1
    return revive(kept[kept_count], <PyTypeObject *>Tensor)


cdef inline Tensor new_tensor(tg_value *value):
    """A tensor that takes over the value's reference."""
    cdef Tensor result = allocate_tensor()
    result.value = value[0]
    return result


cdef Tensor copy_value(Value value):
    """A tensor of the same value without its handles."""
    cdef tg_value copy
    if changes(value):
        return copy_value(settled_now(value))
    copy = value.value
    if copy.array != NULL:
        tg_array_retain(copy.array)
    return new_tensor(&copy)
