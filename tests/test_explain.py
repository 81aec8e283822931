"""`tape.explain`: each reason why a gradient is None or zero, with the line that is to blame."""

import inspect
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from explained_programs import (
    PROGRAMS,
    ZERO,
    cancelling,
    connected,
    floored,
    integer_variable,
    negative_relu,
    not_trainable,
    stopped,
    undefined,
    unrelated,
    unwatched,
)

import tapegrad as tf
from tapegrad._observing import observer
from tapegrad._observing.explanation import REMEDIES


def marked_line(program):
    """The line of a program with the comment `# here`, None without one."""
    lines, start = inspect.getsourcelines(program)
    return next((start + k for k, line in enumerate(lines) if line.rstrip().endswith("# here")), None)


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_reason(program, persistent):
    reason, op = PROGRAMS[program]
    with tf.GradientTape(persistent, debug=True) as tape:
        target, source = program(tape)
    before = tape.explain(target, source)
    gradient = tape.gradient(target, source)
    found = tape.explain(target, source)
    assert str(found) == str(before)  # the tape's use changes nothing
    assert (found.reason, found.op) == (reason, op)
    if reason in ZERO:
        assert not gradient.numpy().any()
    elif reason == "not a number":
        assert np.isnan(gradient.numpy())
    else:
        assert (gradient is None) == (reason != "connected")
    line = marked_line(program)
    if line is not None:
        assert (found.where.file, found.where.line) == (inspect.getsourcefile(program), line)
        assert found.where.source in str(found)
        assert found.where.function == program.__name__


def test_path_leads_from_source_to_target():
    with tf.GradientTape(debug=True) as tape:
        target, source = floored(tape)
    found = tape.explain(target, source)
    assert [step.op for step in found.path] == ["watch", "exp", "floor", "sin"]
    assert all(step.where.file == inspect.getsourcefile(floored) for step in found.path)
    marked = [line for line in str(found).splitlines() if line.startswith("  >")]
    assert len(marked) == 1
    assert "floor" in marked[0]


def test_long_paths_are_shortened():
    x = tf.Variable(1.0)
    with tf.GradientTape(debug=True) as tape:
        y = x
        for _ in range(100):
            y = tf.sin(y)
    found = tape.explain(y, x)
    assert len(found.path) == 101
    assert "... 85 more ..." in str(found)


def test_whole_text():
    x = tf.Variable(3.0)
    with tf.GradientTape(debug=True) as tape:
        y = tf.stop_gradient(x)
    found = tape.explain(y, x)
    assert str(found) == "\n".join(
        [
            "The gradient is None: stop_gradient cuts the path.",
            f"  at {__file__}:{found.where.line} in test_whole_text",
            "      y = tf.stop_gradient(x)",
            "Take the stop_gradient away, if the dependence matters.",
        ]
    )


def test_best_path_is_explained():
    # One way is broken twice, the other once, and a third not at all.
    x = tf.Variable(3.0)
    with tf.GradientTape(debug=True) as tape:
        y = tf.floor(tf.stop_gradient(x)) + tf.stop_gradient(tf.exp(x)) * 2.0
        z = y * x
    assert [step.op for step in tape.explain(y, x).path][:3] == ["watch", "exp", "stop_gradient"]
    assert tape.explain(z, x).reason == "connected"


def test_several_dead_branches():
    x = tf.Variable(-1.0)
    with tf.GradientTape(debug=True) as tape:
        y = tf.nn.relu(x) + tf.minimum(x, -2.0)
    found = tape.explain(y, x)
    assert found.op == "minimum"
    assert "So do 1 other operations" in str(found)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (unwatched, "unwatched"),
        (integer_variable, "integer"),
        (not_trainable, "not trainable"),
        (stopped, "unheard"),
        (unrelated, "unrelated"),
        (negative_relu, "dead"),
        (cancelling, "cancels"),
        (undefined, "not a number"),
        (connected, "connected"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_tape_without_debug_says_what_it_can(program, reason):
    with tf.GradientTape(persistent=True) as tape:
        target, source = program(tape)
    found = tape.explain(target, source)
    assert found.reason == reason
    assert found.where is None
    assert str(found).endswith("A tape made with tf.GradientTape(debug=True) says where in the program.")
    assert tape.observer is None  # the sweep's is gone


def test_variables_are_not_watched_by_themselves():
    x = tf.Variable(3.0)
    with tf.GradientTape(watch_accessed_variables=False, debug=True) as tape:
        y = x * x
    found = tape.explain(y, x)
    assert found.reason == "unwatched"
    assert "does not watch variables by itself" in str(found)


def test_states():
    x = tf.Variable(3.0)
    tape = tf.GradientTape()
    assert tape.explain(x, x).reason == "never entered"
    with tape:
        y = x * x
    tape.gradient(y, x)
    assert tape.explain(y, x).reason == "used up"


def test_target_computed_after_the_block():
    x = tf.Variable(3.0)
    with tf.GradientTape(debug=True) as tape:
        y = x * x
    found = tape.explain(y + 1.0, x)
    assert found.reason == "unheard"
    assert "after it was left" in found.text
    assert found.text.count(__file__) == 2  # where it was entered and left


def test_target_is_source():
    x = tf.constant(3.0)
    with tf.GradientTape(debug=True) as tape:
        pass
    assert tape.explain(x, x).reason == "connected"


def test_inner_tape_does_not_hide_operations():
    x = tf.Variable(3.0)
    z = tf.constant(2.0)
    with tf.GradientTape(debug=True) as outer, tf.GradientTape() as inner:
        inner.watch(z)
        y = z * z
        w = y * x
    assert outer.explain(w, z).reason == "unwatched"
    assert outer.explain(w, z).path[0].op == "multiply"


def test_read_value_of_a_variable_that_is_not_watched():
    x = tf.Variable(3.0, trainable=False)
    with tf.GradientTape(debug=True) as tape:
        y = x.read_value() * 2.0
    assert [step.op for step in tape.explain(y, x).path] == ["read_value", "multiply"]


def test_element_assignment_is_followed():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(debug=True) as tape:
        y = tf.constant([0.0, 0.0])
        y[0] = tf.stop_gradient(x[0])
        z = y * 2.0
    assert tape.explain(z, x).reason == "stop_gradient"


@pytest.mark.parametrize("wrong", [None, 3.0, [1.0]])
def test_wrong_arguments(wrong):
    x = tf.Variable(3.0)
    with tf.GradientTape(debug=True) as tape:
        y = x * x
    with pytest.raises(TypeError, match="target must be a tensor or a variable"):
        tape.explain(wrong, x)
    with pytest.raises(TypeError, match="source must be a tensor or a variable"):
        tape.explain(y, wrong)


def test_explaining_records_nothing():
    x = tf.Variable([-1.0])
    with tf.GradientTape(debug=True) as outer, tf.GradientTape(persistent=True, debug=True) as tape:
        y = tf.nn.relu(x)
        nodes = len(outer._nodes()), len(tape._nodes())
        assert tape.explain(y, x).reason == "dead"
        assert (len(outer._nodes()), len(tape._nodes())) == nodes


def test_debug_changes_no_gradient():
    x = tf.Variable([1.0, 2.0])

    def gradient(**options):
        with tf.GradientTape(**options) as tape:
            y = tf.reduce_sum(tf.exp(x) * tf.stop_gradient(x) + np.sin(x))
        return tape.gradient(y, x).numpy()

    np.testing.assert_array_equal(gradient(debug=True), gradient())


def test_pause_does_not_forbid_arrays():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(debug=True) as tape:
        y = x * x
        with tape.stop_recording():
            np.testing.assert_array_equal(np.asarray(y), [1.0, 4.0])


def test_no_debug_no_calls(monkeypatch):
    """Without debug nothing of the observers runs while operations are recorded."""
    called = []
    for name in ("recorded", "ended", "watched", "entered"):
        monkeypatch.setattr(observer.Observer, name, lambda *details, name=name: called.append(name))
    monkeypatch.setattr(observer, "user_site", lambda: called.append("user_site"))
    with tf.GradientTape() as tape:
        x = tf.Variable([1.0, 2.0])
        y = tf.stop_gradient(tf.floor(x)) * tf.exp(x) + float(x[0])
    tape.gradient(y, x)
    assert not called
    with tf.GradientTape(debug=True):
        tf.exp(x)
    assert {"entered", "watched", "recorded"} <= set(called)


def test_cells_of_a_notebook_have_their_names(monkeypatch):
    """A line of a cell is named as IPython's own tracebacks name it; other files keep their names."""
    names = {__file__: ("Cell", "In[7]")}
    shell = types.SimpleNamespace(compile=types.SimpleNamespace(format_code_name=names.get))
    x = tf.Variable(3.0)
    with tf.GradientTape(debug=True) as tape:
        y = tf.stop_gradient(x)
    found = tape.explain(y, x)
    assert f"at {__file__}:{found.where.line} in test_cells" in str(found)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert f"at Cell In[7]:{found.where.line} in test_cells" in str(found)
    names.clear()
    assert f"at {__file__}:{found.where.line} in test_cells" in str(found)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))  # imported, not in use
    assert f"at {__file__}:{found.where.line} in test_cells" in str(found)


def test_page_shows_each_reason():
    """`docs/why_none.md` has a row for every reason."""
    page = (Path(__file__).resolve().parents[1] / "docs" / "why_none.md").read_text("utf-8")
    missing = [reason for reason in REMEDIES if f"`{reason}`" not in page]
    assert not missing
