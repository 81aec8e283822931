"""Linear algebra and its gradients are as accurate as the condition of the matrices allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from accuracy_linalg import PROBLEMS, ROWS, gradient_error

import tapegrad as tf


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_accuracy(row: dict[str, Any]) -> None:
    error = row["compute"]()
    assert error <= row["bound"], f"{row['name']}: {error:.1f} times what rounding must cost"


def test_errors_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = PROBLEMS["inv"]
    wrong = exact._replace(function=lambda a: tf.linalg.inv(a) * (1 + 1e-10))
    monkeypatch.setitem(PROBLEMS, "inv", wrong)
    assert gradient_error("inv") > 1e3


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row["name"] for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(np.isfinite(row["bound"]) for row in ROWS)
