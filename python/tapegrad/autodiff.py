"""TensorFlow's `tf.autodiff`: the tape under its other name."""

from tapegrad.tape import GradientTape

__all__ = ["GradientTape"]
