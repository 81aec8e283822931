"""checkpoint_loop: the same derivatives, less memory, and the fewest steps computed again."""

import functools

import numpy as np
import pytest
from shared import Counted, State, assert_same, first_and_second

import tapegrad as tf
from tapegrad.checkpointing.schedule import default_snapshots, first_stretch, repetitions


@functools.cache
def least(steps, snapshots):
    """The fewest steps to be computed before each is differentiated, by trying all schedules."""
    if steps <= 1:
        return 0
    if not snapshots:
        return steps * (steps - 1) // 2
    return min(m + least(steps - m, snapshots - 1) + least(m, snapshots) for m in range(1, steps))


class TestSchedule:
    @pytest.mark.parametrize("snapshots", range(7))
    def test_is_the_shortest(self, snapshots):
        @functools.cache
        def cost(steps, snapshots):
            if steps <= 1:
                return 0
            if not snapshots:
                return steps * (steps - 1) // 2
            m = first_stretch(steps, snapshots)
            assert 1 <= m < steps
            return m + cost(steps - m, snapshots - 1) + cost(m, snapshots)

        for steps in range(1, 60):
            assert cost(steps, snapshots) == least(steps, snapshots)

    @pytest.mark.parametrize(("steps", "snapshots", "expected"), [(1, 0, 0), (10, 0, 9), (10, 3, 2), (1000, 10, 4)])
    def test_repetitions(self, steps, snapshots, expected):
        assert repetitions(steps, snapshots) == expected

    @pytest.mark.parametrize("steps", [1, 2, 10, 100, 1000])
    def test_default(self, steps):
        snapshots = default_snapshots(steps)
        assert repetitions(steps, snapshots) <= 2
        assert snapshots == 0 or repetitions(steps, snapshots - 1) > 2

    @pytest.mark.parametrize("snapshots", [0, 1, 3, 10, 60])
    def test_loop_follows_it(self, snapshots):
        n = 40
        step = Counted(lambda s: tf.sin(s))
        x = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            y = tf.checkpoint_loop(step, x, n, snapshots=snapshots)
        assert step.calls == n
        tape.gradient(y, x)
        # The first pass has been to the last of the first snapshots already.
        reached, free = 0, snapshots
        while free and n - reached > 1:
            reached, free = reached + first_stretch(n - reached, free), free - 1
        assert step.calls == n + n + least(n, snapshots) - reached


def swing(s, w):
    """A step of a pendulum, with a counter in the state."""
    return State(s.k + 1, s.x + 0.01 * w * tf.sin(s.x) * (s.k % 3))


def plain_loop(step, state, n, params):
    for _ in range(n):
        state = step(state, *params)
    return state


class TestLoop:
    @pytest.mark.parametrize("snapshots", [0, 2, 100, None])
    def test_same_derivatives(self, snapshots):
        v = tf.Variable(0.3, dtype=tf.float64)
        closed, x = tf.constant(0.7, tf.float64), tf.constant([1.0, 2.0], tf.float64)
        w = tf.constant([1.5, 0.5], tf.float64)

        def step(s, w):
            return swing(s, w["w"] * v + closed)

        def loop(run):
            return tf.reduce_sum(run(step, State(0, x), 17, params=({"w": w},)).x ** 2)

        run = functools.partial(tf.checkpoint_loop, snapshots=snapshots)
        sources = (x, w, v, closed)
        assert_same(first_and_second(lambda: loop(run), *sources), first_and_second(lambda: loop(plain_loop), *sources))

    @pytest.mark.parametrize("modes", [("reverse",), ("forward",)])
    def test_check_grads(self, modes):
        def f(x, w):
            return tf.checkpoint_loop(swing, State(0, x), 7, snapshots=2, params=(w,)).x

        tf.testing.check_grads(f, (np.array([1.0, 2.0]), np.array([0.5, 0.3])), modes=modes)

    def test_jacobian(self):
        x, w = np.array([1.0, 2.0]), np.array([0.5, 0.3])
        np.testing.assert_allclose(
            *[
                tf.jacobian(lambda x, run=run: run(swing, State(0, x), 11, params=(w,)).x)(x)
                for run in (tf.checkpoint_loop, plain_loop)
            ],
            rtol=1e-14,
        )

    def test_persistent_tape(self):
        x = tf.Variable(1.0)
        with tf.GradientTape(persistent=True) as tape:
            y = tf.checkpoint_loop(tf.sin, x, 10, snapshots=3)
        assert tape.gradient(y, x).numpy() == tape.gradient(y, x).numpy()

    def test_random_numbers_are_drawn_again(self):
        tf.random.set_seed(5)
        x = tf.constant(np.ones(3))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.checkpoint_loop(lambda s: s * tf.random.uniform([3], dtype=tf.float64), x, 9, snapshots=2)
        np.testing.assert_allclose(tape.gradient(y, x).numpy(), y.numpy(), rtol=1e-14)

    def test_step_may_write_to_its_arguments(self):
        def step(s):
            s[0] = s[0] * s[1]
            return s

        x = tf.constant([2.0, 3.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.checkpoint_loop(step, x, 3, snapshots=1)[0]
        np.testing.assert_array_equal(x.numpy(), [2.0, 3.0])
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [27.0, 54.0])

    def test_no_dependence_is_zero(self):
        x, w = tf.Variable(2.0), tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = tf.checkpoint_loop(lambda s, w: s * 2.0, x, 3, params=(w,))
        assert tape.gradient(y, [x, w]) == [8.0, 0.0]

    def test_no_steps(self):
        x = tf.Variable(2.0)
        with tf.GradientTape() as tape:
            y = tf.checkpoint_loop(tf.sin, tf.identity(x), 0)
        assert tape.gradient(y, x).numpy() == 1.0

    def test_plain_state(self):
        assert tf.checkpoint_loop(lambda s: (s[0] + 1, s[1] / 2), (0, 1.0), 3) == (3, 0.125)

    def test_memory(self):
        def peak(run):
            x = tf.constant(np.ones(10_000))
            tf.memory.reset_peak()
            start = tf.memory.stats().live
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = run(tf.sin, x, 200)
            gradient = tape.gradient(y, x)
            return (tf.memory.stats().peak - start) / x.numpy().nbytes, gradient.numpy()

        def plain(step, x, n):
            for _ in range(n):
                x = step(x)
            return x

        (most, expected), (least, found) = peak(plain), peak(functools.partial(tf.checkpoint_loop, snapshots=5))
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        assert most > 200
        assert least < 5 + 10

    def test_many_snapshots(self):
        # More than Python's limit of recursion.
        x = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            y = tf.checkpoint_loop(lambda s: s * 1.0, x, 3000, snapshots=3000)
        assert tape.gradient(y, x).numpy() == 1.0

    def test_progress(self, capsys):
        x = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            y = tf.checkpoint_loop(tf.sin, x, 5, progress=True)
        tape.gradient(y, x)
        assert "checkpoint_loop" in capsys.readouterr().err

    def test_progress_without_tqdm(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
        with pytest.raises(ImportError, match=r"pip install tapegrad\[progress\]"):
            tf.checkpoint_loop(tf.sin, tf.Variable(1.0), 5, progress=True)

    @pytest.mark.parametrize("options", [{"n": -1}, {"n": 3, "snapshots": -1}])
    def test_negative(self, options):
        with pytest.raises(ValueError, match="n and snapshots must not be negative"):
            tf.checkpoint_loop(tf.sin, 1.0, **options)

    def test_step_that_changes_the_structure(self):
        with pytest.raises(
            ValueError, match="a step must return a state of the same structure, but it made 2 values of 1"
        ):
            tf.checkpoint_loop(lambda s: (s, s), 1.0, 3)
