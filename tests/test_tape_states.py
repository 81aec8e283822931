"""The life of a tape: entering, leaving, watching, resetting, and what each state permits."""

import gc
import logging
import weakref

import pytest

import tapegrad as tf

USED_UP = "A non-persistent GradientTape can only be used to compute one set of gradients"
REENTERED = "Tape is still recording, This can happen if you try to re-enter an already-active tape."
NOT_RECORDING = "Tape is not recording."
NOTHING_TO_STOP = "Trying to stop recording a tape which is not recording."


def consumed():
    """A tape whose one gradient has been taken, and its source."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    return tape, x, y


@pytest.mark.parametrize("persistent", [False, True])
def test_new_tape_has_nothing_to_differentiate(persistent):
    tape, x = tf.GradientTape(persistent=persistent), tf.constant(1.0)
    with pytest.raises(RuntimeError, match=USED_UP):
        tape.gradient(x, x)
    with pytest.raises(RuntimeError, match=NOTHING_TO_STOP), tape.stop_recording():
        pass
    with pytest.raises(ValueError, match=NOT_RECORDING):
        tape.reset()
    assert tape.watched_variables() == ()


def test_entering_an_active_tape():
    with tf.GradientTape() as tape, pytest.raises(ValueError, match=REENTERED):
        tape.__enter__()


def test_failed_entry_leaves_the_tape_as_it_was():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        with pytest.raises(ValueError, match=REENTERED), tape:
            pass
        z = y * x
    assert tape.gradient(z, x).numpy() == 27.0


def test_second_block_resumes():
    x = tf.constant(3.0)
    tape = tf.GradientTape()
    with tape:
        tape.watch(x)
        y = x * x
    outside = y * x
    with tape:
        z = y * y
    assert tape.gradient(z, x).numpy() == 108.0
    assert outside.numpy() == 27.0


def test_consumed_tape():
    tape, x, y = consumed()
    with pytest.raises(RuntimeError, match=USED_UP):
        tape.gradient(y, x)
    with pytest.raises(RuntimeError, match=NOTHING_TO_STOP), tape.stop_recording():
        pass
    with pytest.raises(ValueError, match=NOT_RECORDING):
        tape.reset()
    assert len(tape.watched_variables()) == 1


def test_consumed_tape_starts_fresh():
    tape, x, y = consumed()
    with tape:
        z = x * y
    assert tape.gradient(z, x).numpy() == 9.0  # y is a constant of the new recording


def test_gradient_inside_ends_the_recording():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        assert tape.gradient(y, x).numpy() == 6.0
        z = x * x
    with pytest.raises(RuntimeError, match=USED_UP):
        tape.gradient(z, x)


def test_other_tapes_go_on_when_one_ends_inside():
    x = tf.Variable(3.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        y = x * x * x
        slope = inner.gradient(y, x)
        z = slope * x
    assert outer.gradient(z, x).numpy() == 3 * 27.0


def test_gradient_inside_a_persistent_block(caplog):
    x = tf.Variable(3.0)
    with caplog.at_level(logging.WARNING, "tapegrad"), tf.GradientTape(persistent=True) as tape:
        y = x * x * x
        slope = tape.gradient(y, x)
        z = slope * 2.0
    assert "Calling GradientTape.gradient on a persistent tape inside its context" in caplog.text
    assert tape.gradient(z, x).numpy() == 2 * 18.0
    assert tape.gradient(y, x).numpy() == 27.0


def test_no_warning_while_recording_is_stopped(caplog):
    x = tf.Variable(3.0)
    with caplog.at_level(logging.WARNING, "tapegrad"), tf.GradientTape(persistent=True) as tape:
        y = x * x
        with tape.stop_recording():
            tape.gradient(y, x)
    assert not caplog.records


def test_stop_recording_an_exited_tape():
    with tf.GradientTape(persistent=True) as tape:
        pass
    with pytest.raises(ValueError, match=NOT_RECORDING), tape.stop_recording():
        pass
    with pytest.raises(ValueError, match=NOT_RECORDING):
        tape.reset()


def test_exception_while_stopped_resumes():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        with pytest.raises(KeyError), tape.stop_recording():
            raise KeyError
        y = x * x
    assert tape.gradient(y, x).numpy() == 6.0


def test_exception_inside_leaves_the_tape_usable():
    x = tf.Variable(3.0)
    tape, found = tf.GradientTape(), []

    def fail():
        with tape:
            found.append(x * x)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    (y,) = found
    outside = y * x
    assert tape.gradient(y, x).numpy() == 6.0
    with tf.GradientTape() as other:
        z = outside * x
    assert other.gradient(z, x).numpy() == 27.0


def test_reset_forgets_everything():
    x, c = tf.Variable(3.0), tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(c)
        y = x * c
        tape.reset()
        z = x * x + c * c + y
    assert tape.gradient(z, [x, c]) == [6.0, None]


def test_watched_variables_survive_a_gradient_and_not_a_reset():
    x = tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        _ = x * x
        assert len(tape.watched_variables()) == 1
        tape.reset()
        assert tape.watched_variables() == ()


def test_watched_variables_come_in_the_order_of_construction():
    a, b, c = (tf.Variable(1.0) for _ in range(3))
    fixed = tf.Variable(1.0, trainable=False)
    with tf.GradientTape() as tape:
        _ = c * a
        _ = b + fixed
    for watched, variable in zip(tape.watched_variables(), (a, b, c), strict=True):
        assert watched is variable


def test_watch_lists_what_is_not_trainable():
    fixed = tf.Variable(3.0, trainable=False)
    with tf.GradientTape() as tape:
        tape.watch(fixed)
        y = fixed * fixed
    assert tape.watched_variables()[0] is fixed
    assert tape.gradient(y, fixed).numpy() == 6.0


def test_watching_on_an_exited_tape():
    x = tf.constant(3.0)
    tape = tf.GradientTape()
    with tape:
        pass
    tape.watch(x)
    with tape:
        y = x * x
    assert tape.gradient(y, x).numpy() == 6.0


def test_tapes_may_end_in_any_order():
    x = tf.Variable(3.0)
    a, b = tf.GradientTape(), tf.GradientTape()
    a.__enter__()
    b.__enter__()
    y = x * x
    a.__exit__(None, None, None)
    z = y * x
    b.__exit__(None, None, None)
    assert a.gradient(z, x) is None
    assert b.gradient(z, x).numpy() == 27.0


def test_two_tapes_in_one_with():
    x0, x1 = tf.constant(0.0), tf.constant(0.0)
    with tf.GradientTape() as tape0, tf.GradientTape() as tape1:
        tape0.watch(x0)
        tape1.watch(x1)
        y = tf.reduce_sum(tf.math.sin(x0) + tf.nn.sigmoid(x1))
    assert tape0.gradient(y, x0).numpy() == 1.0
    assert tape1.gradient(y, x1).numpy() == 0.25


def test_results_outlive_their_tape():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    del tape
    gc.collect()
    with tf.GradientTape() as tape:
        z = y * x
    assert tape.gradient(z, x).numpy() == 9.0
    assert z.numpy() == 27.0


def test_deleting_an_intermediate():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        z = y * y
        del y
    assert tape.gradient(z, x).numpy() == 108.0


def test_tape_keeps_variables_and_lets_go_of_them():
    class Marked(tf.Variable):
        pass

    x = Marked(3.0)
    alive = weakref.ref(x)
    with tf.GradientTape() as tape:
        y = x * x
    del x
    gc.collect()
    assert alive() is not None
    assert tape.gradient(y, tape.watched_variables()[0]).numpy() == 6.0
    del tape
    gc.collect()
    assert alive() is None


def test_constructor_arguments_are_named_as_in_tensorflow():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        y = x * x
    assert tape.gradient(y, x) is None
    assert tape.watched_variables() == ()
    with pytest.raises(TypeError):
        tf.GradientTape(persist=True)
