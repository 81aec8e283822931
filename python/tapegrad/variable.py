"""Variables: named values that a program reads, and changes by assignment.

What is native (operators, indexing, the tape's watching of reads) is inherited; here are construction and
assignment. Assignments are not recorded: a variable's new value is a constant to every tape, and one that a
tape has already read stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from tapegrad._format import variable_repr
from tapegrad._native import Tensor, Value, VariableBase, array, own, pause, tensor
from tapegrad._ops.gathering import gather, gather_nd
from tapegrad._ops.writing import At
from tapegrad.dtypes import DType, as_dtype
from tapegrad.indexed_slices import IndexedSlices

__all__ = ["Variable"]


class Variable(VariableBase):
    """A tensor that can be assigned to; tapes watch the trainable ones that are read while they record.

    Parameters
    ----------
    initial_value
        What becomes a tensor, or a function without parameters that returns it. Python floats make float32,
        integers int32; an array or tensor keeps its dtype. The memory of an array is copied.
    trainable
        Whether tapes watch the variable when it is read. `None` means yes.
    name
        Prints, and is found again in `name`; `None` means "Variable". Names need not be unique.
    dtype
        The dtype to convert the initial value to.

    Raises
    ------
    ValueError
        If there is no initial value, or it is a tensor of another dtype than `dtype`.
    TypeError
        If the initial value is nothing that a tensor can hold.

    Notes
    -----
    Shape and dtype are fixed by the initial value. Variables compare by element, so that they are not
    hashable: use `variable.ref()` as a key.

    Examples
    --------
    >>> import tapegrad as tf
    >>> v = tf.Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0])
    <tf.Variable 'v:0' shape=(2,) dtype=float32, numpy=array([2., 3.], dtype=float32)>
    >>> with tf.GradientTape() as tape:
    ...     y = v * v
    >>> tape.gradient(y, v).numpy()
    array([4., 6.], dtype=float32)
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = True,
        *,
        name: str | None = None,
        dtype: DType | npt.DTypeLike | None = None,
    ) -> None:
        if callable(initial_value):
            initial_value = initial_value()
        if initial_value is None:
            raise ValueError("A Variable needs an initial value: `tf.Variable(0.0)`, or a function that returns one.")
        with pause():
            value = tensor(initial_value, None if dtype is None else as_dtype(dtype))
        super().__init__(value, trainable is None or bool(trainable))
        self._name = "Variable" if name is None else name

    @property
    def name(self) -> str:
        """The name given at construction, and `:0` as TensorFlow has it."""
        return f"{self._name}:0"

    def value(self) -> Tensor:
        """Return the current value; the same as `read_value()`."""
        return self.read_value()

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Variable:
        """Replace the value, and return the variable.

        Parameters
        ----------
        value
            The new value, of the variable's shape. Python numbers, lists and arrays are converted to its
            dtype.
        use_locking, name, read_value
            Accepted because TensorFlow's programs pass them; without effect.

        Raises
        ------
        ValueError
            If the shape differs, or a tensor's dtype; the message names both.

        Examples
        --------
        >>> import tapegrad as tf
        >>> v = tf.Variable(1.0)
        >>> v.assign(5.0).numpy()
        np.float32(5.0)
        """
        if not self._accepts(value):
            with pause():
                value = self._fitting(value, "assign value to")
        self._assign(value)
        return self

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Variable:
        """Add `delta`, of the variable's shape, and return the variable; otherwise as `assign`."""
        if not self._accepts(delta):
            with pause():
                delta = self._fitting(delta, "add to")
        self._update(delta, False)
        return self

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Variable:
        """Subtract `delta`, of the variable's shape, and return the variable; otherwise as `assign`."""
        if not self._accepts(delta):
            with pause():
                delta = self._fitting(delta, "subtract from")
        self._update(delta, True)
        return self

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Replace the slices at `indices` by `updates`, and return the variable.

        Parameters
        ----------
        indices
            Integers of shape `[..., k]`: each row picks what `variable[row]` is. If a row comes twice, the
            last one counts.
        updates
            The slices, of shape `indices.shape[:-1] + variable.shape[k:]`.
        name
            Without effect.

        Raises
        ------
        TypeError
            If the indices are not integers.
        ValueError
            If the shape of `updates` is another.
        IndexError
            If an index is out of range.

        Examples
        --------
        >>> import tapegrad as tf
        >>> v = tf.Variable([1.0, 2.0, 3.0, 4.0])
        >>> v.scatter_nd_update([[0], [3]], [9.0, 7.0]).numpy()
        array([9., 2., 3., 7.], dtype=float32)
        """
        return self._scatter_nd(None, indices, updates)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Add `updates` to the slices at `indices`; repeated rows add up. See `scatter_nd_update`."""
        return self._scatter_nd(np.add, indices, updates)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Subtract `updates` from the slices at `indices`; repeated rows add up. See `scatter_nd_update`."""
        return self._scatter_nd(np.subtract, indices, updates)

    def scatter_nd_max(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Replace elements of the slices at `indices` where `updates` are greater. See `scatter_nd_update`."""
        return self._scatter_nd(np.maximum, indices, updates)

    def scatter_nd_min(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Replace elements of the slices at `indices` where `updates` are less. See `scatter_nd_update`."""
        return self._scatter_nd(np.minimum, indices, updates)

    def scatter_update(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Variable:
        """Replace the rows that the slices name by theirs, and return the variable.

        Parameters
        ----------
        sparse_delta
            Rows of the variable's dtype, and their numbers; of several for one row the last counts.
        use_locking, name
            Without effect.

        Raises
        ------
        TypeError
            If `sparse_delta` is no `IndexedSlices`.
        ValueError
            If the shape or the dtype of the rows is another.
        IndexError
            If a row is out of range.

        Examples
        --------
        >>> import tapegrad as tf
        >>> v = tf.Variable([[1.0], [2.0], [3.0]])
        >>> v.scatter_update(tf.IndexedSlices([[9.0]], [1])).numpy().tolist()
        [[1.0], [9.0], [3.0]]
        """
        return self._scatter(None, sparse_delta)

    def scatter_add(self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None) -> Variable:
        """Add slices to the rows that they name; repeated ones add up. See `scatter_update`."""
        return self._scatter(np.add, sparse_delta)

    def scatter_sub(self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None) -> Variable:
        """Subtract slices from the rows that they name; repeated ones add up. See `scatter_update`."""
        return self._scatter(np.subtract, sparse_delta)

    def scatter_mul(self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None) -> Variable:
        """Multiply the rows that the slices name by them. See `scatter_update`."""
        return self._scatter(np.multiply, sparse_delta)

    def scatter_div(self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None) -> Variable:
        """Divide the rows that the slices name by them. See `scatter_update`."""
        return self._scatter(np.divide, sparse_delta)

    def scatter_max(self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None) -> Variable:
        """Replace elements of the rows that the slices name where these are greater. See `scatter_update`."""
        return self._scatter(np.maximum, sparse_delta)

    def scatter_min(self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None) -> Variable:
        """Replace elements of the rows that the slices name where these are less. See `scatter_update`."""
        return self._scatter(np.minimum, sparse_delta)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the rows at `indices`; the read is recorded. The same as `tf.gather(variable, indices)`."""
        return gather(self, indices, 0)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the slices at the positions in the last axis of `indices`, as `tf.gather_nd` does."""
        return gather_nd(self, indices)

    @property
    def at(self) -> At:
        """`variable.at[key].set(value)`, `.add(value)`: tensors like the variable but for the elements at `key`."""
        return At(self)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"Variable {self.name!r} does not support item assignment: use `variable[key].assign(value)`, "
            "`.assign_add` or `.assign_sub`, which are not recorded."
        )

    def _fitting(self, value: Any, what: str) -> Tensor:
        """Return `value` as a tensor of the variable's dtype and shape."""
        if isinstance(value, Value) and value.dtype is not self.dtype:
            raise ValueError(
                f"Cannot {what} variable '{self.name}': the variable's dtype is {self.dtype.name}, and that "
                f"of the given tensor is {value.dtype.name}. Convert it with tf.cast."
            )
        new = tensor(value, self.dtype)
        if new.shape != self.shape:
            raise ValueError(
                f"Cannot {what} variable '{self.name}': Shape mismatch. The variable shape {self.shape}, and "
                f"the assigned value shape {new.shape} are incompatible."
            )
        return new

    def _scatter_nd(self, ufunc: np.ufunc | None, indices: Any, updates: Any) -> Variable:
        """Change the slices at positions: replace them, or apply a ufunc to them and the updates."""
        places = np.asarray(array(indices))
        if places.dtype.kind not in "iu":
            raise TypeError(f"Indices must be integers, and those given are {places.dtype}: {indices!r}.")
        depth = places.shape[-1] if places.ndim else 0
        if not 0 < depth <= self.ndim:
            raise ValueError(
                f"The rows of indices must have 1 to {self.ndim} elements for variable '{self.name}' of "
                f"shape {self.shape}, but indices have shape {places.shape}."
            )
        return self._change(ufunc, tuple(np.moveaxis(places, -1, 0)), updates, places.shape[:-1] + self.shape[depth:])

    def _scatter(self, ufunc: np.ufunc | None, slices: IndexedSlices) -> Variable:
        """Change the rows that slices name."""
        if not isinstance(slices, IndexedSlices):
            raise TypeError(f"sparse_delta is not IndexedSlices: {slices!r}")
        rows = array(slices.indices)
        return self._change(ufunc, rows, slices.values, rows.shape + self.shape[1:])

    def _change(self, ufunc: np.ufunc | None, key: Any, updates: Any, expected: tuple[int, ...]) -> Variable:
        with pause():
            values = array(tensor(updates, self.dtype))
        if values.shape != expected:
            raise ValueError(
                f"Cannot scatter into variable '{self.name}' of shape {self.shape}: with these indices, "
                f"updates have shape {expected}, but those given have {values.shape}."
            )
        new = np.array(array(self))
        if ufunc is None:
            new[key] = values
        else:
            ufunc.at(new, key, values)
        return self._become(new)

    def _assign_slice(self, key: Any, value: Any, combine: Callable[[Any, Any], Any] | None = None) -> Variable:
        """Assign to `self[key]`, through a ufunc if one is given: what `variable[key].assign` calls."""
        with pause():
            values = array(tensor(value, self.dtype))
        if isinstance(key, tuple):
            key = tuple([array(part) if isinstance(part, Value) else part for part in key])
        elif isinstance(key, Value):
            key = array(key)
        new = np.array(array(self))
        try:
            new[key] = values if combine is None else combine(new[key], values)
        except ValueError as error:
            raise ValueError(
                f"Cannot assign a value of shape {values.shape} to a slice of shape {new[key].shape} of "
                f"variable '{self.name}'."
            ) from error
        return self._become(new)

    def _become(self, new: npt.NDArray[Any]) -> Variable:
        self._assign(own(new))
        return self

    def __iadd__(self, other: object) -> NoReturn:
        raise RuntimeError(
            "`variable += value` with `tf.Variable`s is not supported. Use `variable.assign_add(value)` to "
            "modify the variable, or `out = variable + value` if you need to get a new output Tensor."
        )

    def __isub__(self, other: object) -> NoReturn:
        raise RuntimeError(
            "`variable -= value` with `tf.Variable`s is not supported. Use `variable.assign_sub(value)` to "
            "modify the variable, or `out = variable - value` if you need to get a new output Tensor."
        )

    def __imul__(self, other: object) -> NoReturn:
        raise _augmented("*")

    def __itruediv__(self, other: object) -> NoReturn:
        raise _augmented("/")

    def __ifloordiv__(self, other: object) -> NoReturn:
        raise _augmented("//")

    def __imod__(self, other: object) -> NoReturn:
        raise _augmented("%")

    def __ipow__(self, other: object, mod: None = None) -> NoReturn:
        raise _augmented("**")

    def __imatmul__(self, other: object) -> NoReturn:
        raise _augmented("@")

    def __repr__(self) -> str:
        return variable_repr(self, self.name)

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.numpy(), self.trainable, self.__dict__)


def _restore(kind: type[Variable], value: Any, trainable: bool, attributes: dict[str, Any]) -> Variable:
    """Rebuild a pickled or copied variable."""
    variable = kind.__new__(kind)
    VariableBase.__init__(variable, tensor(value), trainable)
    variable.__dict__.update(attributes)
    return variable


def _augmented(operator: str) -> RuntimeError:
    return RuntimeError(
        f"`var {operator}= value` with `tf.Variable`s is not supported. Use "
        f"`var.assign(var {operator} value)` to modify the variable, or `out = var {operator} value` if "
        "you need to get a new output Tensor."
    )
