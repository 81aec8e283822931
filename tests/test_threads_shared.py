"""Threads that work on the same variables, tensors and tapes at once: nothing is lost, mixed up, or freed too early.

With the interpreter lock these programs switch threads between bytecodes and inside sweeps; without it they run at the
same time. So they repeat until the interesting moments must have come, and check every result.
"""

import os
import subprocess
import sys
import sysconfig
import threading
import time

import numpy as np
import pytest
from shared import at_once

import tapegrad as tf
from tapegrad import memory

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def until(done):
    """Go on until an event has come, and once more."""
    while not done.is_set():
        yield
    yield


@pytest.mark.skipif(not FREE_THREADED, reason="a Python with the interpreter lock")
def test_the_interpreter_lock_stays_off():
    program = "import sys, tapegrad; sys.exit(sys._is_gil_enabled())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON_GIL"}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_every_addition_to_a_number_counts():
    v = tf.Variable(0.0, dtype=tf.float64)

    def work():
        for _ in range(2000):
            v.assign_add(1.0)

    at_once([work] * 4)
    assert v.numpy() == 8000.0


@pytest.mark.parametrize("seen", [False, True])
def test_every_addition_to_an_array_counts(seen):
    v = tf.Variable(np.zeros(50))
    one = tf.constant(np.ones(50))
    seen_by = []

    def work():
        for _ in range(1000):
            if seen:  # the array cannot be written to in place
                seen_by[:] = [v.read_value()]
            v.assign_sub(one)

    at_once([work] * 4)
    np.testing.assert_array_equal(v.numpy(), -4000.0)


def test_one_variable_on_the_tapes_of_many_threads():
    v = tf.Variable([2.0, 3.0], dtype=tf.float64)
    c = tf.constant([1.0, -1.0], dtype=tf.float64)

    def work(number):
        for _ in range(150):
            with tf.GradientTape(persistent=True) as outer, tf.GradientTape() as inner:
                y = number * v * v * v + c
                assert len(inner.watched_variables()) == 1
            first = None
            with outer:
                first = inner.gradient(y, v)
            np.testing.assert_array_equal(first.numpy(), number * 3 * v.numpy() ** 2)
            np.testing.assert_array_equal(outer.gradient(y, v).numpy(), number * 3 * v.numpy() ** 2)

    at_once([lambda n=n: work(float(n)) for n in range(1, 7)])


def test_one_tensor_watched_by_many_tapes():
    x = tf.constant(np.linspace(1.0, 2.0, 7))
    others = []

    def work():
        for k in range(300):
            tape = tf.GradientTape(persistent=True)
            with tape:
                tape.watch(x)
                y = tf.reduce_sum(x * x)
            if k % 10 == 0:
                others.append(tape)  # stays alive, and known to x
            np.testing.assert_array_equal(tape.gradient(y, x).numpy(), 2 * x.numpy())

    at_once([work] * 4)
    assert all(tape.gradient(x, x) is not None for tape in others)


def test_values_and_gradients_belong_together_while_others_assign():
    v = tf.Variable(np.ones(64))
    number = tf.Variable(1.0, dtype=tf.complex128)
    done = threading.Event()

    def write(seed):
        try:
            for k in range(1500):
                v.assign(np.full(64, float(k + seed)))
                number.assign(complex(k, -k))
                v.assign_add(np.ones(64))
        finally:
            done.set()

    def read():
        for _ in until(done):
            with tf.GradientTape() as tape:
                y = v * v
            gradient = tape.gradient(y, v).numpy()
            np.testing.assert_array_equal(gradient**2, 4 * y.numpy())
            assert gradient.min() == gradient.max()
            z = number.numpy()
            assert z.real == -z.imag or z == 1.0
            assert v.shape == (64,)
            assert len(v) == v.size == 64
            assert v[3:5].numpy().shape == (2,)

    at_once([lambda: write(0), lambda: write(7), read, read])


def test_writing_to_a_tensor_that_others_read():
    x = tf.constant(np.zeros(32))
    done = threading.Event()

    def write():
        try:
            for k in range(1, 800):
                x[:] = float(k)
        finally:
            done.set()

    def read():
        for _ in until(done):
            copy = tf.identity(x)
            with tf.GradientTape() as tape:
                tape.watch(copy)
                y = copy * copy
            gradient = tape.gradient(y, copy).numpy()
            assert gradient.min() == gradient.max()
            values = (x + x).numpy()
            assert values.min() == values.max()

    at_once([write, read, read])
    np.testing.assert_array_equal(x.numpy(), 799.0)


def test_a_persistent_tape_differentiated_while_it_records():
    v = tf.Variable([1.5, -0.5], dtype=tf.float64)
    tape = tf.GradientTape(persistent=True)
    ready, done = threading.Event(), threading.Event()
    targets = []

    def record():
        try:
            with tape:
                y = v
                for _ in range(3000):
                    y = y * 1.001 + v
                    targets.append(y)
                    ready.set()
        finally:
            ready.set()
            done.set()

    def differentiate():
        ready.wait()
        for _ in until(done):
            count = len(targets)
            slope = sum(1.001**k for k in range(count + 1))
            found = tape.jacobian(targets[count - 1], v)
            np.testing.assert_allclose(np.diag(found.numpy()), slope, rtol=1e-9)

    at_once([record, differentiate, differentiate])
    np.testing.assert_allclose(tape.gradient(targets[-1], v).numpy(), sum(1.001**k for k in range(3001)), rtol=1e-9)


def test_a_tape_that_is_not_persistent_is_used_once():
    v = tf.Variable(3.0)
    for _ in range(150):
        with tf.GradientTape() as tape:
            y = v * v

        def ask(tape=tape, y=y):
            try:
                return tape.gradient(y, v).numpy()
            except RuntimeError as error:
                return "one set of gradients" in str(error)

        found = at_once([ask] * 3)
        assert sorted(map(str, found)) == ["6.0", "True", "True"]


def test_watching_on_the_tape_of_another_thread():
    tape = tf.GradientTape(persistent=True)
    inputs = [tf.constant(float(k), dtype=tf.float64) for k in range(40)]
    entered, done = threading.Event(), threading.Event()

    def record():
        try:
            with tape:
                v = tf.Variable(1.0, dtype=tf.float64)
                entered.set()
                y = v
                for _ in range(4000):
                    y = y * 0.5 + v
            return tape.gradient(y, v).numpy()
        finally:
            entered.set()
            done.set()

    def watch():
        entered.wait()
        for _ in until(done):
            for x in inputs:
                tape.watch(x)
            time.sleep(0.0001)

    gradient, *_ = at_once([record, watch, watch])
    assert gradient == pytest.approx(2.0)
    with tape:
        z = inputs[5] * inputs[6]
    assert [g.numpy() for g in tape.gradient(z, inputs[5:7])] == [6.0, 5.0]


def test_resetting_the_tape_of_another_thread():
    v = tf.Variable(2.0, dtype=tf.float64)
    tape = tf.GradientTape()
    entered, done = threading.Event(), threading.Event()

    def record():
        try:
            with tape:
                entered.set()
                for _ in range(3000):
                    y = tf.sin(v) * tf.sort(tf.stack([v, v]))[0]  # native, structural, and a rule in Python
            return y
        finally:
            entered.set()
            done.set()

    def reset():
        entered.wait()
        for _ in until(done):
            try:
                tape.reset()
            except ValueError:  # it has been left
                return

    at_once([record, reset])
    with tape:
        y = v * v
    assert tape.gradient(y, v).numpy() == 4.0


def test_looking_at_tapes_of_other_threads():
    v = tf.Variable(np.ones(20))
    tape = tf.GradientTape(persistent=True)
    entered, done = threading.Event(), threading.Event()

    def record():
        try:
            with tape:
                y = v
                entered.set()
                for _ in range(600):
                    y = tf.sin(y) + v
        finally:
            entered.set()
            done.set()

    def look():
        entered.wait()
        for _ in until(done):
            assert tape.nbytes > 0
            assert "of tape" in str(tape.summary())

    at_once([record, look, look])
    assert len(tape._nodes()) == 1201


def test_an_accumulator_asked_by_many_threads():
    x = tf.constant(np.linspace(0.0, 1.0, 2000))
    ones = tf.ones_like(x)
    for _ in range(5):
        with tf.autodiff.ForwardAccumulator(x, ones) as acc:
            y = x
            for _ in range(12):
                y = tf.sin(y)

        def ask(acc=acc, y=y):
            return acc.jvp(y).numpy()

        first, *others = at_once([ask] * 4)
        for other in others:
            np.testing.assert_array_equal(other, first)


def test_memory_is_trimmed_while_others_use_it():
    done = threading.Event()

    def trim():
        for _ in until(done):
            memory.trim()
            time.sleep(0.0005)

    def work():
        try:
            for k in range(400):
                x = tf.constant(np.full(10 + k, 2.0))
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = tf.reduce_sum(x * tf.exp(x))
                np.testing.assert_allclose(tape.gradient(y, x).numpy(), 3 * np.exp(2.0))
        finally:
            done.set()

    before = memory.stats().live
    at_once([trim, work, work])
    assert memory.stats().live == before


def test_failures_in_one_thread_leave_the_others_alone():
    v = tf.Variable(np.ones(6))

    def fail():
        for _ in range(300):
            with tf.GradientTape() as tape:
                y = v * v
                with pytest.raises(ValueError, match="broadcast"):
                    y + np.ones(5)
                with pytest.raises(ValueError, match="shape"):
                    v.assign(np.ones(5))
            with pytest.raises(ValueError, match="output_gradients"):
                tape.gradient(y, v, output_gradients=np.ones(5))

    def work():
        for _ in range(300):
            with tf.GradientTape() as tape:
                y = v * v
            np.testing.assert_array_equal(tape.gradient(y, v).numpy(), 2.0)

    at_once([fail, fail, work])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.skipif(FREE_THREADED, reason="CPython itself leaves locks of objects held in such a child")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forks_while_others_work():
    v = tf.Variable(np.ones(100))
    done = threading.Event()

    def step():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(v * v)
        tape.gradient(y, v)
        v.assign_add(np.zeros(100))

    def work():
        for _ in until(done):
            step()

    step()  # imports what it needs: a child would wait for ever for a module that another thread was importing

    def fork():
        try:
            for _ in range(20):
                child = os.fork()
                if not child:
                    with tf.GradientTape() as tape:
                        y = v * v
                    good = (tape.gradient(y, v).numpy() == 2.0).all()
                    os._exit(0 if good else 1)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            done.set()

    at_once([fork, work, work])
