"""Programs whose gradients are None or zero, by the reason that `tape.explain` is to find.

Each takes a debug tape that records, and returns (target, source); the operation that is to blame, if one is, stands on
the line with the comment `# here`.
"""

import threading

import numpy as np

import tapegrad as tf


def stopped(tape):
    x = tf.Variable(3.0)
    y = x * x
    z = tf.stop_gradient(y)  # here
    return tf.exp(z), x


def floored(tape):
    x = tf.Variable(3.0)
    y = tf.exp(x)
    z = tf.floor(y)  # here
    return tf.sin(z), x


def floored_at_once(tape):
    x = tf.Variable(3.0)
    y = tf.floor(x)  # here
    return y * 2.0, x


def compared(tape):
    x = tf.Variable([1.0, -1.0])
    y = x * 2.0
    positive = y > 0.0  # here
    return tf.where(positive, 1.0, 2.0), x


def compared_numbers(tape):
    x = tf.Variable(1.0)
    y = x * 2.0
    positive = y > 0.0  # here
    return tf.where(positive, 1.0, 2.0), x


def argmax(tape):
    x = tf.Variable([3.0, 1.0])
    k = tf.argmax(x)  # here
    return tf.cast(k, tf.float32) * 2.0, x


def numpy_argsort(tape):
    x = tf.Variable([3.0, 1.0])
    k = np.argsort(x)  # here
    return tf.cast(k, tf.float32) * 2.0, x


def integers(tape):
    x = tf.Variable(3.0)
    y = x * 2.0
    k = tf.cast(y, tf.int32)  # here
    return tf.cast(k + 1, tf.float32) * 2.0, x


def integer_source(tape):
    x = tf.constant(3.7)
    k = tf.cast(x, tf.int32)  # here
    return tf.cast(k, tf.float32) * 2.0, k


def integer_variable(tape):
    k = tf.Variable(3)
    return tf.cast(k, tf.float32) * 2.0, k


def left_by_numpy(tape):
    x = tf.Variable([3.0])
    y = x * 2.0
    constant = y.numpy()  # here
    return tf.constant(constant) * 2.0, x


def left_by_float(tape):
    x, w = tf.Variable(3.0), tf.Variable(2.0)
    factor = float(x)  # here
    return w * factor, x


def left_among_others(tape):
    x, w = tf.Variable(3.0), tf.Variable(2.0)
    y = tf.exp(x)
    return w * int(y), x  # here


def paused(tape):
    x = tf.Variable(3.0)
    with tape.stop_recording():
        y = x * x  # here
    return y * 2.0, x


def paused_later(tape):
    x = tf.Variable(3.0)
    y = x * x
    with tape.stop_recording():
        z = tf.exp(y)  # here
    return z * 2.0, x


def assigned(tape):
    u, v = tf.Variable(3.0), tf.Variable(0.0)
    y = u * u
    v.assign(y)  # here
    return v * 2.0, u


def assigned_sum(tape):
    u, v = tf.Variable(3.0), tf.Variable(0.0)
    v.assign_add(u * u)  # here
    return v * 2.0, u


def initial_value(tape):
    u = tf.Variable(3.0)
    v = tf.Variable(u * u)  # here
    return v * 2.0, u


def unwatched(tape):
    x = tf.constant(3.0)
    y = x * x  # here
    return y, x


def unwatched_result(tape):
    x = tf.constant(3.0)
    y = tf.exp(x)  # here
    return y * 2.0, y


def watched_late(tape):
    x = tf.constant(3.0)
    y = x * x  # here
    tape.watch(x)
    return y * 2.0, x


def not_trainable(tape):
    x = tf.Variable(3.0, trainable=False)
    return x * x, x


def unused(tape):
    return tf.Variable(1.0) * 2.0, tf.Variable(3.0)


def unrelated(tape):
    x, w = tf.Variable(3.0), tf.Variable(2.0, name="w")
    x * 2.0
    return w * w, x


def off_thread(tape):
    x, found = tf.Variable(3.0), []
    y = x * 2.0
    thread = threading.Thread(target=lambda: found.append(y * y))
    thread.start()
    thread.join()
    return found[0], x


def forgotten(tape):
    x = tf.Variable(3.0)
    y = x * x
    tape.reset()  # here
    return y, x


def negative_relu(tape):
    x = tf.Variable([-3.0, -1.0])
    y = x * 2.0
    z = tf.nn.relu(y)  # here
    return tf.reduce_sum(z), x


def clipped(tape):
    x = tf.Variable([5.0, 7.0])
    y = tf.clip_by_value(x, 0.0, 1.0)  # here
    return tf.reduce_sum(y), x


def smaller(tape):
    x = tf.Variable(2.0)
    y = tf.maximum(x, 3.0)  # here
    return y * y, x


def other_branch(tape):
    x = tf.Variable(2.0)
    y = tf.where(x < 1.0, x * 2.0, 7.0)  # here
    return y + 1.0, x


def times_zero(tape):
    x = tf.Variable(2.0)
    y = tf.exp(x) * 0.0  # here
    return y + 1.0, x


def other_elements(tape):
    x = tf.Variable([2.0, -1.0])
    y = tf.nn.relu(x)
    z = y[1]
    return z * 2.0, x


def cancelling(tape):
    x = tf.Variable(2.0)
    y = tf.exp(x)  # here
    return y - y, x


def undefined(tape):
    x = tf.Variable(0.0)
    y = tf.sqrt(x * x)  # here
    return y, x


def connected(tape):
    x = tf.Variable(2.0)
    return tf.exp(x) * x, x


# By program: the reason, and the operation that is to blame.
PROGRAMS = {
    stopped: ("stop_gradient", "stop_gradient"),
    floored: ("piecewise constant", "floor"),
    floored_at_once: ("piecewise constant", "floor"),
    compared: ("piecewise constant", "greater"),
    compared_numbers: ("piecewise constant", "greater"),
    argmax: ("piecewise constant", "argmax"),
    numpy_argsort: ("piecewise constant", "argsort"),
    integers: ("integer", "cast"),
    integer_source: ("integer", "cast"),
    integer_variable: ("integer", None),
    left_by_numpy: ("left", ".numpy()"),
    left_by_float: ("left", "float()"),
    left_among_others: ("left", "int()"),
    paused: ("paused", "multiply"),
    paused_later: ("paused", "exp"),
    assigned: ("assigned", "assign"),
    assigned_sum: ("assigned", "assign_add"),
    initial_value: ("assigned", "assign"),
    unwatched: ("unwatched", None),
    unwatched_result: ("unwatched", "exp"),
    watched_late: ("watched late", "multiply"),
    not_trainable: ("not trainable", None),
    unused: ("unused", None),
    unrelated: ("unrelated", "multiply"),
    off_thread: ("unheard", None),
    forgotten: ("forgotten", None),
    negative_relu: ("dead", "relu"),
    clipped: ("dead", "clip"),
    smaller: ("dead", "maximum"),
    other_branch: ("dead", "where"),
    times_zero: ("dead", "multiply"),
    other_elements: ("dead", "relu"),
    cancelling: ("cancels", "exp"),
    undefined: ("not a number", "sqrt"),
    connected: ("connected", None),
}
# The reasons for gradients that are zero, not None.
ZERO = {"dead", "cancels"}
