"""Convolution along chosen axes, as in `autograd.scipy.signal`."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad.compat.autograd._noting import one_step
from tapegrad.compat.autograd._values import settled

__all__ = ["convolve"]


@one_step
def convolve(
    A: Any,  # noqa: N803 (autograd's name)
    B: Any,  # noqa: N803 (autograd's name)
    axes: Sequence[Sequence[int]] | None = None,
    dot_axes: Sequence[Sequence[int]] = ((), ()),
    mode: str = "full",
) -> Any:
    """Return the convolution of two arrays along some axes, with products along others.

    Parameters
    ----------
    A, B
        The arrays.
    axes
        The axes of `A` and those of `B` to convolve along; all by default.
    dot_axes
        The axes of `A` and those of `B` to sum products over.
    mode
        "full"; "valid": where one array covers the other; or "same": as much of the middle as `A` is long.

    Returns
    -------
    array
        Its axes are the other ones of `A`, the other ones of `B`, and those of the convolution.

    Raises
    ------
    ValueError
        For another mode, or if in "valid" mode neither array covers the other along all axes.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.scipy.signal import convolve
    >>> convolve(np.array([1.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    array([1., 3., 3., 2.])
    """
    a, b = tnp.asarray(A), tnp.asarray(B)
    of_a, of_b = (range(a.ndim), range(b.ndim)) if axes is None else axes
    along_a, along_b = _from_front(of_a, a.ndim), _from_front(of_b, b.ndim)
    dots_a, dots_b = _from_front(dot_axes[0], a.ndim), _from_front(dot_axes[1], b.ndim)
    sizes = [(a.shape[i], b.shape[j]) for i, j in zip(along_a, along_b, strict=True)]
    a_slides = mode == "valid" and any(n < m for n, m in sizes)
    if mode == "valid" and a_slides and any(n > m for n, m in sizes):
        raise ValueError(f'convolve: in "valid" mode one array must cover the other, but the sizes are {sizes}.')
    if mode != "valid":
        margins = {i: _margin(mode, m) for i, (_, m) in zip(along_a, sizes, strict=True)}
        a = tnp.pad(a, [margins.get(i, (0, 0)) for i in range(a.ndim)])
    wide, narrow, along_wide, along_narrow = (b, a, along_b, along_a) if a_slides else (a, b, along_a, along_b)
    windows = np.lib.stride_tricks.sliding_window_view(
        wide, [narrow.shape[j] for j in along_narrow], axis=tuple(along_wide)
    )
    narrow = tnp.flip(narrow, tuple(along_narrow))
    # The windows have the axes of the wide array, positions in place of those convolved along, and then the windows'.
    letters = iter(string.ascii_letters)
    positions, inside = [next(letters) for _ in sizes], [next(letters) for _ in sizes]
    summed = [next(letters) for _ in dots_a]
    names_a = _named(a.ndim, along_a, inside if a_slides else positions, dots_a, summed, letters)
    names_b = _named(b.ndim, along_b, positions if a_slides else inside, dots_b, summed, letters)
    kept = "".join(
        [name for k, name in enumerate(names_a) if k not in along_a and k not in dots_a]
        + [name for k, name in enumerate(names_b) if k not in along_b and k not in dots_b]
        + positions
    )
    wide_names, narrow_names = (names_b, names_a) if a_slides else (names_a, names_b)
    text = f"{''.join(wide_names)}{''.join(inside)},{''.join(narrow_names)}->{kept}"
    return settled(tnp.einsum(text, windows, narrow))


def _margin(mode: str, size: int) -> tuple[int, int]:
    """Return how many zeros go before and after an axis along which a kernel of this size slides."""
    if mode == "full":
        return size - 1, size - 1
    if mode == "same":
        return size // 2, (size - 1) // 2
    raise ValueError(f'convolve: mode must be "full", "valid" or "same", not {mode!r}.')


def _from_front(axes: Sequence[int], ndim: int) -> list[int]:
    return [axis % ndim for axis in axes]


def _named(
    ndim: int, along: list[int], along_names: list[str], dots: list[int], dot_names: list[str], letters: Any
) -> list[str]:
    """Return a letter for each axis of an array."""
    known = {**dict(zip(along, along_names, strict=True)), **dict(zip(dots, dot_names, strict=True))}
    return [known.get(k) or next(letters) for k in range(ndim)]
