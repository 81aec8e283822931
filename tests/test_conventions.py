"""docs/conventions.md is true: every row of its tables is run, in every mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.special

import tapegrad as tf
from tapegrad.autodiff import ForwardAccumulator

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conventions.md"
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def exp_by_vectors(factors: Any) -> Any:
    """The exponential of a symmetric matrix of which eigenvalues and eigenvectors are given."""
    w, v = factors
    return (v * np.exp(w)) @ np.transpose(v)


_NAMES = {
    "tf": tf, "np": np, "special": scipy.special, "inf": np.inf, "nan": np.nan, "exp_by_vectors": exp_by_vectors,
}  # fmt: skip


class Row(NamedTuple):
    """One function of a row of the tables, at its point."""

    text: str
    at: str
    gradient: str
    forward: str
    second: bool
    """Whether the gradient is the second one."""
    section: str

    def __str__(self) -> str:
        return f"{self.text} at {self.at}"

    def __call__(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        return eval(self.text, {**_NAMES, **dict(zip("xyz", inputs, strict=False))})

    def points(self, double: bool, shape: tuple[int, ...] = ()) -> list[tf.Tensor]:
        """The values under "at" in single or double precision, repeated in the leading axes of `shape`."""
        real, complex_ = (np.float64, np.complex128) if double else (np.float32, np.complex64)
        arrays = [np.asarray(value) for value in _as_tuple(self.at)]
        return [
            tf.constant(np.broadcast_to(a, shape + a.shape).astype(complex_ if a.dtype.kind == "c" else real))
            for a in arrays
        ]

    def expected(self, mode: str, shape: tuple[int, ...] = ()) -> list[Any]:
        """The gradient in the operands, or None, as a mode gives it."""
        values = _as_tuple(self.forward if mode == "forward" else self.gradient)
        return [None if value is None else np.broadcast_to(value, shape + np.shape(value)) for value in values]

    @property
    def is_elementwise(self) -> bool:
        return all(np.ndim(value) == 0 for value in _as_tuple(self.at))


def _as_tuple(text: str) -> tuple[Any, ...]:
    value = eval(text, _NAMES)
    return value if isinstance(value, tuple) else (value,)


def _rows() -> Iterator[Row]:
    for section in PAGE.read_text("utf-8").split("\n## "):
        names: list[str] = []
        for line in _ROW.findall(section):
            cells = [cell.strip().strip("`") for cell in line.split("|")]
            if not names:
                names = cells
            elif set(cells[0]) != {"-"}:
                row = dict(zip(names, cells, strict=True))
                second = "second gradient" in row
                gradient = row["second gradient"] if second else row["gradient"]
                forward = row.get("forward mode", gradient)
                for text in (row["function"], row["with NumPy"]):
                    if text:
                        yield Row(text, row["at"], gradient, forward, second, section.partition("\n")[0])


ROWS = list(_rows())
FIRST = pytest.mark.parametrize("row", [row for row in ROWS if not row.second], ids=str)
SECOND = pytest.mark.parametrize("row", [row for row in ROWS if row.second], ids=str)
DOUBLE = pytest.mark.parametrize("double", [False, True], ids=["single", "double"])


def check(found: list[Any], inputs: list[tf.Tensor], expected: list[Any]) -> None:
    for got, x, want in zip(found, inputs, expected, strict=True):
        if want is None:
            assert got is None
            continue
        assert got is not None
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        # Where zeros are exact they must be exact; factorizations of matrices round.
        slack = 8 * np.finfo(got.numpy().dtype).eps if x.ndim > 1 else 0
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-6, atol=slack)


def reverse(row: Row, inputs: list[tf.Tensor]) -> list[tf.Tensor | None]:
    """The gradient of a row's function by a tape."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = row(inputs)
    return tape.gradient(y, inputs)


def reverse_by_stack(row: Row, inputs: list[tf.Tensor]) -> list[tf.Tensor | None]:
    """The same by a stack of cotangents: ones, zeros, which must give zeros, and ones doubled."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        y = row(inputs)
    stack = np.stack([np.full(y.shape, factor, y.dtype.as_numpy_dtype) for factor in (1, 0, 2)])
    found = tape.pullback(y, inputs, tf.constant(stack))
    for g in found:
        if g is not None:
            assert not g[1].numpy().any()
            np.testing.assert_array_equal(g[2].numpy(), 2 * g[0].numpy())
    return [None if g is None else g[0] for g in found]


def directions(x: tf.Tensor) -> np.ndarray:
    """All directions in which one element moves: of complex numbers the real ones, then the imaginary ones."""
    unit = np.eye(x.size).reshape(x.size, *x.shape)
    return np.concatenate([unit, 1j * unit]) if x.dtype.is_complex else unit


def forward(row: Row, inputs: list[tf.Tensor], batched: bool, value: Any = None) -> list[tf.Tensor | None]:
    """The gradient of a row's function (or of the sum of what `value` makes of the inputs), from its tangents."""
    value = value or row
    found: list[tf.Tensor | None] = []
    for x in inputs:
        stack = tf.constant(directions(x).astype(x.dtype.as_numpy_dtype))
        if batched:
            with ForwardAccumulator(x, stack, batched=True) as accumulator:
                y = value(inputs)
            tangents = accumulator.jvp(y)
        else:
            rows = []
            for direction in stack:
                with ForwardAccumulator(x, direction) as accumulator:
                    y = value(inputs)
                rows.append(accumulator.jvp(y))
            tangents = None if rows[0] is None else tf.stack(rows)
        found.append(None if tangents is None else from_slopes(tangents, x))
    return found


def from_slopes(tangents: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """The gradient of the real part of the results' sum, by its slopes along `directions(x)`."""
    slopes = tf.math.real(tf.reshape(tangents, (tangents.shape[0], -1)))
    slopes = tf.reduce_sum(slopes, axis=1)
    if x.dtype.is_complex:
        slopes = tf.complex(slopes[: x.size], slopes[x.size :])
    return tf.reshape(slopes, x.shape)


@DOUBLE
@FIRST
class TestGradient:
    def test_native_sweep(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        check(reverse(row, inputs), inputs, row.expected("reverse"))

    def test_recorded_sweep(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            gradients = reverse(row, inputs)
        check(gradients, inputs, row.expected("reverse"))

    def test_arrays(self, row: Row, double: bool) -> None:
        if row.is_elementwise:
            inputs = row.points(double, (2, 3))
            check(reverse(row, inputs), inputs, row.expected("reverse", (2, 3)))
            check(forward(row, inputs, batched=True), inputs, row.expected("forward", (2, 3)))

    def test_stack_of_cotangents(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        check(reverse_by_stack(row, inputs), inputs, row.expected("reverse"))

    def test_forward(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        check(forward(row, inputs, batched=False), inputs, row.expected("forward"))

    def test_stack_of_tangents(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        check(forward(row, inputs, batched=True), inputs, row.expected("forward"))

    def test_recorded_forward(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        with tf.GradientTape() as outer:
            outer.watch(inputs)
            tangents = forward(row, inputs, batched=False)
        check(tangents, inputs, row.expected("forward"))

    def test_functional(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        for k, (x, want) in enumerate(zip(inputs, row.expected("reverse"), strict=True)):
            if want is None or x.dtype.is_complex:
                continue
            gradient = tf.grad(lambda *xs: tf.reduce_sum(row(list(xs))), k)
            check([gradient(*inputs)], [x], [want])

    def test_zero_contributes_zero(self, row: Row, double: bool) -> None:
        inputs = row.points(double)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(inputs)
            y = row(inputs)
        zeros = tf.zeros_like(y)
        for g in tape.gradient(y, inputs, output_gradients=zeros):
            assert g is None or not g.numpy().any()
        for x in inputs:
            with ForwardAccumulator(x, tf.zeros_like(x)) as accumulator:
                y = row(inputs)
            tangent = accumulator.jvp(y)
            assert tangent is None or not tangent.numpy().any()

    def test_second_derivative_is_no_nan(self, row: Row, double: bool) -> None:
        if row.section == "Where NaN stays" or "nan" in row.gradient or "inf" in row.gradient:
            return
        for way, found in second_gradients(row, row.points(double)).items():
            for g in found:
                assert g is None or not np.isnan(g.numpy()).any(), way


def second_gradients(row: Row, inputs: list[tf.Tensor]) -> dict[str, list[tf.Tensor | None]]:
    """The gradient of the gradient's sum, by tapes and accumulators over each other."""

    def total(inputs: list[tf.Tensor]) -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(tf.math.real(g)) for g in reverse(row, inputs) if g is not None])

    def total_of_tangents(inputs: list[tf.Tensor]) -> tf.Tensor:
        tangents = [(tf.reshape(g, (-1,))) for g in forward(row, inputs, batched=False) if g is not None]
        return tf.reduce_sum(tf.math.real(tf.concat(tangents, 0)))

    if row.gradient.startswith("None"):
        return {}
    found = {}
    functions = {"reverse": total, "forward": total_of_tangents}
    if row.section == "Matrices":
        del functions["forward"]  # the page says why
    for name, function in functions.items():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = function(inputs)
        found[f"reverse over {name}"] = tape.gradient(y, inputs)
        found[f"forward over {name}"] = forward(row, inputs, batched=True, value=function)
    return found


@DOUBLE
@SECOND
def test_second_gradient(row: Row, double: bool) -> None:
    inputs = row.points(double)
    for way, found in second_gradients(row, inputs).items():
        try:
            check(found, inputs, row.expected("reverse"))
        except AssertionError as error:
            raise AssertionError(f"{way}: {error}") from error


def test_plain_arrays_through_numpy() -> None:
    assert tf.grad(np.abs)(0.0) == 0.0
    np.testing.assert_array_equal(tf.grad(np.linalg.norm)(np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(tf.grad(lambda x: np.std(x))(np.full(3, 2.0)), np.zeros(3))


def test_rows_are_found() -> None:
    assert len(ROWS) > 150
    assert sum(row.second for row in ROWS) > 30
    assert sum("np." in row.text for row in ROWS) > 70
