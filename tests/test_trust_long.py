"""Long programs: deep chains, endless loops, and interrupting them."""

import gc
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import memory


def resident_kilobytes():
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_chain_of_a_million_nodes():
    x = tf.Variable(1.0, dtype=tf.float64)
    with tf.GradientTape() as tape:
        y = x
        for _ in range(1_000_000):
            y = y * 1.000001
    assert tape.gradient(y, x).numpy() == pytest.approx(1.000001**1_000_000, rel=1e-9)


def test_chain_of_vectors():
    x = tf.Variable(np.linspace(0.0, 1.0, 8))
    with tf.GradientTape() as tape:
        y = x
        for _ in range(100_000):
            y = y + x
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), np.full(8, 100_001.0))


def test_second_order_through_a_long_chain():
    x = tf.Variable(1.0, dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x
            for _ in range(5000):
                y = y * x
        first = inner.gradient(y, x)
    assert first.numpy() == 5001.0
    assert outer.gradient(first, x).numpy() == 5001.0 * 5000.0


def test_chain_of_python_rules():
    x = tf.Variable([3.0, 1.0, 2.0])
    with tf.GradientTape() as tape:
        y = x
        for _ in range(5000):
            y = tf.math.cumsum(tf.reverse(y, [0])) * 0.4
        z = tf.reduce_sum(y)
    assert np.all(np.isfinite(tape.gradient(z, x).numpy()))


def test_wide_sum():
    variables = [tf.Variable(float(k)) for k in range(20_000)]
    with tf.GradientTape() as tape:
        y = tf.add_n([v * v for v in variables])
    gradients = tape.gradient(y, variables)
    assert [g.numpy() for g in gradients[:3]] == [0.0, 2.0, 4.0]
    assert len(tape.watched_variables()) == 20_000


def test_a_million_iterations_do_not_grow():
    v, rate = tf.Variable(1.0, dtype=tf.float64), 1e-7

    def steps(count):
        for _ in range(count):
            with tf.GradientTape() as tape:
                loss = v * v
            v.assign_sub(rate * tape.gradient(loss, v))

    steps(10_000)
    gc.collect()
    before, resident = memory.stats(), resident_kilobytes()
    steps(1_000_000)
    gc.collect()
    after = memory.stats()
    assert after.live == before.live
    assert after.fresh - before.fresh <= 2
    assert resident_kilobytes() - resident < 5_000
    assert 0.8 < v.numpy() < 0.82


def test_a_tape_that_is_reset_does_not_grow():
    x = tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        for k in range(20_000):
            y = tf.sin(x) * x
            tape.reset()
            if k == 1000:
                before = memory.stats().live
        assert memory.stats().live <= before + 10_000
    assert tape.gradient(y, x) is None


@pytest.fixture
def interruptible():
    """Ctrl-C raises, also where the tests run in the background, which a shell lets ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupting_a_long_sweep():
    x = tf.Variable(1.0, dtype=tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        y = x
        for _ in range(1_000_000):
            y = y * 1.0000001
    main = threading.get_ident()
    sent = []

    def interrupt():
        time.sleep(0.2)
        sent.append(time.perf_counter())
        signal.pthread_kill(main, signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()

    def differentiate_for_ever():
        while True:
            tape.gradient(y, x)

    with pytest.raises(KeyboardInterrupt):
        differentiate_for_ever()
    assert time.perf_counter() - sent[0] < 1.0
    sender.join()
    assert tape.gradient(y, x).numpy() == pytest.approx(1.0000001**1_000_000)
    with tf.GradientTape() as tape:
        z = x * x
    assert tape.gradient(z, x).numpy() == 2.0


def test_interrupting_a_program():
    """One single sweep of a few seconds in a process of its own, as on a terminal."""
    program = """
        import signal, time
        import numpy as np
        import tapegrad as tf
        signal.signal(signal.SIGINT, signal.default_int_handler)
        x = tf.Variable(np.ones(1_000_000))
        with tf.GradientTape(persistent=True) as tape:
            y = x
            for _ in range(12):
                y = y * x
        small = tf.Variable(1.0)
        with tf.GradientTape() as deep:
            with tf.GradientTape() as inner:
                z = small
                for _ in range(200_000):
                    z = z * small
            print("ready", flush=True)
            try:
                slope = inner.gradient(z, small)  # recorded: a second or more
                while True:
                    tape.gradient(y, x)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        with tf.GradientTape() as tape:
            y = small * small
        assert tape.gradient(y, small).numpy() == 2.0
        print("usable", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        start = time.perf_counter()
        assert process.stdout.readline() == "interrupted\n"
        assert time.perf_counter() - start < 1.0
        assert process.wait(timeout=30) == 0
        assert process.stdout.read() == "usable\n"
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("when", ["forward", "rule", "watch"])
def test_errors_leave_everything_usable(when):
    x = tf.Variable([1.0, 2.0])

    @tf.custom_gradient
    def failing(x):
        def grad(dy):
            raise ZeroDivisionError

        return x * 1.0, grad

    def provoke(tape, z):
        if when == "forward":
            _ = x + tf.ones(3)
        elif when == "watch":
            tape.watch([x, 3.0])
        else:
            with tape.stop_recording():
                tape.gradient(z, x)

    for _ in range(50):
        before = tf.GradientTape(persistent=True)
        with before, tf.GradientTape(persistent=True) as tape:
            y = x * x
            z = failing(y)
            with pytest.raises((ValueError, ZeroDivisionError)):
                provoke(tape, z)
        for t in (before, tape):
            assert t.gradient(y, x).numpy().tolist() == [2.0, 4.0]


def test_views_of_views_are_no_chain() -> None:
    """A value that looks into another's memory refers to that memory, not to the value: freeing it cannot recurse."""
    tensor = tf.constant(np.arange(3.0))
    for _ in range(200_000):
        tensor = tf.stop_gradient(tensor)
    for _ in range(100_000):
        tensor = tf.constant(np.asarray(tensor)[::-1])
    assert tensor.numpy().tolist() == [0.0, 1.0, 2.0]
    del tensor


def test_many_tensors_freed_by_one_array() -> None:
    """Freeing a tensor may free others on the way, also when the store of freed tensors is full."""
    tensors = [tf.constant(float(i)) for i in range(5000)]
    outer = tf.from_numpy(np.broadcast_to(np.asarray(tf.constant([1.0, 2.0])), (3, 2)))
    del tensors
    del outer
    assert float(tf.constant(1.0) + 1.0) == 2.0
