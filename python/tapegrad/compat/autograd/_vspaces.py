"""Vector spaces: what kind of value has which zeros, directions and products."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tapegrad import nest
from tapegrad.compat.autograd._values import getval

__all__ = ["ArrayVSpace", "ComplexArrayVSpace", "ContainerVSpace", "SparseObject", "VSpace", "vspace"]


class VSpace:
    """The space of all values like a given one.

    The base of `ArrayVSpace` and of spaces that a library defines for types of its own: with `zeros`, `ones`,
    `standard_basis` and `randn`, and where `+`, `*` and `@` do not suit, `_add`, `_scalar_mul` and `_inner_prod`.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.extend import vspace
    >>> space = vspace(np.array([1.0, 2.0]))
    >>> space.size, space.zeros(), space == vspace(np.zeros(2))
    (2, array([0., 0.]), True)
    """

    mappings: ClassVar[dict[type, Callable[[Any], VSpace]]] = {}
    """What makes the space of a value of each type."""

    iscomplex: ClassVar[bool] = False

    size: int

    def __init__(self, value: Any) -> None:
        """Make the space of values like `value`."""

    @classmethod
    def register(cls, value_type: type, vspace_maker: Callable[[Any], VSpace] | None = None) -> None:
        """Make this the space of values of a type, or let `vspace_maker(value)` return their space."""
        VSpace.mappings[value_type] = vspace_maker or cls

    def zeros(self) -> Any:
        """Return the zero of the space."""
        raise NotImplementedError

    def ones(self) -> Any:
        """Return a value that is one everywhere."""
        raise NotImplementedError

    def standard_basis(self) -> Iterator[Any]:
        """Yield the unit vectors."""
        raise NotImplementedError

    def randn(self) -> Any:
        """Return a random value, normally distributed."""
        raise NotImplementedError

    def add(self, x_prev: Any, x_new: Any) -> Any:
        """Return the sum of two values; a first one of `None` is zero."""
        return x_new if x_prev is None else self._add(x_prev, x_new)

    def mut_add(self, x_prev: Any, x_new: Any) -> Any:
        """Return the sum, for which the memory of the first value may be used."""
        return self._mut_add(self.zeros() if x_prev is None else x_prev, x_new)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """Return a multiple of a value."""
        return self._scalar_mul(x, a)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """Return the real inner product of two values."""
        return self._inner_prod(x, y)

    def covector(self, x: Any) -> Any:
        """Return the linear form that belongs to a value: its conjugate."""
        return self._covector(x)

    def _add(self, x: Any, y: Any) -> Any:
        return x + y

    def _mut_add(self, x: Any, y: Any) -> Any:
        return self._add(x, y)

    def _scalar_mul(self, x: Any, a: Any) -> Any:
        return x * a

    def _inner_prod(self, x: Any, y: Any) -> Any:
        raise NotImplementedError

    def _covector(self, x: Any) -> Any:
        return x

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}_{self.__dict__}"


class ArrayVSpace(VSpace):
    """The space of real arrays of one shape and dtype."""

    def __init__(self, value: Any) -> None:
        value = np.asarray(value)
        self.shape: tuple[int, ...] = value.shape
        self.dtype: np.dtype[Any] = value.dtype

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of real dimensions."""
        return int(np.prod(self.shape)) * len(self._units)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    _units: ClassVar[tuple[complex, ...]] = (1.0,)

    def zeros(self) -> npt.NDArray[Any]:
        """Return zeros."""
        return np.zeros(self.shape, self.dtype)

    def ones(self) -> npt.NDArray[Any]:
        """Return ones; of complex numbers, both parts are."""
        return np.full(self.shape, sum(self._units), self.dtype)

    def standard_basis(self) -> Iterator[npt.NDArray[Any]]:
        """Yield an array for each element (and each of its parts), which is zero elsewhere."""
        for place, unit in itertools.product(np.ndindex(*self.shape), self._units):
            direction = self.zeros()
            direction[place] = unit
            yield direction

    def randn(self) -> npt.NDArray[Any]:
        """Return normally distributed random numbers."""
        # Programs seed them by np.random.seed.
        parts = [unit * np.random.standard_normal(self.shape) for unit in self._units]  # noqa: NPY002
        return np.asarray(sum(parts), self.dtype)

    def _inner_prod(self, x: Any, y: Any) -> Any:
        return np.real(np.vdot(x, y))


class ComplexArrayVSpace(ArrayVSpace):
    """The space of complex arrays, which has two real dimensions for each element."""

    iscomplex = True
    _units = (1.0, 1j)

    def _covector(self, x: Any) -> Any:
        return np.conj(x)


class ContainerVSpace(VSpace):
    """The space of lists, tuples or dictionaries of values."""

    def __init__(self, value: Any) -> None:
        self.shape = nest.map_structure(vspace, value)

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of real dimensions of all parts."""
        return sum(part.size for part in nest.flatten(self.shape))

    def _map(self, method: Callable[..., Any], *values: Any) -> Any:
        return nest.map_structure(method, self.shape, *values)

    def zeros(self) -> Any:
        """Return the zeros of all parts."""
        return self._map(lambda part: part.zeros())

    def ones(self) -> Any:
        """Return ones in all parts."""
        return self._map(lambda part: part.ones())

    def randn(self) -> Any:
        """Return random numbers in all parts."""
        return self._map(lambda part: part.randn())

    def standard_basis(self) -> Iterator[Any]:
        """Yield the unit vectors of one part after the other, with zeros elsewhere."""
        parts = nest.flatten(self.shape)
        for k, part in enumerate(parts):
            for direction in part.standard_basis():
                leaves = [direction if j == k else other.zeros() for j, other in enumerate(parts)]
                yield nest.pack_sequence_as(self.shape, leaves)

    def _add(self, x: Any, y: Any) -> Any:
        return self._map(lambda part, a, b: part.add(a, b), x, y)

    def _scalar_mul(self, x: Any, a: Any) -> Any:
        return self._map(lambda part, value: part.scalar_mul(value, a), x)

    def _inner_prod(self, x: Any, y: Any) -> Any:
        return sum(nest.flatten(self._map(lambda part, a, b: part.inner_prod(a, b), x, y)))

    def _covector(self, x: Any) -> Any:
        return self._map(lambda part, value: part.covector(value), x)


def vspace(value: Any) -> VSpace:
    """Return the vector space of a value.

    Raises
    ------
    TypeError
        If no space is registered for its type: integers, for example, have none.

    Examples
    --------
    >>> from tapegrad.compat.autograd.extend import vspace
    >>> vspace(1.0 + 2.0j).size
    2
    >>> vspace({"a": 1.0, "b": [2.0, 3.0]}).zeros()
    {'a': array(0.), 'b': [array(0.), array(0.)]}
    """
    value = getval(value)
    for kind in type(value).__mro__:
        maker = VSpace.mappings.get(kind)
        if maker is not None:
            return maker(value)
    known = ", ".join(sorted(kind.__name__ for kind in VSpace.mappings))
    raise TypeError(
        f"Can't find vector space for value {value!r} of type {type(value)}. Valid types are {known}; register others "
        "with VSpace.register."
    )


def _of_array(value: Any) -> VSpace:
    return ComplexArrayVSpace(value) if np.iscomplexobj(value) else ArrayVSpace(value)


for _kind in (float, complex, np.floating, np.complexfloating, np.ndarray):
    VSpace.register(_kind, _of_array)
for _container in (list, tuple, dict):
    ContainerVSpace.register(_container)


class SparseObject:
    """A cotangent that knows how to add itself to another value of its space: `mut_add(x)` returns the sum.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.extend import SparseObject, vspace
    >>> def second(x):
    ...     x[1] += 3.0
    ...     return x
    >>> SparseObject(vspace(np.zeros(3)), second).dense()
    array([0., 3., 0.])
    """

    def __init__(self, vs: VSpace, mut_add: Callable[[Any], Any]) -> None:
        self.vs = vs
        self.mut_add = mut_add

    def dense(self) -> Any:
        """Return the cotangent as a value of the space."""
        return self.mut_add(self.vs.zeros())
