"""`tf.print`: the text is TensorFlow's."""

from __future__ import annotations

import io
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

X = tf.constant([[1.0, 2.0], [3.0, 4.0]])
Pair = namedtuple("Pair", "x y")


def printed(*inputs: Any, **settings: Any) -> str:
    stream = io.StringIO()
    assert tf.print(*inputs, output_stream=stream, **settings) is None
    return stream.getvalue()


# Each as TensorFlow 2.21 prints it.
CASES: list[tuple[tuple[Any, ...], str]] = [
    ((), ""),
    (("hi", X), "hi [[1 2]\n [3 4]]"),
    ((tf.range(10),), "[0 1 2 ... 7 8 9]"),
    ((tf.range(6),), "[0 1 2 3 4 5]"),
    ((tf.constant(1.5), 2, 3.5, True, None, "s", [1, 2]), "1.5 2 3.5 True None s [1, 2]"),
    (((1.0, X),), "(1.0, [[1 2]\n [3 4]])"),
    (({"b": 1, "a": tf.constant([0.5])},), "{'a': [0.5], 'b': 1}"),
    ((Pair(1, tf.constant(2.0)),), "Pair(x=1, y=2)"),
    (([tf.constant(1), tf.Variable(2)], ["a"]), "[1, 2] ['a']"),
    ((tf.constant([1.0, 0.1, 1e-8, 1e20, 1 / 3, 123456789.0]),), "[1 0.1 1e-08 1e+20 0.333333343 123456792]"),
    ((tf.constant([0.1, 1 / 3, 1e16], tf.float64),), "[0.1 0.33333333333333331 1e+16]"),
    ((tf.constant([np.nan, np.inf, -np.inf]),), "[nan inf -inf]"),
    ((tf.constant([0.1, 1 / 3], tf.float16),), "[0.0999755859 0.333251953]"),
    ((tf.constant([1e5, 1e6, 1234567.0, 123456.789]),), "[100000 1e+06 1234567 123456.789]"),
    ((tf.constant([True, False]), tf.constant([1, 2], tf.uint8)), "[1 0] [1 2]"),
    ((np.arange(3), np.float32(0.1)), "array([0, 1, 2]) np.float32(0.1)"),
    ((tf.zeros(0), tf.zeros((1, 1, 2))), "[] [[[0 0]]]"),
    ((tf.reshape(tf.range(8), (2, 2, 2)),), "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]"),
    (("with %s {} brackets", tf.float32), "with %s {} brackets tf.float32"),
]


@pytest.mark.parametrize(("inputs", "text"), CASES)
def test_text(inputs: tuple[Any, ...], text: str) -> None:
    assert printed(*inputs) == text + "\n"


def test_settings() -> None:
    assert printed(X, summarize=1) == "[[1 2]\n [3 4]]\n"
    assert printed(tf.range(5), summarize=2) == "[0 1 ... 3 4]\n".replace("...", "...")
    assert printed(tf.range(9), summarize=-1) == printed(tf.range(9), summarize=None) == "[0 1 2 3 4 5 6 7 8]\n"
    assert printed(tf.range(3), "b", sep="", end="|") == "[0 1 2]b|"
    cube = tf.reshape(tf.range(64), (4, 4, 4))
    assert printed(cube, summarize=1) == (
        "[[[0 ... 3]\n  ...\n  [12 ... 15]]\n\n ...\n\n [[48 ... 51]\n  ...\n  [60 ... 63]]]\n"
    )


def test_streams(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tf.print("to stderr", X[0])
    assert capsys.readouterr() == ("", "to stderr [1 2]\n")
    log = tmp_path / "log.txt"
    for text in ("a", "b"):
        tf.print(text, output_stream=f"file://{log}")
    assert log.read_text() == "a\nb\n"
    with pytest.raises(ValueError, match="'file://' with a path, not 'stdout'"):
        tf.print(1, output_stream="stdout")
    with pytest.raises(ValueError, match="summarize is at least -1, not -2"):
        tf.print(1, summarize=-2)


def test_watched_values_are_printed() -> None:
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        assert printed(y, [x]) == "4 [2]\n"
    assert float(tape.gradient(y, x)) == 4.0
