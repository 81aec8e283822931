"""What the function objects that are made of functions have in common: names, pickling, and use as methods."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Transformed", "name_of"]


class Transformed:
    """A function made of another one, `__wrapped__`, with its name and documentation.

    It can be pickled whenever the other one can; also where it has taken the other one's name, as a decorator does.
    """

    what = "transform"
    """The transformation's name, for messages."""

    __wrapped__: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the transformation makes of the wrapped function, at these arguments."""
        raise NotImplementedError

    def __init__(self, f: Callable[..., Any]) -> None:
        if not callable(f):
            raise TypeError(f"{self.what}: a function is needed, not {f!r} of type {type(f).__name__}.")
        functools.update_wrapper(self, f, updated=())

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        bind = getattr(self.__wrapped__, "__get__", None)
        if instance is None or bind is None:
            return self
        # Bound like the function it wraps: `self` is not one of the arguments that argnum counts.
        method = copy.copy(self)
        method.__wrapped__ = bind(instance, owner)
        return method

    def __copy__(self) -> Transformed:
        return _restored(type(self), self.__dict__)

    def __reduce__(self) -> str | tuple[Any, ...]:
        name: str = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (_restored, (type(self), self.__dict__))

    def __repr__(self) -> str:
        return f"<{self.what} of {name_of(self.__wrapped__)}>"

    def positional(
        self, argnums: int | tuple[int, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with those that `argnums` counts given by position, where the signature allows it."""
        if all([0 <= k < len(args) for k in ((argnums,) if isinstance(argnums, int) else argnums)]):
            return args, kwargs
        try:
            bound = inspect.signature(self.__wrapped__).bind(*args, **kwargs)
        except ValueError:  # there is no signature to be found
            return args, kwargs
        return bound.args, bound.kwargs


def name_of(function: Callable[..., Any]) -> str:
    """Return what messages call a function."""
    return getattr(function, "__qualname__", None) or repr(function)


def _restored(kind: type[Transformed], state: dict[str, Any]) -> Transformed:
    result = kind.__new__(kind)
    result.__dict__.update(state)
    return result
