"""Traces, and the boxes in which those of calls hold what they follow.

A trace is recorded by a tape as long as tapes can say what is wanted of it: derivatives. One whose nodes are of a class
of the program's own must see each call of a primitive. Values are then in boxes, which NumPy's functions and operators
come to by its protocols; `_noting` is what they do there.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from tapegrad._native import GradientTape, Tensor, Value, is_watched, recording_tapes
from tapegrad.functional.structures import leaves_of
from tapegrad.numpy.methods import METHODS

__all__ = ["Boxed", "Open", "Trace", "holds_box", "open_traces", "tapes_only"]

_numbers = itertools.count()


class Trace:
    """What is recorded between the two ends of `trace_stack.new_trace()`.

    Attributes
    ----------
    tape
        Records what is computed with the tensors of the trace.
    roots
        The nodes of the values that the trace began with.
    number
        Larger than that of all traces around it.
    sees_calls
        Whether it has boxes.
    decisions
        Nodes of values that a branch of the program depended on, each with whether it was true.
    """

    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape
        self.roots: list[Any] = []
        self.number = next(_numbers)
        self.sees_calls = False
        self.decisions: list[tuple[Any, bool]] = []
        self._around = recording_tapes()

    def knows(self, value: Any) -> bool:
        """Return whether something was computed from the boxes of this trace."""
        if isinstance(value, Boxed):
            return value._trace is self
        return isinstance(value, Value) and self.tape._slot(value) is not None

    def refuse_inner_tapes(self, name: str, args: Any) -> None:
        """Raise if a tape that was opened within the trace follows an argument: it could not follow the result."""
        for tensor in leaves_of(args):
            if isinstance(tensor, Value) and is_watched(tensor):
                for tape in recording_tapes():
                    if tape._slot(tensor) is not None and not any([tape is outer for outer in self._around]):
                        raise TypeError(
                            f"{name}: one argument is followed by a trace, another by a tape within that trace, which "
                            "cannot follow the result. Take derivatives within a trace by autograd's functions, such "
                            "as autograd.grad, or take the value out of the trace by tracer.getval(x)."
                        )


class Open(threading.local):
    """The traces of this thread that are open."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.seeing_calls = 0
        """How many of them have boxes."""
        self.differentiate_by_calls = False
        """Whether derivatives must be taken so that a trace sees the calls."""

    def see_calls(self, trace: Trace) -> None:
        """Note that a trace has boxes from now on."""
        if not trace.sees_calls:
            trace.sees_calls = True
            self.seeing_calls += 1
            self.differentiate_by_calls = True

    def close(self) -> None:
        """End the innermost trace."""
        if self.traces.pop().sees_calls:
            self.seeing_calls -= 1
            self.differentiate_by_calls = self.seeing_calls > 0


open_traces = Open()


@contextmanager
def tapes_only() -> Iterator[None]:
    """Let tapes take the derivatives in this block: it computes with values that are not in boxes."""
    before = open_traces.differentiate_by_calls
    open_traces.differentiate_by_calls = False
    try:
        yield
    finally:
        open_traces.differentiate_by_calls = before


_WRITING = frozenset({"fill", "partition", "put", "sort"})
"""The methods of arrays that write to them."""


@functools.cache
def _numpy() -> ModuleType:
    """Return the functions that boxes hand their operators to."""
    return import_module("tapegrad.compat.autograd.numpy")


@functools.cache
def _steps() -> ModuleType:
    """Return what boxes do beside that."""
    return import_module("tapegrad.compat.autograd._box_steps")


class Boxed:
    """A number or array in a trace that sees calls. What is computed with it is in a box again.

    Attributes
    ----------
    _value
        What it holds: a number, an array, a tensor that is recorded around the trace, or a box of a trace around it.
    _trace
        The trace.
    _node
        What the trace made of the call which gave the value.
    """

    __slots__ = ("_node", "_trace", "_value")

    __array_priority__ = 100.0

    def __init__(self, value: Any, trace: Trace, node: Any) -> None:
        self._value = value
        self._trace = trace
        self._node = node

    def _check_open(self) -> None:
        """Raise if the trace cannot see what happens to the value."""
        if self._trace not in open_traces.traces:
            raise RuntimeError(
                "a value was used outside of the trace that follows it: the trace is over, or of another thread. "
                "Return it from the traced function, or take its number or array there by tracer.getval(x)."
            )

    # NumPy's functions.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        self._check_open()
        return _steps().ufunc_step(ufunc, method)(*inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        self._check_open()
        return _steps().mirror_of(function)(*args, **keywords)

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        return _numpy()

    # What is constant in a trace.

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array, () for a number."""
        return self._value.shape if isinstance(self._value, (Boxed, Value)) else np.shape(self._value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of the elements."""
        dtype: np.dtype[Any]
        if isinstance(self._value, Value):
            dtype = self._value.dtype.dtype
        else:
            dtype = self._value.dtype if isinstance(self._value, Boxed) else np.result_type(self._value)
        return dtype

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a number in a trace")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a number in a trace")
        return iter([self[k] for k in range(len(self))])

    def __bool__(self) -> bool:
        outcome = bool(self._value)
        self._trace.decisions.append((self._node, outcome))
        return outcome

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Boxed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Boxed:
        return self

    # What would take a value out of the trace without a word.

    def _left(self, what: str) -> NoReturn:
        raise TypeError(
            f"{what}: a trace follows this value, which would leave it: use functions of autograd.numpy instead, or "
            "take the number or array out by tracer.getval(x) if it is to be a constant."
        )

    def __float__(self) -> float:
        self._left("float")

    def __int__(self) -> int:
        self._left("int")

    def __complex__(self) -> complex:
        self._left("complex")

    def __index__(self) -> int:
        self._left("operator.index")

    def __reduce__(self) -> NoReturn:
        self._left("pickle")

    # Text is for people.

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value!r})"

    def __str__(self) -> str:
        return f"traced {self._value}"

    def __format__(self, spec: str) -> str:
        return format(self._value, spec) if spec else str(self)

    # Indices, methods and operators.

    def __getitem__(self, key: Any) -> Any:
        self._check_open()
        return _steps().getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._check_open()
        self._write("__setitem__", key, value)

    def _write(self, method: str, *args: Any, **keywords: Any) -> None:
        """Let this box stand for what an array is after a method that writes to it; others keep the old value."""
        written = _steps().written(method)(self, *args, **keywords)
        self._value, self._trace, self._node = written._value, written._trace, written._node

    def __getattr__(self, name: str) -> Any:
        if name in ("T", "mT", "real", "imag"):
            return getattr(_numpy(), {"T": "transpose", "mT": "matrix_transpose"}.get(name, name))(self)
        if name in METHODS:
            self._check_open()
            if name in _WRITING:
                return functools.partial(self._write, name)
            return functools.partial(_steps().method(name), self)
        raise AttributeError(f"numbers and arrays in a trace have no attribute {name!r}")

    def __neg__(self) -> Any:
        return _numpy().negative(self)

    def __pos__(self) -> Any:
        return _numpy().positive(self)

    def __abs__(self) -> Any:
        return _numpy().abs(self)

    def __invert__(self) -> Any:
        return _numpy().invert(self)

    def __round__(self, digits: int = 0) -> Any:
        return _numpy().round(self, digits)

    def __eq__(self, other: object) -> Any:
        return _numpy().equal(self, other)

    def __ne__(self, other: object) -> Any:
        return _numpy().not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return _numpy().less(self, other)

    def __le__(self, other: Any) -> Any:
        return _numpy().less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return _numpy().greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return _numpy().greater_equal(self, other)


_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "divmod": "divmod",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "left_shift",
    "rshift": "right_shift",
}


def _define(operator: str, function: str) -> None:
    """Give boxes an operator on two operands, of which either can be the box."""

    def forward(self: Boxed, other: Any) -> Any:
        return getattr(_numpy(), function)(self, other)

    def backward(self: Boxed, other: Any) -> Any:
        return getattr(_numpy(), function)(other, self)

    setattr(Boxed, f"__{operator}__", forward)
    setattr(Boxed, f"__r{operator}__", backward)


for _operator, _function in _BINARY.items():
    _define(_operator, _function)


def holds_box(structure: Any) -> bool:
    """Return whether there is a box in a structure.

    Raises
    ------
    TypeError
        If it is in an array of objects, where what is done with it would not be seen.
    """
    kind = type(structure)
    if kind in _NO_BOXES:
        return False
    if kind is tuple or kind is list:
        return any([holds_box(part) for part in structure])
    if kind is dict:
        return any([holds_box(part) for part in structure.values()])
    return any([isinstance(leaf, Boxed) or _is_array_of_boxes(leaf) for leaf in leaves_of(structure)])


_NO_BOXES = frozenset({bool, int, float, complex, str, slice, type(None), np.float64, np.int64, Tensor})


def _is_array_of_boxes(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "O" and any([isinstance(x, Boxed) for x in leaf.flat]):
        raise TypeError(
            "an array of Python objects holds values that a trace follows: NumPy has made it of a list of them. Use "
            "the function `array` of autograd.numpy."
        )
    return False
