"""Tensors out of JSON, and leaves whose operations are recorded; a leaf shares its tensor's memory."""

from __future__ import annotations

from typing import Any

import torch

from bench.gradbench.inputs import Json, floats


def number(given: Any) -> torch.Tensor:
    return torch.tensor(given, dtype=torch.float64)


def vector(given: Json) -> torch.Tensor:
    return torch.from_numpy(floats(given["x"]))


def leaf(x: torch.Tensor) -> torch.Tensor:
    return x.detach().requires_grad_()
