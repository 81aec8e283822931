"""docs/conventions.md is true: every row of its tables is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conventions.md"
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
FIRST_ORDER, SECOND_ORDER = [], []
for section in PAGE.read_text("utf-8").split("\n## "):
    rows = SECOND_ORDER if section.startswith("Second derivatives") else FIRST_ORDER
    rows += ROW.findall(section)


def points(at: str, double: bool) -> list[tf.Tensor]:
    """The tensors under "at", in single or double precision."""
    values = [np.asarray(value) for value in as_tuple(at)]
    real, complex_ = (np.float64, np.complex128) if double else (np.float32, np.complex64)
    return [tf.constant(v.astype(complex_ if v.dtype.kind == "c" else real)) for v in values]


def as_tuple(text: str) -> tuple[Any, ...]:
    value = eval(text, {"np": np, "inf": np.inf, "nan": np.nan})
    return value if isinstance(value, tuple) else (value,)


def evaluate(function: str, inputs: list[tf.Tensor]) -> tf.Tensor:
    return eval(function, {"tf": tf, **dict(zip("xyz", inputs, strict=False))})


def check(gradients: list[tf.Tensor | None], inputs: list[tf.Tensor], expected: str) -> None:
    for got, x, want in zip(gradients, inputs, as_tuple(expected), strict=True):
        if want is None:
            assert got is None
        else:
            assert got is not None
            assert (got.shape, got.dtype) == (x.shape, x.dtype)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-6, atol=0)


def row_id(value: object) -> str:
    return str(value)


@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
@pytest.mark.parametrize(("function", "at", "expected"), FIRST_ORDER, ids=row_id)
class TestRow:
    def test_native_sweep(self, function: str, at: str, expected: str, double: bool) -> None:
        inputs = points(at, double)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = evaluate(function, inputs)
        check(tape.gradient(y, inputs), inputs, expected)

    def test_recorded_sweep(self, function: str, at: str, expected: str, double: bool) -> None:
        inputs = points(at, double)
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                y = evaluate(function, inputs)
            gradients = tape.gradient(y, inputs)
        check(gradients, inputs, expected)


@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
@pytest.mark.parametrize(("function", "at", "expected"), SECOND_ORDER, ids=row_id)
def test_second_order(function: str, at: str, expected: str, double: bool) -> None:
    inputs = points(at, double)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = evaluate(function, inputs)
        gradients = tape.gradient(y, inputs)
    check(outer.gradient(gradients, inputs), inputs, expected)


def test_rows_are_found() -> None:
    assert len(FIRST_ORDER) > 50
    assert len(SECOND_ORDER) > 5
