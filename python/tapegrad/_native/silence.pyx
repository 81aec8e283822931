"""NumPy's warnings, turned off while an operation computes what may overflow."""
from cpython.contextvars cimport PyContextVar_Reset, PyContextVar_Set

from contextvars import Context
from functools import update_wrapper

import numpy as np

cdef object NUMPY_ERRORS  # the context variable in which NumPy keeps what to warn of; None if there is no such thing
cdef object IGNORED       # its value where every error is ignored


cdef tuple find_numpy_errors():
    """Asks np.seterr, which sets nothing but this variable in an empty context."""
    context = Context()
    context.run(np.seterr, all="ignore")
    found = list(context.items())
    return found[0] if len(found) == 1 else (None, None)


NUMPY_ERRORS, IGNORED = find_numpy_errors()


cdef object hush():
    """From here on NumPy warns of nothing; `unhush` takes what this returns."""
    if NUMPY_ERRORS is not None:
        return PyContextVar_Set(NUMPY_ERRORS, IGNORED)
    state = np.errstate(all="ignore")
    state.__enter__()
    return state


cdef int unhush(object before) except -1:
    if NUMPY_ERRORS is not None:
        PyContextVar_Reset(NUMPY_ERRORS, before)
    else:
        before.__exit__(None, None, None)
    return 0


def silent(forward):
    """Decorate a forward that can overflow: it does not warn, as the elementwise operations do not.

    Parameters
    ----------
    forward : callable
        A function of arrays.

    Returns
    -------
    callable
        The same function, in which NumPy says nothing of overflow, division by zero and invalid values.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.extend import silent, structural
    >>> sinh = structural("sinh", silent(lambda x: np.sinh(x)), x=lambda g, x: g * np.cosh(x))
    >>> float(sinh(1000.0))
    inf
    """

    def quiet(*operands, **parameters):
        before = hush()
        try:
            return forward(*operands, **parameters)
        finally:
            unhush(before)

    quiet.silenced = forward
    return update_wrapper(quiet, forward)
