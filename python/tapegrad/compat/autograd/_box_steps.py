"""What is done with boxes beside calls of functions of `autograd.numpy`: indices, methods, ufuncs and their methods."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tapegrad._native import Value
from tapegrad.compat.autograd import numpy as anp
from tapegrad.compat.autograd._noting import named_step
from tapegrad.compat.autograd._primitives import library
from tapegrad.compat.autograd._values import settled
from tapegrad.compat.autograd._writes import refuse_writing
from tapegrad.numpy import copy

__all__ = ["getitem", "method", "mirror_of", "ufunc_step", "written"]


@functools.cache
def method(name: str) -> Any:
    """Return a method of arrays as a function that traces see as one call."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_writing(name, getattr(np, name, None), (x, *args), kwargs)
        return settled(getattr(x if isinstance(x, Value) else np.asarray(x), name)(*args, **kwargs))

    return named_step(name, call)


@functools.cache
def written(name: str) -> Any:
    """Return the function that copies an array and writes to the copy by one of its methods."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        target = copy(x) if isinstance(x, Value) else np.array(x)
        getattr(target, name)(*args, **kwargs)
        return target

    return named_step(name, call)


def getitem(x: Any, key: Any) -> Any:
    """Return the elements at an index."""
    return _getitem(x, key)


_getitem = method("__getitem__")


@functools.cache
def mirror_of(function: Any) -> Any:
    """Return what `autograd.numpy` or `autograd.scipy.special` has for a function of NumPy or SciPy."""
    from tapegrad.compat.autograd.scipy import special

    name = getattr(function, "__name__", "")
    for mirror in (anp, anp.linalg, anp.fft, special):
        if name in dir(mirror):
            found = getattr(mirror, name)
            if getattr(found, "fun", None) is function:
                return found
    return library(function, function)


@functools.cache
def ufunc_step(ufunc: np.ufunc, name: str) -> Any:
    """Return a ufunc, or one of its methods such as `reduce`, as a function that traces see as one call."""
    if name == "__call__":
        return mirror_of(ufunc)
    bound = getattr(ufunc, name)

    title = f"{ufunc.__name__}.{name}"

    def call(*args: Any, **kwargs: Any) -> Any:
        refuse_writing(title, bound, args, kwargs)
        return settled(bound(*args, **kwargs))

    return named_step(title, call)
