"""`tf.Module`: which variables it finds, in which order."""

from __future__ import annotations

import pytest

import tapegrad as tf


class Linear(tf.Module):
    def __init__(self, size: int, name: str | None = None) -> None:
        super().__init__(name)
        self.weight = tf.Variable(tf.ones((size,)), name="weight")
        self.bias = tf.Variable(0.0, name="bias")
        self.calls = tf.Variable(0.0, trainable=False, name="calls")


class Nested(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.later = tf.Variable(1.0, name="later")
        self.parts = {"b": Linear(2), "a": [Linear(3), "text", None]}
        self.again = self.parts["b"]
        self.own = self.later


def test_variables_are_found_by_attribute_in_sorted_order():
    linear = Linear(2)
    assert [v.name for v in linear.variables] == ["bias:0", "calls:0", "weight:0"]
    assert [v.name for v in linear.trainable_variables] == ["bias:0", "weight:0"]
    assert [v.name for v in linear.non_trainable_variables] == ["calls:0"]
    assert isinstance(linear.variables, tuple)


def test_containers_and_submodules_are_searched_once():
    nested = Nested()
    names = [f"{v.name}{v.shape}" for v in nested.trainable_variables]
    assert names == ["later:0()", "bias:0()", "weight:0(2,)", "bias:0()", "weight:0(3,)"]
    assert nested.submodules == (nested.parts["b"], nested.parts["a"][0])


def test_a_module_may_hold_itself():
    module = Linear(1)
    module.me = [module]
    assert len(module.variables) == 3
    assert module.submodules == ()


def test_names():
    assert Linear(1).name == "linear"
    assert Linear(1, name="other").name == "other"
    assert Nested().name == "nested"
    with pytest.raises(ValueError, match="not a valid module name"):
        tf.Module(name="two words")


def test_gradients_of_a_modules_variables():
    module = Linear(2)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(module.weight * 3.0 + module.bias)
    bias, weight = tape.gradient(y, module.trainable_variables)
    assert float(bias) == 2.0
    assert weight.numpy().tolist() == [3.0, 3.0]


def test_layers_in_modules():
    class Wrapper(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = tf.keras.layers.Dense(2)

    wrapper = Wrapper()
    assert wrapper.variables == ()
    wrapper.layer(tf.ones((1, 3)))
    assert [v.shape for v in wrapper.trainable_variables] == [(3, 2), (2,)]
    wrapper.layer.trainable = False
    assert wrapper.trainable_variables == ()
    assert len(wrapper.non_trainable_variables) == 2
