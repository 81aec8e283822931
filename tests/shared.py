"""What tests of different subjects share: functions to try, and what comparing derivatives takes."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tapegrad as tf

__all__ = ["Counted", "State", "assert_same", "at_once", "first_and_second", "rosenbrock"]


@dataclasses.dataclass
class State:
    k: int
    x: object


class Counted:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f = f
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.f(*args, **kwargs)


def at_once(functions):
    """Run functions at the same time, each in a thread, and return their results; the first exception is raised."""
    barrier = threading.Barrier(len(functions))

    def start(function):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(start, f) for f in functions]]


def rosenbrock(x):
    """A function with a sparse Hessian and its minimum at 1, 1, ..."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def first_and_second(f, *sources):
    """The gradients of a scalar-valued function, and the gradients of the sum of their squares."""
    with tf.GradientTape() as outer:
        outer.watch(sources)
        with tf.GradientTape() as inner:
            inner.watch(sources)
            y = f()
        first = inner.gradient(y, sources, unconnected_gradients="zero")
        total = sum(tf.reduce_sum(g**2) for g in first)
    second = outer.gradient(total, sources, unconnected_gradients="zero")
    return y, first, second


def assert_same(found, expected):
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-13, atol=1e-15)
