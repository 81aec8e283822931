"""Tensors as Python objects: what becomes one, how it prints, and what it can be converted to."""

import copy
import pickle

import numpy as np
import pytest

import tapegrad as tf


class TestConversion:
    @pytest.mark.parametrize(
        ("value", "dtype"),
        [
            (1.0, tf.float32),
            (1, tf.int32),
            (2**31 - 1, tf.int32),
            (2**31, tf.int64),
            (-(2**31), tf.int32),
            (True, tf.bool),
            (1j, tf.complex128),
            ([1, 2.0], tf.float32),
            ([1, 2**40], tf.int64),
            ([True, False], tf.bool),
            ([1, 2j], tf.complex128),
            ([], tf.float32),
            ([[], []], tf.float32),
            (range(3), tf.int32),
            ((1, (2,))[1], tf.int32),
            (np.arange(3), tf.int64),
            (np.ones(2, np.float16), tf.float16),
            (np.float32(1), tf.float32),
            ([np.float64(1), 2.0], tf.float64),
            ([np.float16(1), 2.0], tf.float16),
            ([np.ones(2, np.float32), [1, 2]], tf.float32),
            (np.array(1.0), tf.float64),
            (np.array(True), tf.bool),
            (memoryview(b"ab"), tf.uint8),
        ],
    )
    def test_dtypes(self, value, dtype):
        assert tf.constant(value).dtype == dtype

    @pytest.mark.parametrize(
        "dtype", [tf.float16, tf.float32, tf.float64, tf.complex64, tf.complex128, tf.int8, tf.uint64]
    )
    def test_integers_become_what_is_asked_for(self, dtype):
        x = tf.constant([1, 2], dtype=dtype)
        assert x.dtype == dtype
        assert x.numpy().tolist() == [1, 2]

    @pytest.mark.parametrize(("value", "dtype"), [(2.5, tf.int32), ([2.5], tf.int64), (1j, tf.float32), (1, tf.bool)])
    def test_what_would_be_lost(self, value, dtype):
        with pytest.raises(TypeError, match=dtype.name):
            tf.constant(value, dtype=dtype)

    def test_arrays_are_cast_when_asked_for(self):
        assert tf.constant(np.array([1.5, 2.5]), dtype=tf.int32).numpy().tolist() == [1, 2]
        assert tf.constant(np.ones(2), dtype=tf.float32).dtype == tf.float32

    @pytest.mark.parametrize("value", [2**70, [2**70], [1, -(2**70)]])
    def test_too_large_integers(self, value):
        with pytest.raises(ValueError, match="out-of-range integer"):
            tf.constant(value)

    def test_too_large_for_the_dtype(self):
        with pytest.raises(ValueError, match="out-of-range integer"):
            tf.constant([300], dtype=tf.int8)

    @pytest.mark.parametrize(
        "value",
        [
            "text",
            ["a"],
            None,
            [None],
            object(),
            {"a": 1},
            {1},
            np.array(["a"]),
            np.array([None]),
            b"bytes",
            1.0j * np.longdouble(1),
        ],
    )
    def test_what_is_no_tensor(self, value):
        with pytest.raises(TypeError):
            tf.constant(value)

    def test_message_names_value_and_type(self):
        with pytest.raises(
            TypeError,
            match=r"Attempt to convert a value \('text'\) with an unsupported type \(<class 'str'>\)",
        ):
            tf.constant("text")

    def test_ragged_lists(self):
        with pytest.raises(ValueError, match="non-rectangular"):
            tf.constant([[1, 2], [3]])

    def test_tensor_of_another_dtype(self):
        with pytest.raises(ValueError, match="Tensor conversion requested dtype float64 for Tensor with dtype float32"):
            tf.convert_to_tensor(tf.constant(1.0), dtype=tf.float64)

    def test_objects_with_the_array_protocol(self):
        class Table:
            def __init__(self):
                self.values = np.arange(3.0)

            def __array__(self, dtype=None, copy=None):
                return self.values

        table = Table()
        x = tf.constant(table)
        table.values[:] = 9.0
        assert x.numpy().tolist() == [0.0, 1.0, 2.0]

    def test_tensors_pass_through(self):
        x = tf.constant([1.0])
        assert tf.convert_to_tensor(x) is x

    def test_lists_with_tensors_are_packed(self):
        x = tf.constant([[tf.constant(1.0), 2.0], [3, tf.Variable(4.0)]])
        assert x.dtype == tf.float32
        assert x.numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]

    @pytest.mark.parametrize(
        "operation",
        [
            tf.constant,
            tf.identity,
            tf.stop_gradient,
            tf.Variable,
            lambda a: tf.reshape(a, (2, 2)),
            tf.transpose,
            lambda a: tf.broadcast_to(a, (2, 4)),
            lambda a: tf.cast(a, tf.float64),
            lambda a: tf.expand_dims(a, 0),
            lambda a: tf.squeeze(a),
            lambda a: tf.reverse(a, [0]),
            lambda a: tf.split(a, 2)[0],
            lambda a: tf.unstack(a)[0],
            lambda a: tf.einsum("i->i", a),
            lambda a: tf.concat([a], 0),
            lambda a: tf.add_n([a]),
            lambda a: tf.reduce_sum(a, axis=()),
            tf.math.real,
            tf.math.positive,
        ],
    )
    def test_no_result_shares_memory_that_can_change(self, operation):
        a = np.arange(4.0)
        x = operation(a)
        before = x.numpy()
        a[:] = 99.0
        np.testing.assert_array_equal(x.numpy(), before)

    def test_own_types_of_numbers(self):
        class Temperature(float):
            pass

        assert tf.constant(Temperature(3.0)).numpy() == 3.0


class TestPrinting:
    @pytest.mark.parametrize(
        ("value", "representation", "text"),
        [
            (
                3.0,
                "<tf.Tensor: shape=(), dtype=float32, numpy=3.0>",
                "tf.Tensor(3.0, shape=(), dtype=float32)",
            ),
            (
                3.1,
                "<tf.Tensor: shape=(), dtype=float32, numpy=3.1>",
                "tf.Tensor(3.1, shape=(), dtype=float32)",
            ),
            (True, "<tf.Tensor: shape=(), dtype=bool, numpy=True>", "tf.Tensor(True, shape=(), dtype=bool)"),
            (
                [1.0, 2.0],
                "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>",
                "tf.Tensor([1. 2.], shape=(2,), dtype=float32)",
            ),
            (
                [[1, 2], [3, 4]],
                "<tf.Tensor: shape=(2, 2), dtype=int32, numpy=\narray([[1, 2],\n       [3, 4]], dtype=int32)>",
                "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)",
            ),
            (
                np.zeros((0, 3)),
                "<tf.Tensor: shape=(0, 3), dtype=float64, numpy=array([], shape=(0, 3), dtype=float64)>",
                "tf.Tensor([], shape=(0, 3), dtype=float64)",
            ),
        ],
    )
    def test_forms(self, value, representation, text):
        x = tf.constant(value)
        assert repr(x) == representation
        assert str(x) == text

    def test_format(self):
        assert f"{tf.constant(3.14159):.2f}" == "3.14"
        assert f"{tf.constant(7):04d}" == "0007"
        assert f"{tf.Variable(0.5):.0%}" == "50%"
        assert f"{tf.constant(2.5)}" == "2.5"


class TestToPython:
    @pytest.mark.parametrize("kind", [tf.constant, tf.Variable])
    def test_numbers(self, kind):
        assert float(kind(2.5)) == 2.5
        assert int(kind(2.5)) == 2
        assert complex(kind(2.5)) == 2.5 + 0j
        assert bool(kind(2.5))
        assert not kind(0.0)
        assert not kind(False)
        assert [10, 20, 30][kind(1)] == 20
        assert float(kind([2.5])) == 2.5

    @pytest.mark.parametrize("function", [float, int])
    def test_complex_numbers_are_not_real(self, function):
        with pytest.raises(TypeError, match="complex"):
            function(tf.constant(1j))

    @pytest.mark.parametrize("function", [float, int])
    def test_more_than_one_element(self, function):
        with pytest.raises(TypeError, match=r"one element.*\(2,\)"):
            function(tf.constant([1.0, 2.0]))

    def test_truth_of_several_elements(self):
        with pytest.raises(ValueError, match="ambiguous"):
            bool(tf.constant([1.0, 2.0]))

    def test_only_integers_are_indices(self):
        with pytest.raises(TypeError):
            [1, 2][tf.constant(1.0)]

    def test_scalars_have_no_length(self):
        with pytest.raises(TypeError):
            len(tf.constant(1.0))
        with pytest.raises(TypeError):
            iter(tf.constant(1.0))

    def test_numpy_copies_and_is_a_scalar_without_dimensions(self):
        x = tf.constant([1.0, 2.0])
        values = x.numpy()
        values[:] = 0.0
        assert x.numpy().tolist() == [1.0, 2.0]
        assert type(tf.constant(1.0).numpy()) is np.float32

    def test_array_is_a_read_only_view(self):
        x = tf.constant(np.arange(1000.0))
        a, b = np.asarray(x), np.asarray(x)
        assert np.shares_memory(a, b)
        assert not a.flags.writeable
        with pytest.raises(ValueError, match=r"WRITEABLE"):
            a.flags.writeable = True
        assert np.array(x).flags.writeable
        assert np.asarray(x, dtype=np.float32).dtype == np.float32
        with pytest.raises(ValueError, match="copy"):
            np.array(x, dtype=np.float32, copy=False)

    def test_view_outlives_the_tensor(self):
        view = np.asarray(tf.constant(np.arange(100000.0)))
        for _ in range(10):
            tf.constant(np.zeros(100000))
        assert view[-1] == 99999.0

    def test_properties(self):
        x = tf.zeros((2, 3), dtype=tf.float64)
        assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, tf.float64)


class TestOperators:
    def test_arithmetic(self):
        x = tf.constant([7.0, -7.0])
        np.testing.assert_array_equal((x + 2).numpy(), [9, -5])
        np.testing.assert_array_equal((2 - x).numpy(), [-5, 9])
        np.testing.assert_array_equal((x / 2).numpy(), [3.5, -3.5])
        np.testing.assert_array_equal((x // 2).numpy(), [3, -4])
        np.testing.assert_array_equal((x % 3).numpy(), [1, 2])
        np.testing.assert_array_equal((2**x).numpy(), [128, 1 / 128])
        np.testing.assert_array_equal((-x).numpy(), [-7, 7])
        np.testing.assert_array_equal(abs(x).numpy(), [7, 7])
        assert (x @ x).numpy() == 98.0
        assert ([1.0, 2.0] @ x).numpy() == -7.0

    def test_integers(self):
        x = tf.constant([7, 8])
        assert (x + 1).dtype == tf.int32
        assert (x / 2).dtype == tf.float64
        assert (x * 2.5).dtype == tf.float64
        np.testing.assert_array_equal((x & 3).numpy(), [3, 0])
        np.testing.assert_array_equal((1 << x).numpy(), [128, 256])
        np.testing.assert_array_equal((~x).numpy(), [-8, -9])
        np.testing.assert_array_equal((x**2).numpy(), [49, 64])

    def test_logic(self):
        a, b = tf.constant([True, True, False]), tf.constant([True, False, False])
        assert (a & b).numpy().tolist() == [True, False, False]
        assert (a | b).numpy().tolist() == [True, True, False]
        assert (a ^ b).numpy().tolist() == [False, True, False]
        assert (~a).numpy().tolist() == [False, False, True]

    def test_comparisons(self):
        x = tf.constant([1.0, 2.0, 3.0])
        assert (x < 2).numpy().tolist() == [True, False, False]
        assert (x >= 2).numpy().tolist() == [False, True, True]
        assert (x == [1, 5, 3]).numpy().tolist() == [True, False, True]
        assert (x != np.array([1.0, 5.0, 3.0])).numpy().tolist() == [False, True, False]
        assert bool(tf.constant(1.0) > tf.Variable(0.5))
        assert (x == None) is False  # noqa: E711
        assert (x != "text") is True

    @pytest.mark.parametrize("other", [None, "text", object(), {}])
    def test_operands_without_meaning(self, other):
        for operation in (lambda a, b: a + b, lambda a, b: b * a, lambda a, b: a @ b, lambda a, b: a < b):
            with pytest.raises(TypeError):
                operation(tf.constant(1.0), other)

    def test_shapes_in_messages(self):
        with pytest.raises(ValueError, match=r"add.*\(2,\).*\(3,\)"):
            tf.ones(2) + tf.ones(3)
        with pytest.raises(ValueError, match=r"matmul.*\(2, 3\).*\(2, 3\)"):
            tf.ones((2, 3)) @ tf.ones((2, 3))

    def test_the_other_operand_may_take_over(self):
        class Unit:
            def __rmul__(self, other):
                return "taken"

        assert tf.constant(1.0) * Unit() == "taken"

    def test_augmented_assignment_rebinds(self):
        x = y = tf.constant([1.0, 2.0])
        x += 1.0
        assert y.numpy().tolist() == [1.0, 2.0]
        assert x.numpy().tolist() == [2.0, 3.0]


class TestObject:
    def test_unhashable(self):
        x = tf.constant(1.0)
        with pytest.raises(TypeError, match=r"Tensor is unhashable. Instead, use tensor.ref\(\) as the key."):
            hash(x)
        assert {x.ref()} == {x.ref()}
        assert x.ref().deref() is x
        assert repr(x.ref()).startswith("<Reference wrapping <tf.Tensor")

    @pytest.mark.parametrize("duplicate", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
    @pytest.mark.parametrize(
        "value",
        [
            np.float32(2),
            np.arange(6.0).reshape(2, 3),
            np.zeros((0, 2)),
            np.array([True]),
            np.array(1j),
            np.int8(3),
        ],
    )
    def test_copies(self, duplicate, value):
        x = duplicate(tf.constant(value))
        assert x.dtype == value.dtype
        np.testing.assert_array_equal(x.numpy(), value)

    def test_tensor_inside_a_tape_can_be_pickled(self):
        v = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as tape:
            y = pickle.loads(pickle.dumps(v * v))
        assert y.numpy().tolist() == [1.0, 4.0]
        assert tape.gradient(y, v) is None

    def test_cannot_be_constructed(self):
        with pytest.raises(TypeError, match=r"tapegrad.constant"):
            tf.Tensor(3.0)
        with pytest.raises(AttributeError):
            tf.constant([1.0]).shape = (1, 1)

    def test_iteration(self):
        rows = list(tf.constant([[1.0, 2.0], [3.0, 4.0]]))
        assert [row.numpy().tolist() for row in rows] == [[1.0, 2.0], [3.0, 4.0]]
        assert rows[0].shape == (2,)

    def test_unpacking_is_recorded(self):
        v = tf.Variable([2.0, 3.0])
        with tf.GradientTape() as tape:
            a, b = v
            y = a * b
        assert tape.gradient(y, v).numpy().tolist() == [3.0, 2.0]
