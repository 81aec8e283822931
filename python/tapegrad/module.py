"""`Module`: an object that finds the variables held by its attributes.

A module needs no registration: its attributes (and the lists, tuples and dictionaries in them) are looked
through each time its variables are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from types import FunctionType

from tapegrad import nest
from tapegrad.dtypes import DType
from tapegrad.variable import Variable

__all__ = ["Module"]

# Most attributes are of these types: skipping them at once halves the time of a search.
_PLAIN = frozenset({bool, int, float, str, type(None), DType, FunctionType})


class Module:
    """A named collection of variables and other modules, to be subclassed.

    Parameters
    ----------
    name : str, optional
        A Python identifier; by default the class's name in snake case.

    Raises
    ------
    ValueError
        If `name` is not an identifier.

    Examples
    --------
    >>> import tapegrad as tf
    >>> class Line(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = tf.Variable(2.0, name="slope")
    ...         self.offset = tf.Variable(1.0, name="offset")
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> float(line(3.0))
    7.0
    >>> [variable.name for variable in line.trainable_variables]
    ['offset:0', 'slope:0']
    """

    __nest_leaf__ = True  # a module that is a dataclass is still a module, and no structure of its fields

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = snake_case(type(self).__name__)
        elif not name.isidentifier():
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers "
                "(e.g. a valid class name)."
            )
        self._name = name

    @property
    def name(self) -> str:
        """The name given to the constructor, or the class's in snake case."""
        return self._name

    @property
    def variables(self) -> Sequence[Variable]:
        """All variables of this module (attributes in sorted order), then those of its submodules."""
        return tuple(variable for variable, _ in self._found()[0])

    @property
    def trainable_variables(self) -> Sequence[Variable]:
        """The variables that training should change."""
        return tuple(variable for variable, trainable in self._found()[0] if trainable)

    @property
    def non_trainable_variables(self) -> Sequence[Variable]:
        """The other variables: those made with ``trainable=False``, and those of frozen layers."""
        return tuple(variable for variable, trainable in self._found()[0] if not trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """All modules that are reached from this one, without itself."""
        return tuple(self._found()[1])

    def _members(self) -> Iterable[object]:
        """The attributes' values in the order in which variables are listed."""
        attributes = vars(self)
        return [attributes[key] for key in sorted(attributes)]

    def _frozen(self) -> bool:
        """Whether training should leave the variables found below this module alone."""
        return False

    def _found(self) -> tuple[list[tuple[Variable, bool]], list[Module]]:
        """The variables below this module, each with whether it is trainable, and the modules below it."""
        variables: list[tuple[Variable, bool]] = []
        modules: list[Module] = []
        _collect(self, self._frozen(), {id(self)}, variables, modules)
        return variables, modules


def snake_case(name: str) -> str:
    """``MaxPooling2D`` as ``max_pooling2d``."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _collect(
    module: Module,
    frozen: bool,
    seen: set[int],
    variables: list[tuple[Variable, bool]],
    modules: list[Module],
) -> None:
    below: list[Module] = []
    for member in module._members():
        if type(member) in _PLAIN:
            continue
        for leaf in nest.flatten(member) if isinstance(member, (list, tuple, dict)) else (member,):
            if not isinstance(leaf, (Variable, Module)) or id(leaf) in seen:
                continue
            seen.add(id(leaf))
            if isinstance(leaf, Variable):
                variables.append((leaf, leaf.trainable and not frozen))
            else:
                below.append(leaf)
    for submodule in below:
        modules.append(submodule)
        _collect(submodule, frozen or submodule._frozen(), seen, variables, modules)
