"""The exceptions that have a name of their own in TensorFlow.

TensorFlow's kernels report everything that is wrong with an argument as `InvalidArgumentError`. Here operations raise
Python's `ValueError`, `IndexError` and `TypeError`; what is raised as `InvalidArgumentError` is a check that the
program itself asked for, in `tf.debugging`, `tf.ensure_shape` and `tf.case`.
"""

from __future__ import annotations

__all__ = ["InvalidArgumentError"]


class InvalidArgumentError(ValueError):
    """A check that the program asked for has failed.

    Examples
    --------
    >>> import tapegrad as tf
    >>> try:
    ...     tf.debugging.assert_positive([1.0, -2.0])
    ... except tf.errors.InvalidArgumentError as error:
    ...     print(error.message)
    Condition x > 0 did not hold element-wise:
    x (shape=(2,) dtype=float32) = 1.0, -2.0
    """

    @property
    def message(self) -> str:
        """What failed."""
        return str(self)
