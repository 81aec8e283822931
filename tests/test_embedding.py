"""The C interface from an extension module: tapes of both sides, ownership, errors, threads, versions."""

import gc
import importlib.util
import re
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import numpy as np
import pytest

import tapegrad as tf

HERE = Path(__file__).parent
MINIMAL = """
#include <Python.h>
#include <tapegrad/tapecore.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "minimal", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_minimal(void) { return import_tapegrad() < 0 ? NULL : PyModule_Create(&module); }
"""


def build(source, directory, include):
    """An extension module compiled from one C file, imported."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()
    target = directory / (source.stem + sysconfig.get_config_var("EXT_SUFFIX"))
    flags = ["-std=c11", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    if sys.platform == "darwin":
        flags += ["-undefined", "dynamic_lookup"]
    paths = [f"-I{include}", f"-I{sysconfig.get_paths()['include']}"]
    subprocess.run([*compiler, *flags, *paths, str(source), "-o", str(target), "-lm"], check=True)
    spec = importlib.util.spec_from_file_location(source.stem, target)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    return build(HERE / "embedded.c", tmp_path_factory.mktemp("embedded"), tf.get_include())


@pytest.fixture
def x():
    return tf.constant(np.linspace(0.1, 2.0, 6).reshape(3, 2))


class TestOnPythonsTapes:
    """What an extension computes is recorded by the tapes that record around it."""

    def test_structural_operations(self, embedded, x):
        tf.testing.check_grads(embedded.structures, (x, np.array([1.0, -2.0, 0.5])))

    def test_an_op_with_rules_made_of_operations(self, embedded, x):
        assert np.array_equal(embedded.sine(x), np.sin(x))
        tf.testing.check_grads(embedded.sine, (x,))

    def test_variables_are_watched(self, embedded):
        v = tf.Variable(0.5, dtype="float64")
        with tf.GradientTape() as tape:
            y = embedded.sine(v)
        assert tape.watched_variables() == (v,)
        assert float(tape.gradient(y, v)) == np.cos(0.5)

    def test_second_derivatives(self, embedded):
        v = tf.Variable([0.5, 1.0], dtype="float64")
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = embedded.sine(v)
            dy = inner.gradient(y, v)
        np.testing.assert_array_equal(outer.gradient(dy, v), -np.sin([0.5, 1.0]))

    def test_forward_mode_uses_the_jvp(self, embedded, x):
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            y = embedded.sine(x)
        np.testing.assert_array_equal(accumulator.jvp(y), np.cos(x))

    def test_forward_mode_transposes_the_vjp(self, embedded, x):
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            y = embedded.define_and_use(x)
        np.testing.assert_array_equal(accumulator.jvp(y), np.cos(x))

    def test_a_loop_over_elements_has_first_derivatives(self, embedded, x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = embedded.looped(x)
        np.testing.assert_array_equal(tape.gradient(y, x), np.cos(x))
        jacobian = tape.jacobian(y, x).numpy().reshape(6, 6)
        np.testing.assert_array_equal(jacobian, np.diag(np.cos(x.numpy().ravel())))

    def test_and_says_so_where_a_second_one_is_wanted(self, embedded, x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = embedded.looped(x)
            with pytest.raises(TypeError, match="tapegrad_data: a tape that records knows this value"):
                inner.gradient(y, x)
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            y = embedded.looped(x)
            with pytest.raises(TypeError, match="tapegrad_data"):
                accumulator.jvp(y)

    def test_explain_and_drawings_know_the_op(self, embedded, x):
        with tf.GradientTape(debug=True) as tape:
            tape.watch(x)
            embedded.sine(x)
        assert "native_sine" in str(tape.summary())
        assert "native_sine" in tape.to_dot()


class TestTapesOfC:
    """Tapes that an extension makes, with Python around and inside."""

    def test_a_gradient(self, embedded):
        gradient, y = embedded.on_both_tapes(tf.constant([1.0, 2.0]))
        assert gradient.numpy().tolist() == [2.0, 4.0]
        assert y.numpy().tolist() == [1.0, 4.0]

    def test_a_gradient_that_an_outer_tape_would_lose(self, embedded):
        v = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as tape:
            with pytest.raises(TypeError, match="another tape records"):
                embedded.on_both_tapes(v)
            y = v * v
        assert tape.gradient(y, v).numpy().tolist() == [2.0, 4.0]

    def test_python_code_is_recorded(self, embedded):
        found = embedded.gradient_of_call(lambda t: tf.reduce_sum(tf.exp(t) * t), [0.5, 1.0])
        np.testing.assert_allclose(found, np.exp([0.5, 1.0]) * [1.5, 2.0], rtol=1e-6)

    def test_python_tapes_inside(self, embedded):
        def slope(t):
            with tf.GradientTape() as tape:
                tape.watch(t)
                y = t**3.0
            return tape.gradient(y, t)

        found = embedded.gradient_of_call(slope, tf.constant([0.5, 1.0]))
        np.testing.assert_allclose(found, [3.0, 6.0], rtol=1e-6)

    def test_rules_in_python_are_refused(self, embedded):
        with pytest.raises(TypeError, match="a tape of the C interface cannot record cumsum"):
            embedded.gradient_of_call(np.cumsum, [0.5, 1.0])

    def test_other_dtypes_are_refused(self, embedded):
        with pytest.raises(TypeError, match="which only tapes of Python can differentiate"):
            embedded.gradient_of_call(lambda t: tf.cast(t, "complex128") ** 2, [0.5, 1.0])

    def test_without_the_lock_in_two_threads(self, embedded):
        starts = [np.linspace(0.0, 1.0, 7), np.linspace(-1.0, 0.0, 50)]
        results = [None, None]

        def work(i):
            results[i] = embedded.without_the_lock(starts[i], 3000).numpy()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(200):  # and Python's tapes meanwhile
            assert embedded.on_both_tapes(tf.constant([3.0]))[0].numpy().tolist() == [6.0]
        for thread in threads:
            thread.join()
        for start, result in zip(starts, results, strict=True):
            np.testing.assert_allclose(result, np.cos(start) * start + np.sin(start), rtol=1e-15, atol=1e-15)


class TestOwnership:
    def test_a_buffer_is_given_back_once(self, embedded):
        before = embedded.counts()[0]
        x = embedded.lend(1000)
        view = np.asarray(x)[500:]
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x[10:20] ** 2.0
        del x
        gc.collect()
        assert embedded.counts()[0] == before
        assert view[0] == 500.0
        del view
        gc.collect()
        assert embedded.counts()[0] == before  # the tape has saved a part
        del tape
        assert float(y[0]) == 100.0
        gc.collect()
        assert embedded.counts()[0] == before + 1

    def test_an_op_lives_as_long_as_its_uses(self, embedded):
        before = embedded.counts()[1]
        v = tf.Variable([1.0, 2.0], dtype="float64")
        with tf.GradientTape() as tape:
            y = embedded.define_and_use(v)
        assert embedded.counts()[1] == before
        tape.gradient(y, v)
        del tape
        gc.collect()
        assert embedded.counts()[1] == before + 1

    def test_elements_are_shared(self, embedded):
        x = embedded.lend(4)
        with tf.GradientTape() as tape:
            tape.watch(x)
        assert np.shares_memory(x, tf.reshape(x, (2, 2)))
        assert tape.gradient(x, x).numpy().tolist() == [1.0] * 4

    def test_nothing_is_left_behind(self, embedded, x):
        def everything():
            embedded.on_both_tapes(x)
            embedded.without_the_lock(x, 3)
            embedded.gradient_of_call(lambda t: t * t, x)
            with pytest.raises(ValueError, match="it refuses"):
                embedded.stubborn(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = embedded.structures(embedded.sine(x), np.array([1.0, 2.0, 3.0]))
            tape.jacobian(y, x)

        everything()
        gc.collect()
        before = embedded.counts()[2]
        for _ in range(5):
            everything()
        gc.collect()
        assert embedded.counts()[2] == before


class TestErrors:
    def test_a_kernel_that_fails_leaves_the_tape_usable(self, embedded):
        v = tf.Variable([0.5, 1.0], dtype="float64")
        with tf.GradientTape() as tape:
            y = embedded.sine(v)
            with pytest.raises(ValueError, match="stubborn: it refuses"):
                embedded.stubborn(y)
            z = y * 2.0
        np.testing.assert_array_equal(tape.gradient(z, v), 2.0 * np.cos([0.5, 1.0]))

    def test_shapes_and_dtypes(self, embedded):
        with pytest.raises(ValueError, match=r"tapegrad_matmul: shapes \(2, 4\) and \(3,\) do not fit"):
            embedded.structures(np.ones((4, 2)), np.ones(3))
        with pytest.raises(TypeError, match="both float32 or both float64, not float32 and float64"):
            embedded.structures(np.ones((3, 2), np.float32), np.ones(3))
        with pytest.raises(TypeError, match="tapegrad has no values of dtype"):
            embedded.sine(np.array(["text"]))


class TestVersions:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("ABI", "for version 2 of tapegrad's C interface, and the installed tapegrad provides version 1"),
            ("FEATURES", "level 2 of tapegrad's C interface, and the installed tapegrad provides level 1"),
        ],
    )
    def test_a_newer_header_is_refused(self, tmp_path, name, message):
        folder = tmp_path / "tapegrad"
        folder.mkdir()
        for header in (Path(tf.get_include()) / "tapegrad").iterdir():
            text = re.sub(rf"(#define TAPEGRAD_{name}) 1", r"\1 2", header.read_text("utf-8"))
            (folder / header.name).write_text(text, encoding="utf-8")
        source = tmp_path / "minimal.c"
        source.write_text(MINIMAL, encoding="utf-8")
        with pytest.raises(ImportError, match=message):
            build(source, tmp_path, tmp_path)

    def test_a_module_that_fits(self, tmp_path):
        source = tmp_path / "minimal.c"
        source.write_text(MINIMAL, encoding="utf-8")
        assert build(source, tmp_path, tf.get_include()).__name__ == "minimal"
        program = "import minimal, sys; assert 'tapegrad._native' in sys.modules"  # before tapegrad was imported
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_the_function_in_the_documentation(tmp_path):
    page = (HERE.parent / "docs" / "embedding.md").read_text("utf-8")
    source = tmp_path / "waves.c"
    source.write_text(re.search(r"```c\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8")
    tf.testing.check_grads(build(source, tmp_path, tf.get_include()).wave, ([0.5, -2.0],))


def test_what_is_made_from_the_header_is_up_to_date(monkeypatch):
    """`python src/tapecore/interface.py` would change nothing."""
    monkeypatch.syspath_prepend(HERE.parent / "src" / "tapecore")
    interface = importlib.import_module("interface")
    for path, text in interface.products().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run python src/tapecore/interface.py"
