"""Worker processes compute right gradients, forked or spawned, whatever the parent is doing at the time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import joblib
import numpy as np
import pytest

import tapegrad as tf

METHODS = [method for method in ("fork", "spawn") if method in multiprocessing.get_all_start_methods()]
needs_fork = pytest.mark.skipif("fork" not in METHODS, reason="this system does not fork")

# CPython warns where a process with several threads forks; what happens then is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def energy(x: Any) -> Any:
    return np.sum(np.sin(x) * x)


def slope_of_energy(x: Any) -> Any:
    return np.sin(x) + x * np.cos(x)


def by_function(x: Any) -> Any:
    return tf.grad(energy)(x)


def by_tape(x: Any) -> Any:
    v = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.sin(v) * v)
    return tape.gradient(y, v)


def by_network(seed: int) -> list[Any]:
    tf.random.set_seed(seed)
    model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="tanh"), tf.keras.layers.Dense(1)])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(np.ones((4, 2), np.float32)) ** 2)
    return tape.gradient(loss, model.trainable_variables)


POINTS = [np.linspace(0.0, k, 5) for k in range(4)]
LARGE = np.linspace(0.0, 1.0, 300_000)


def check(results: Any) -> None:
    for result, x in zip(results, POINTS, strict=True):
        np.testing.assert_allclose(np.asarray(result), slope_of_energy(x), rtol=1e-13)


@pytest.fixture(params=METHODS)
def context(request: pytest.FixtureRequest) -> Any:
    return multiprocessing.get_context(request.param)


class TestPools:
    @pytest.mark.parametrize("work", [by_function, by_tape])
    def test_multiprocessing(self, context: Any, work: Any) -> None:
        with context.Pool(2) as pool:
            check(pool.map(work, POINTS))

    def test_concurrent_futures(self, context: Any) -> None:
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            check(pool.map(by_tape, POINTS))

    def test_functions_are_sent(self, context: Any) -> None:
        with context.Pool(2) as pool:
            check(pool.map(tf.grad(energy), POINTS))

    def test_networks(self, context: Any) -> None:
        with context.Pool(2) as pool:
            for there, seed in zip(pool.map(by_network, range(3)), range(3), strict=True):
                for g, h in zip(there, by_network(seed), strict=True):
                    np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-6)

    def test_joblib(self) -> None:
        for backend in ("loky", "multiprocessing", "threading"):
            check(joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(by_function)(x) for x in POINTS))
        check(joblib.Parallel(n_jobs=2)(joblib.delayed(lambda x: tf.grad(energy)(x))(x) for x in POINTS))


class TestOpenTapes:
    """A tape that is open in the parent stays the parent's business."""

    def test_workers(self, context: Any) -> None:
        v = tf.Variable(POINTS[1])
        with tf.GradientTape(persistent=True) as tape:
            y = tf.reduce_sum(v * v)
            with context.Pool(2) as pool:
                check(pool.map(by_function, POINTS))
                check(pool.map(by_tape, POINTS))
                sent = pool.map(energy, [v, y])
            z = y * 3.0 + sent[0]
        np.testing.assert_array_equal(tape.gradient(z, v).numpy(), 6.0 * v.numpy())

    @needs_fork
    def test_a_forked_program_goes_on_with_its_tapes(self) -> None:
        v = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as outer, tf.GradientTape() as inner:
            y = v * v
            if child := os.fork():
                status = waited(child)
            z = y * v
        found = outer.gradient(z, v), inner.gradient(z, v)
        right = all(np.array_equal(g.numpy(), [3.0, 12.0]) for g in found)
        if not child:
            os._exit(0 if right else 1)
        assert right
        assert status == 0


@needs_fork
class TestThreads:
    """The child has one thread, and waits for none of those that the parent had."""

    @pytest.fixture(autouse=True)
    def busy(self) -> Iterator[None]:
        """Threads that hold the pool's lock, sweep over a tape, and draw random numbers, as often as they can."""
        self.variable = tf.Variable(LARGE)
        with tf.GradientTape(persistent=True) as self.tape:
            self.result = tf.exp(tf.sin(self.variable * 2.0)) * self.variable
        done = threading.Event()

        def sweep() -> None:
            while not done.is_set():
                self.tape.gradient(self.result, self.variable)

        def draw() -> None:
            while not done.is_set():
                tf.random.normal((100_000,))

        threads = [threading.Thread(target=target) for target in (sweep, sweep, draw)]
        for thread in threads:
            thread.start()
        yield
        done.set()
        for thread in threads:
            thread.join()

    def test_the_child_computes(self) -> None:
        expected = self.tape.gradient(self.result, self.variable).numpy()
        for _ in range(10):
            child = os.fork()
            if not child:
                try:
                    with self.tape:  # writing to a tape waits for those that sweep over it
                        self.tape.watch(tf.constant(1.0))
                    right = np.array_equal(self.tape.gradient(self.result, self.variable).numpy(), expected)
                    right &= np.allclose(by_tape(LARGE).numpy(), slope_of_energy(LARGE))
                    right &= tf.random.normal((3,)).shape == (3,)
                    os._exit(0 if right else 1)
                finally:
                    os._exit(2)
            assert waited(child) == 0


def waited(child: int, seconds: int = 60) -> int:
    """The exit code of a child; one that hangs is killed."""
    alarm = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    alarm.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        alarm.cancel()


def test_importing_starts_no_thread() -> None:
    """All of tapegrad, but for what needs further packages."""
    code = """
import numpy, os, threading
def native():
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else threading.active_count()
before = native(), threading.active_count()
import tapegrad
[getattr(tapegrad, name) for name in tapegrad.__all__]
with tapegrad.GradientTape() as tape:
    v = tapegrad.Variable(3.0)
    y = v * v
assert float(tape.gradient(y, v)) == 6.0
assert (native(), threading.active_count()) == before, threading.enumerate()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
