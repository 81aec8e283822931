"""TensorFlow's names around functions that it would compile or call from a graph. Here they just run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_tensor
from tapegrad.dtypes import as_dtype

__all__ = ["executing_eagerly", "function", "numpy_function", "py_function"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def executing_eagerly() -> bool:
    """Return True: operations always run at once.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.executing_eagerly()
    True
    """
    return True


@overload
def function(func: _Function, **options: Any) -> _Function: ...
@overload
def function(func: None = None, **options: Any) -> Callable[[_Function], _Function]: ...
def function(
    func: Any = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    **options: Any,
) -> Any:
    """Return `func` as it is: there is no graph to build, so that nothing is traced, compiled or cached.

    Programs that decorate their functions run unchanged and give the same results. What Python does in the function
    (printing, appending to lists) happens with each call, not only while TensorFlow traces.

    Parameters
    ----------
    func
        The function; without it, a decorator is returned.
    input_signature, autograph, jit_compile, reduce_retracing, **options
        Have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> @tf.function(jit_compile=True)
    ... def square(x):
    ...     return x * x
    >>> float(square(tf.constant(3.0)))
    9.0
    """
    return func if func is not None else lambda decorated: decorated


def py_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Any = None,  # noqa: N803
    name: str | None = None,
) -> Any:
    """Return `func` of the tensors `inp`, converted to tensors of the types `Tout`; what it does is recorded.

    Parameters
    ----------
    func
        A Python function of tensors.
    inp
        Its arguments.
    Tout
        The type of its result, or a list of types for several results (empty for none).
    name
        Has no effect.

    Raises
    ------
    TypeError
        If there is no function.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = tf.py_function(lambda x: x * x, inp=[x], Tout=tf.float32)
    >>> float(tape.gradient(y, x))
    6.0
    """
    if func is None:
        raise TypeError("py_function: a function is needed.")
    return _of_types(func(*map(as_tensor, inp or ())), Tout)


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Any = None,  # noqa: N803
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Return `func` of the arrays of the tensors `inp`, converted to tensors of the types `Tout`.

    Nothing is recorded: the result is a constant. `tf.py_function` is differentiable, and so are NumPy's functions on
    tensors.

    Parameters
    ----------
    func
        A function of NumPy arrays.
    inp
        Its arguments.
    Tout
        The type of its result, or a list of types for several results (empty for none).
    stateful, name
        Have no effect.

    Raises
    ------
    TypeError
        If there is no function.

    Examples
    --------
    >>> import numpy as np, tapegrad as tf
    >>> float(tf.numpy_function(np.sinc, [tf.constant(0.5)], tf.float32))
    0.6366197466850281
    """
    if func is None:
        raise TypeError("numpy_function: a function is needed.")
    # Copies, as the function may write to its arguments.
    return _of_types(func(*[np.array(_native.array(as_tensor(x))) for x in inp or ()]), Tout)


def _of_types(result: Any, types: Any) -> Tensor | list[Tensor]:
    """Return what a function gave as one tensor of a type, or as a list of tensors of the types in a list."""
    if not isinstance(types, list | tuple):
        return _of_type(result, types)
    results = result if isinstance(result, list | tuple) else [] if result is None else [result]
    if len(results) != len(types):
        raise ValueError(f"The function returned {len(results)} values, but `Tout` names {len(types)} types.")
    return [_of_type(value, kind) for value, kind in zip(results, types, strict=True)]


def _of_type(value: Any, kind: Any) -> Tensor:
    if isinstance(value, np.ndarray | np.generic):
        return _native.own(np.array(value, as_dtype(kind).dtype))
    return _native.tensor(value, as_dtype(kind))
