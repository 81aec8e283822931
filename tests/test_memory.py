"""The cache behind tensors: its counters, its limit, and that nothing leaks."""

import gc

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import memory


@pytest.fixture(autouse=True)
def same_limit():
    gc.collect()
    limit = memory.stats().limit
    yield
    memory.set_limit(limit)


def test_counters():
    before = memory.stats()
    x = tf.ones(100_000, dtype=tf.float64) * 2.0
    during = memory.stats()
    assert 800_000 <= during.live - before.live < 1_700_000
    assert during.peak >= during.live
    assert during.taken > before.taken
    del x
    assert memory.stats().live <= before.live + 1000


def test_buffers_are_used_again():
    x = tf.ones(100_000, dtype=tf.float64)
    for _ in range(3):
        x = x * 2.0 - x
    before = memory.stats()
    for _ in range(50):
        x = x * 2.0 - x
    after = memory.stats()
    assert after.fresh == before.fresh
    assert after.taken >= before.taken + 100


def test_peak():
    memory.reset_peak()
    base = memory.stats()
    assert base.peak == base.live
    x = tf.ones(50_000, dtype=tf.float64) * 1.0
    del x
    assert memory.stats().peak >= base.live + 400_000
    memory.reset_peak()
    assert memory.stats().peak == memory.stats().live


def test_limit():
    memory.set_limit(0)
    assert memory.stats().limit == 0
    x = tf.ones(100_000) * 2.0
    del x
    assert memory.stats().cached == 0
    memory.set_limit(1 << 20)
    y = tf.ones(1_000_000, dtype=tf.float64) * 2.0
    del y
    assert memory.stats().cached <= 1 << 20
    with pytest.raises(ValueError, match="number of bytes"):
        memory.set_limit(-1)


def test_trim():
    x = tf.ones(100_000) * 2.0
    del x
    assert memory.stats().cached > 0
    memory.trim()
    assert memory.stats().cached == 0


def one_step(v, data):
    with tf.GradientTape() as outer:
        with tf.GradientTape(persistent=True) as tape:
            y = tf.reduce_sum(tf.sin(v @ data) * tf.concat([v, v], 0)[:3, :2])
        gradient = tape.gradient(y, v)
        norm = tf.reduce_sum(gradient * gradient)
    second = outer.gradient(norm, v)
    v.assign_sub(1e-3 * second)


def test_a_training_loop_keeps_nothing():
    v = tf.Variable(np.linspace(-1.0, 1.0, 6).reshape(3, 2))
    data = tf.constant(np.ones((2, 2)))
    for _ in range(20):
        one_step(v, data)
    gc.collect()
    before = memory.stats()
    for _ in range(300):
        one_step(v, data)
    gc.collect()
    after = memory.stats()
    assert after.live == before.live
    assert after.fresh == before.fresh


def test_dead_tapes_are_freed_without_the_collector():
    v = tf.Variable(np.ones(1000))
    gc.disable()
    try:
        before = memory.stats().live
        for _ in range(20):
            with tf.GradientTape(persistent=True) as tape:
                y = v
                for _ in range(100):
                    y = y * v
            del tape, y
        assert memory.stats().live <= before + 100_000
    finally:
        gc.enable()


def test_tape_in_a_reference_cycle_is_collected():
    class Holder:
        pass

    v = tf.Variable(np.ones(10_000))
    gc.collect()
    before = memory.stats().live

    def cycle():
        holder = Holder()
        with tf.GradientTape(persistent=True) as holder.tape:
            holder.result = tf.custom_gradient(lambda x: (x * x, lambda dy: dy * holder.factor))(v)
        holder.factor = 2.0
        holder.self = holder

    for _ in range(20):
        cycle()
    gc.collect()
    assert memory.stats().live <= before + 10_000


def test_consumed_tape_lets_go_of_what_it_saved():
    v = tf.Variable(np.ones(100_000))
    with tf.GradientTape() as tape:
        y = tf.sin(tf.sin(tf.sin(v)))
    full = memory.stats().live
    tape.gradient(y, v)
    assert memory.stats().live < full - 1_000_000
