"""Where the files of the C interface are, for the builds of extension modules and of C programs.

The interface itself is `tapegrad/tapecore.h`; `docs/embedding.md` says how to use it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["get_cmake_dir", "get_include"]


def get_include() -> str:
    """Return the directory to put on the compiler's include path, for `#include <tapegrad/tapecore.h>`.

    Returns
    -------
    str

    Examples
    --------
    >>> from pathlib import Path
    >>> import tapegrad
    >>> (Path(tapegrad.get_include()) / "tapegrad" / "tapecore.h").is_file()
    True
    """
    return str(Path(__file__).parent / "include")


def get_cmake_dir() -> str:
    """Return the directory to give to CMake as `tapecore_DIR`, for `find_package(tapecore CONFIG)`.

    Returns
    -------
    str

    Examples
    --------
    >>> from pathlib import Path
    >>> import tapegrad
    >>> (Path(tapegrad.get_cmake_dir()) / "tapecore-config.cmake").is_file()
    True
    """
    return str(Path(__file__).parent / "cmake")
