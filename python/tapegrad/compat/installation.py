"""Standing in for autograd in `sys.modules`: each of its modules is found, when it is imported, among those here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import Self

__all__ = ["install_as_autograd", "uninstall_autograd"]

_NAME = "autograd"
_HERE = "tapegrad.compat.autograd"


def _is_in(package: str, name: str) -> bool:
    """Return whether a module is this package or within it."""
    return name == package or name.startswith(f"{package}.")


class _Finder(MetaPathFinder, Loader):
    """Finds autograd's modules in `tapegrad.compat.autograd`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where to load a module from if it is autograd or within it."""
        if not _is_in(_NAME, fullname):
            return None
        if importlib.util.find_spec(_HERE + fullname.removeprefix(_NAME)) is None:
            return None
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> None:
        """Let Python make a module to begin with."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the module from here in the place of the one that Python has made."""
        importlib.import_module(_HERE + module.__name__.removeprefix(_NAME))
        # Those that it has imported, too: importing one of them later would bind its name in the package again, where
        # it can mean something else by now (misc.flatten is a function).
        for name, found in list(sys.modules.items()):
            if _is_in(_HERE, name):
                sys.modules[_NAME + name.removeprefix(_HERE)] = found


_finder = _Finder()


class _Installed:
    """What `install_as_autograd` returns: at the end of a `with` block, autograd is autograd again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        uninstall_autograd()

    def __repr__(self) -> str:
        return "<tapegrad.compat.autograd in the place of autograd>"


def install_as_autograd() -> _Installed:
    """Let `import autograd` import `tapegrad.compat.autograd` from now on, in this process.

    Call it before the library that uses autograd is imported; whether autograd is installed makes no difference.

    Returns
    -------
    context manager
        As `with install_as_autograd():` it ends with the block, as by `uninstall_autograd()`. What has been imported in
        the block goes on using tapegrad.

    Raises
    ------
    ImportError
        If autograd itself has been imported already: what has been taken from it would not be replaced.

    Examples
    --------
    >>> from tapegrad.compat import install_as_autograd
    >>> with install_as_autograd():
    ...     from autograd import grad
    >>> grad(lambda x: x**2)(3.0)
    np.float64(6.0)
    """
    present = sys.modules.get(_NAME)
    if present is not None and present.__name__ != _HERE:
        raise ImportError(
            f"autograd itself has been imported already, from {getattr(present, '__file__', None)}: call "
            "tapegrad.compat.install_as_autograd() before anything that imports autograd is imported."
        )
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    return _Installed()


def uninstall_autograd() -> None:
    """Let `import autograd` import autograd itself again; libraries that are imported keep what they have.

    Examples
    --------
    >>> from tapegrad.compat import install_as_autograd, uninstall_autograd
    >>> install_as_autograd()
    <tapegrad.compat.autograd in the place of autograd>
    >>> uninstall_autograd()
    """
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    for name, module in list(sys.modules.items()):
        if _is_in(_NAME, name) and module.__name__.startswith(_HERE):
            del sys.modules[name]
