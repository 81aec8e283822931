"""What a tape shows of itself: the table, the graph, the drawing, its size, and the bound for that."""

import gc
import re
import weakref
from xml.etree import ElementTree

import numpy as np
import pytest

import tapegrad as tf


def program(**options):
    """A tape with two sources, a loop, and a dead end."""
    x = tf.Variable(np.ones((3, 4)), name="x")
    w = tf.constant(np.ones((4, 4)))
    with tf.GradientTape(persistent=True, **options) as tape:
        tape.watch(w)
        h = x
        for _ in range(5):
            h = tf.tanh(h @ w)
        tf.reduce_max(h)
        tf.floor(h)
        tf.reduce_sum(h * h)
    return tape


# --- the table --------------------------------------------------------------------------------------------------------


def test_table():
    x = tf.Variable(np.ones(1000), name="x")
    with tf.GradientTape() as tape:
        for _ in range(3):
            y = tf.exp(x)
        y * 2.0
    assert str(tape.summary()).splitlines() == [
        "op        shape    dtype    nodes  saved bytes",
        "x:0       (1000,)  float64      1            0",
        "exp       (1000,)  float64      3        24000",
        "multiply  (1000,)  float64      1            0",
        f"5 nodes, 24.0 kB in 3 saved arrays, {tape._arena_bytes} bytes of tape",
    ]


def test_table_of_a_debug_tape_has_lines_and_times():
    text = str(program(debug=True).summary())
    assert re.search(rf"^tanh +\(3, 4\) +float64 +5 +480 +\d+\.\d{{3}}  {re.escape(__file__)}:\d+$", text, re.MULTILINE)


def test_rows():
    tape = program(debug=True)
    whole, grouped = tape.summary(group=False), tape.summary()
    assert len(whole.rows) == whole.nodes == grouped.nodes == sum(row.nodes for row in grouped.rows)
    assert whole.saved_bytes == grouped.saved_bytes == sum(row.saved_bytes for row in grouped.rows)
    assert {row.op: row.nodes for row in grouped.rows}["matmul"] == 5
    seconds = [row.seconds for row in whole.rows if row.seconds is not None]
    assert min(seconds) > 0
    assert all(row.where.file == __file__ for row in whole.rows)


def test_limit_keeps_what_saves_most():
    summary = program().summary(group=False, limit=2)
    assert len(summary.rows) > 2
    lines = str(summary).splitlines()
    assert len(lines) == 5
    assert lines[3] == f"... and {len(summary.rows) - 2} rows that save less"


def test_empty_tape():
    tape = tf.GradientTape()
    assert str(tape.summary()).splitlines()[-1] == "0 nodes, 0 bytes in 0 saved arrays, 0 bytes of tape"
    assert tape.to_dot().startswith("digraph tape {")
    assert "<svg" not in tape._repr_html_()
    assert tape.nbytes == 0


# --- the size ---------------------------------------------------------------------------------------------------------


def test_size_counts_each_array_once():
    x = tf.Variable(np.ones(1000))
    with tf.GradientTape() as tape:
        y = tf.sin(x)
        tf.cos(x)
        y * x
    assert tape.nbytes == tape._arena_bytes + 2 * 8000  # x, saved three times, and y


def test_size_counts_the_whole_of_what_a_view_keeps():
    x = tf.Variable(np.ones(1000))
    with tf.GradientTape() as tape:
        tf.sin(tf.exp(x)[:10])
    assert tape.nbytes == tape._arena_bytes + 8000  # exp saves its result, and sin a part of it


def test_size_counts_what_python_rules_save():
    x = tf.Variable(np.ones(1000))
    with tf.GradientTape() as tape:
        before = tape.nbytes
        tf.cumprod(x)
    assert tape.nbytes - before >= 8000


def test_size_after_the_gradient():
    x = tf.Variable(np.ones(1000))
    with tf.GradientTape() as tape:
        y = tf.exp(x)
    tape.gradient(y, x)
    assert tape.nbytes == 0


# --- the bound --------------------------------------------------------------------------------------------------------


def test_bound():
    x = tf.Variable(np.ones(1000))
    with tf.GradientTape(max_bytes=30_000) as tape:
        y = tf.exp(x)
        z = y + tf.exp(2.0 * x)
        with pytest.raises(MemoryError) as details:
            for _ in range(10):
                tf.exp(z)
    text = str(details.value)
    assert re.search(r"the tape holds 32\.\d kB, more than max_bytes=30000", text)
    assert re.search(rf"\n  \d+\.0 kB by exp at {re.escape(__file__)}:\d+ in test_bound\n", text)
    np.testing.assert_allclose(tape.gradient(z, x).numpy(), np.exp(1.0) + 2 * np.exp(2.0))


def test_bound_counts_arrays_once_and_forgets_on_reset():
    x = tf.Variable(np.ones(1000))
    with tf.GradientTape(max_bytes=20_000) as tape:
        for _ in range(3):
            tape.reset()
            for _ in range(5):
                tf.sin(x)
            tf.exp(x)


def test_bound_has_to_be_positive():
    with pytest.raises(ValueError, match="max_bytes must be positive, got 0"):
        tf.GradientTape(max_bytes=0)


# --- the graph --------------------------------------------------------------------------------------------------------


def test_dot():
    x = tf.Variable(3.0, name='odd "name"')
    with tf.GradientTape() as tape:
        tf.exp(x) * x
    assert tape.to_dot().splitlines() == [
        "digraph tape {",
        "  rankdir=TB;",
        '  node [fontname="monospace", fontsize=10];',
        r'  n0 [label="odd \"name\":0\n() float32", shape=ellipse, style=filled, fillcolor="#cfe8cf"];',
        r'  n1 [label="exp\n() float32", shape=box];',
        r'  n2 [label="multiply\n() float32", shape=box, peripheries=2];',
        "  n0 -> n1;",
        "  n1 -> n2;",
        "  n0 -> n2;",
        "}",
    ]


def test_dot_of_a_debug_tape_shows_dead_ends():
    text = program(debug=True).to_dot()
    assert re.search(r'e0 \[label="floor\\n.*", shape=box, style=dashed\];', text)
    assert re.search(r"n\d+ -> e0 \[style=dashed\];", text)


def test_dot_with_a_limit():
    text = program().to_dot(limit=2)
    assert len(re.findall(r"^  n\d+ \[", text, re.MULTILINE)) == 2
    assert 'earlier [label="' in text
    assert "earlier -> n" in text


# --- the drawing ------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def drawn(tape):
    """The SVG of a tape, parsed."""
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", tape._repr_html_()).group())


def test_drawing():
    tape = program(debug=True)
    svg = drawn(tape)
    nodes = len(tape._nodes())
    assert len(svg.findall(f".//{SVG}rect")) == nodes + 1  # and the floor
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert texts.count("tanh") == 5
    assert "not followed" in texts
    assert any(title.text.startswith(__file__) for title in svg.iter(f"{SVG}title"))
    assert f"{nodes} nodes" in tape._repr_html_()


def test_drawing_stays_inside_its_frame_and_boxes_apart():
    svg = drawn(program())
    _, _, width, height = [float(number) for number in svg.get("viewBox").split()]
    boxes = [[float(rect.get(name)) for name in ("x", "y", "width", "height")] for rect in svg.findall(f".//{SVG}rect")]
    for x, y, w, h in boxes:
        assert min(x, y) >= 0
        assert x + w <= width
        assert y + h <= height
    for k, (x, y, w, _) in enumerate(boxes):
        for x2, y2, w2, _ in boxes[:k]:
            assert y != y2 or x + w <= x2 or x2 + w2 <= x


def test_drawing_takes_the_colours_around_it():
    html = program()._repr_html_()
    assert 'stroke="currentColor"' in html
    assert 'fill="currentColor"' in html
    assert "white" not in html
    assert "black" not in html


def test_drawing_escapes_names():
    x = tf.Variable(3.0, name="<b>&")
    with tf.GradientTape() as tape:
        x * x
    assert "<b>" not in tape._repr_html_()
    assert "<b>&:0" in [text.text for text in drawn(tape).iter(f"{SVG}text")]


def test_large_tape_is_drawn_in_part():
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        for _ in range(200):
            tf.sin(x)
    assert "201 nodes" in tape._repr_html_()
    assert "the last 80 nodes" in tape._repr_html_()
    assert len(drawn(tape).findall(f".//{SVG}rect")) == 80


# --- life -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"debug": True}, {"max_bytes": 10**6}])
def test_observed_tape_is_collected(options):
    tape = program(**options)
    dead = weakref.ref(tape)
    del tape
    gc.collect()
    assert dead() is None
