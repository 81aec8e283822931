"""What this installation of tapegrad consists of, for error reports."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any, Literal, overload

import numpy as np

from tapegrad import _native, memory

__all__ = ["show_config"]

_EXTRAS = ("scipy", "tqdm")


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...


@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...


def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any] | None:
    """Print, or return, what this installation consists of: put it into reports of errors.

    Parameters
    ----------
    mode
        `"stdout"` prints, `"dicts"` returns nested dictionaries, as in `numpy.show_config`.

    Returns
    -------
    dict or None
        The sections `"tapegrad"`, with its version and how its core was compiled, `"Loops"`, how many of NumPy's inner
        loops the core runs and which it lacks, `"NumPy"`, with its BLAS and the features of the processor that it uses,
        `"Python"`, and `"Extras"`: the optional packages, None where one is not installed.

    Raises
    ------
    ValueError
        If `mode` is none of the two.

    Examples
    --------
    >>> import tapegrad
    >>> config = tapegrad.show_config(mode="dicts")
    >>> config["tapegrad"]["version"] == tapegrad.__version__
    True
    >>> config["Loops"]["float64"]["missing"]
    []
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode must be 'stdout' or 'dicts', not {mode!r}.")
    found = {
        "tapegrad": _core(),
        "Loops": _loops(),
        "NumPy": _numpy(),
        "Python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": platform.platform(),
            "interpreter lock": getattr(sys, "_is_gil_enabled", lambda: True)(),
        },
        "Extras": {name: _version(name) for name in _EXTRAS},
    }
    if mode == "dicts":
        return found
    print("\n".join(_lines(found)))
    return None


def _core() -> dict[str, Any]:
    info = _native.build_info()
    return {
        "version": _version("tapegrad"),
        "module": info["module"],
        "compiler": info["compiler"],
        "cython": info["cython"],
        "assertions": info["assertions"],
        "elements in a block": info["block"],
        "alignment": info["alignment"],
        "most dimensions": info["dimensions"],
        "cache limit": memory.stats().limit,
    }


def _loops() -> dict[str, Any]:
    """Return what the core runs: NumPy's loops by dtype, and operations with loops of their own."""
    info = _native.build_info()
    wanted = {row[0] for row in _native.op_table() if row[2] is None} | {"matmul"}
    found = {
        dtype: {"found": len(names), "missing": sorted(wanted.difference(names))}
        for dtype, names in info["loops"].items()
    }
    return {**found, "tapegrad's own": info["own"]}


def _numpy() -> dict[str, Any]:
    config: dict[str, Any] = np.show_config(mode="dicts")  # type: ignore[assignment]
    blas = config["Build Dependencies"]["blas"]
    return {
        "version": np.__version__,
        "BLAS": {key: blas[key] for key in ("name", "version", "openblas configuration") if key in blas},
        "processor features": config["SIMD Extensions"],
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _lines(section: dict[str, Any], depth: int = 0) -> list[str]:
    lines = []
    for key, value in section.items():
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{key}:", *_lines(value, depth + 1)]
        else:
            shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
            lines.append(f"{'  ' * depth}{key}: {'not installed' if shown is None else shown}")
    return lines
