# What NumPy itself computes for tensors: their values go in as arrays, and results come out as tensors on no tape.

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
