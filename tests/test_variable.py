"""Variables: construction, assignment, and what they share with tensors."""

import copy
import pickle

import numpy as np
import pytest

import tapegrad as tf


def values(variable):
    return variable.numpy().tolist()


class TestConstruction:
    @pytest.mark.parametrize(
        ("initial", "dtype", "shape"),
        [
            (2.0, tf.float32, ()),
            (2, tf.int32, ()),
            (True, tf.bool, ()),
            (1j, tf.complex128, ()),
            ([[1.0, 2.0]], tf.float32, (1, 2)),
            (np.ones(3), tf.float64, (3,)),
            (np.float64(1.0), tf.float64, ()),
            (np.arange(3), tf.int64, (3,)),
            (lambda: [1.0, 2.0], tf.float32, (2,)),
        ],
    )
    def test_dtype_and_shape_follow_the_value(self, initial, dtype, shape):
        v = tf.Variable(initial)
        assert v.dtype == dtype
        assert v.shape == shape

    def test_from_tensors_and_variables(self):
        assert values(tf.Variable(tf.constant([1.0, 2.0]))) == [1.0, 2.0]
        first = tf.Variable([1.0, 2.0])
        second = tf.Variable(first)
        first.assign([5.0, 6.0])
        assert values(second) == [1.0, 2.0]

    def test_dtype(self):
        assert tf.Variable(1, dtype=tf.float64).dtype == tf.float64
        assert tf.Variable(np.ones(2), dtype="float32").dtype == tf.float32
        assert tf.Variable([1.0], dtype=np.float16).dtype == tf.float16
        with pytest.raises(ValueError, match="Tensor conversion requested dtype float64 for Tensor with dtype float32"):
            tf.Variable(tf.constant(1.0), dtype=tf.float64)

    def test_names(self):
        assert tf.Variable(1.0).name == "Variable:0"
        assert tf.Variable(1.0, name="dense/kernel").name == "dense/kernel:0"

    def test_trainable(self):
        assert tf.Variable(1.0).trainable
        assert tf.Variable(1.0, trainable=None).trainable
        assert not tf.Variable(1.0, trainable=False).trainable
        assert not tf.Variable(1.0, False).trainable

    def test_without_a_value(self):
        with pytest.raises(ValueError, match="needs an initial value"):
            tf.Variable()

    @pytest.mark.parametrize("bad", ["text", object(), {"a": 1}, [None], {1.0}])
    def test_what_is_no_value(self, bad):
        with pytest.raises(TypeError, match="unsupported type"):
            tf.Variable(bad)

    def test_initial_value_is_not_watched(self):
        u = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            v = tf.Variable(u)
        assert tape.watched_variables() == ()
        assert tape.gradient(v, u) is None


class TestAssignment:
    def test_returns_the_variable(self):
        v = tf.Variable([1.0, 2.0])
        assert v.assign([3.0, 4.0]) is v
        assert v.assign_add([1.0, 1.0]) is v
        assert v.assign_sub([2.0, 0.0]) is v
        assert values(v) == [2.0, 5.0]
        assert v.assign(v * 2.0, read_value=False, use_locking=True, name="n") is v
        assert values(v) == [4.0, 10.0]

    @pytest.mark.parametrize("value", [3, 3.0, np.float64(3), np.array(3), np.int8(3)])
    def test_numbers_are_converted(self, value):
        v = tf.Variable(1.0)
        v.assign(value)
        v.assign_add(value)
        assert v.numpy() == 6.0
        assert v.dtype == tf.float32

    def test_arrays_are_copied(self):
        v = tf.Variable([0.0, 0.0], dtype=tf.float64)
        a = np.array([1.0, 2.0])
        v.assign(a)
        a[:] = 7.0
        assert values(v) == [1.0, 2.0]

    @pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
    def test_shapes_must_agree(self, method):
        v = tf.Variable([1.0, 2.0], name="v")
        message = r"'v:0': Shape mismatch\. The variable shape \(2,\), and the assigned value shape \(3,\) are "
        with pytest.raises(ValueError, match=message):
            getattr(v, method)([1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match=r"\(2,\).*\(\)"):
            getattr(v, method)(1.0)
        assert values(v) == [1.0, 2.0]

    @pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
    def test_dtypes_must_agree(self, method):
        v = tf.Variable(1.0, name="v")
        with pytest.raises(ValueError, match=r"'v:0'.*float32.*float64.*tf.cast"):
            getattr(v, method)(tf.constant(1.0, dtype=tf.float64))
        assert v.numpy() == 1.0

    def test_a_float_does_not_become_an_integer(self):
        v = tf.Variable(1)
        with pytest.raises(TypeError, match=r"2\.5.*int32"):
            v.assign(2.5)

    def test_integers_and_bools(self):
        v = tf.Variable([1, 2])
        v.assign_add([3, 4])
        assert values(v) == [4, 6]
        assert values(tf.Variable([True, False]).assign([False, False])) == [False, False]

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            (
                "v += 1",
                "`variable += value` with `tf.Variable`s is not supported. Use `variable.assign_add(value)` to "
                "modify the variable, or `out = variable + value` if you need to get a new output Tensor.",
            ),
            (
                "v -= 1",
                "`variable -= value` with `tf.Variable`s is not supported. Use `variable.assign_sub(value)`",
            ),
            ("v *= 2", "`var *= value` with `tf.Variable`s is not supported. Use `var.assign(var *"),
            ("v /= 2", "`var /= value` with"),
            ("v //= 2", "`var //= value` with"),
            ("v %= 2", "`var %= value` with"),
            ("v **= 2", "`var **= value` with"),
            ("v @= 2", "`var @= value` with"),
        ],
    )
    def test_augmented_assignment(self, statement, message):
        names = {"v": tf.Variable(1.0)}
        with pytest.raises(RuntimeError) as caught:
            exec(statement, names)
        assert str(caught.value).startswith(message)
        assert names["v"].numpy() == 1.0

    def test_items_cannot_be_set(self):
        v = tf.Variable([1.0, 2.0])
        with pytest.raises(TypeError, match="does not support item assignment"):
            v[0] = 3.0


class TestSlices:
    def test_reads_like_a_tensor(self):
        v = tf.Variable([1.0, 2.0, 3.0])
        with tf.GradientTape() as tape:
            part = v[1:]
            y = tf.reduce_sum(part * part)
        assert isinstance(part, tf.Tensor)
        assert repr(part) == "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([2., 3.], dtype=float32)>"
        np.testing.assert_array_equal(tape.gradient(y, v).numpy(), [0.0, 4.0, 6.0])

    def test_assignment(self):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        assert v[0].assign([8.0, 9.0]) is v
        assert values(v) == [[8.0, 9.0], [3.0, 4.0]]
        v[0, 1].assign(7.0)
        v[:, 0].assign_add([1.0, 1.0])
        v[..., 1].assign_sub([1.0, 2.0])
        assert values(v) == [[9.0, 6.0], [4.0, 2.0]]

    def test_wrong_shape(self):
        v = tf.Variable([1.0, 2.0, 3.0], name="v")
        with pytest.raises(ValueError, match=r"\(3,\) to a slice of shape \(2,\) of variable 'v:0'"):
            v[1:].assign([1.0, 2.0, 3.0])
        assert values(v) == [1.0, 2.0, 3.0]

    def test_earlier_values_stay(self):
        v = tf.Variable([1.0, 2.0])
        before, view = v.read_value(), np.asarray(v)
        v[0].assign(9.0)
        assert before.numpy().tolist() == view.tolist() == [1.0, 2.0]

    def test_tensors_have_no_assignment(self):
        assert not hasattr(tf.constant([1.0])[0], "assign")


class TestScatter:
    def test_update(self):
        v = tf.Variable([1.0, 2.0, 3.0, 4.0])
        assert v.scatter_nd_update([[0], [3]], [9.0, 7.0]) is v
        assert values(v) == [9.0, 2.0, 3.0, 7.0]

    def test_repeated_rows_add_up(self):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        v.scatter_nd_add([[1], [1]], [[1.0, 1.0], [10.0, 10.0]])
        assert values(v) == [[1.0, 2.0], [14.0, 15.0]]
        v.scatter_nd_sub(tf.constant([[0, 1], [0, 1]]), tf.constant([1.0, 0.5]))
        assert values(v) == [[1.0, 0.5], [14.0, 15.0]]

    def test_errors(self):
        v = tf.Variable([1.0, 2.0], name="v")
        with pytest.raises(ValueError, match=r"updates have shape \(1,\), but those given have \(2,\)"):
            v.scatter_nd_add([[0]], [1.0, 2.0])
        with pytest.raises(ValueError, match="rows of indices must have 1 to 1 elements"):
            v.scatter_nd_add([[0, 1]], [1.0])
        with pytest.raises(TypeError, match="must be integers"):
            v.scatter_nd_add([[0.5]], [1.0])
        with pytest.raises(IndexError):
            v.scatter_nd_update([[7]], [1.0])
        assert values(v) == [1.0, 2.0]


class TestObject:
    def test_repr(self):
        assert repr(tf.Variable(2.0)) == "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=2.0>"
        v = tf.Variable([[1, 2], [3, 4]], name="m")
        assert repr(v) == (
            "<tf.Variable 'm:0' shape=(2, 2) dtype=int32, numpy=\narray([[1, 2],\n       [3, 4]], dtype=int32)>"
        )
        assert str(v) == repr(v)

    def test_reading(self):
        v = tf.Variable([1.0, 2.0])
        read = v.read_value()
        assert type(read) is tf.Tensor
        assert type(v.value()) is tf.Tensor
        v.assign([5.0, 6.0])
        assert read.numpy().tolist() == [1.0, 2.0]
        copied = v.numpy()
        copied[:] = 0.0
        assert values(v) == [5.0, 6.0]

    def test_order(self):
        variables = [tf.Variable(3.0), tf.Variable(7.0), tf.Variable(5.0)]
        assert max(variables) is variables[1]
        assert sorted(variables)[0] is variables[0]

    def test_equality_is_elementwise_and_hash_is_by_reference(self):
        v, w = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 3.0])
        assert (v == w).numpy().tolist() == [True, False]
        assert (v != w).numpy().tolist() == [False, True]
        with pytest.raises(TypeError, match=r"Variable is unhashable. Instead, use variable.ref\(\) as the key."):
            hash(v)
        assert v.ref() == v.ref()
        assert v.ref() != w.ref()
        assert {v.ref(): 1, w.ref(): 2}[w.ref()] == 2
        assert v.ref().deref() is v
        assert (v.ref() == v) is False

    @pytest.mark.parametrize("duplicate", [lambda v: pickle.loads(pickle.dumps(v)), copy.deepcopy, copy.copy])
    def test_copies(self, duplicate):
        v = tf.Variable([1.0, 2.0], name="weights", trainable=False)
        v.note = "kept"
        other = duplicate(v)
        assert type(other) is tf.Variable
        assert (values(other), other.name, other.trainable, other.note) == (
            [1.0, 2.0],
            "weights:0",
            False,
            "kept",
        )
        other.assign([5.0, 6.0])
        assert values(v) == [1.0, 2.0]

    def test_copies_of_every_dtype(self):
        for dtype in (tf.float16, tf.float64, tf.complex64, tf.int8, tf.bool):
            other = copy.deepcopy(tf.Variable(1, dtype=dtype) if dtype is not tf.bool else tf.Variable(True))
            assert other.dtype == dtype
            assert other.numpy() == 1

    def test_copy_of_a_structure_keeps_identities(self):
        v = tf.Variable(1.0)
        first, second = copy.deepcopy([v, v])
        assert first is second

    def test_iteration_and_length(self):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        assert len(v) == 2
        assert [row.numpy().tolist() for row in v] == [[1.0, 2.0], [3.0, 4.0]]

    def test_array_is_a_read_only_view_of_the_value_at_that_time(self):
        v = tf.Variable([1.0, 2.0])
        view = np.asarray(v)
        assert not view.flags.writeable
        v.assign([5.0, 6.0])
        assert view.tolist() == [1.0, 2.0]

    def test_subclass(self):
        class Positive(tf.Variable):
            def assign(self, value, **kwargs):
                return super().assign(tf.abs(value), **kwargs)

        v = Positive(1.0)
        assert v.assign(-3.0).numpy() == 3.0
        with tf.GradientTape() as tape:
            y = v * v
        assert tape.gradient(y, v).numpy() == 6.0
