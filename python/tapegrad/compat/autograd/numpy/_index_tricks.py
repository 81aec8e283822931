"""`r_` and `c_`: arrays, numbers, slices and tensors, joined by indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad.numpy as recorded
from tapegrad.compat.autograd._noting import named_step
from tapegrad.compat.autograd._values import holds_tensor, settled

__all__ = ["c_", "r_"]


class _Joiner:
    """NumPy's object of that name, which joins tensors too: vectors along the first axis, or as columns."""

    def __init__(self, plain: Any, as_columns: bool) -> None:
        self._plain = plain
        self._as_columns = as_columns
        self._joined = named_step("c_" if as_columns else "r_", self._join)

    def __getitem__(self, key: Any) -> Any:
        return self._joined(key)

    def _join(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if not holds_tensor(items):
            return self._plain[key]
        if isinstance(items[0], str):
            raise NotImplementedError(f"{key[0]!r}: directives are not for tensors; use concatenate or stack.")
        parts = [np.r_[item] if isinstance(item, slice) else recorded.atleast_1d(item) for item in items]
        if self._as_columns:
            parts = [part if np.ndim(part) > 1 else part[:, None] for part in parts]
        return settled(recorded.concatenate(parts, axis=-1 if self._as_columns else 0))


r_ = _Joiner(np.r_, as_columns=False)
"""`numpy.r_`, for tensors too."""

c_ = _Joiner(np.c_, as_columns=True)
"""`numpy.c_`, for tensors too."""
