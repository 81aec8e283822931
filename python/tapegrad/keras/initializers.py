"""Initial values of weights: callables of a shape and a dtype, with Keras's names and formulas.

They draw from the library's generator (`tf.random.set_seed` makes them repeatable), or from one of their own
if they are given a seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import _native as native
from tapegrad import random
from tapegrad._native import Tensor
from tapegrad.dtypes import DType, as_dtype
from tapegrad.module import snake_case

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "get",
]

# The standard deviation of a standard normal distribution cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer:
    """Base class: `__call__(shape, dtype)` gives the initial value as a tensor.

    Examples
    --------
    >>> import tapegrad as tf
    >>> isinstance(tf.keras.initializers.Zeros(), tf.keras.initializers.Initializer)
    True
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        """A new initial value.

        Parameters
        ----------
        shape : sequence of int
        dtype : optional
            A floating-point type, float32 by default.
        """
        return native.tensor(self._values(tuple(shape), as_dtype("float32" if dtype is None else dtype)))

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(shape, dtype)`.")


class Zeros(Initializer):
    """All elements 0.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.Zeros()((2,)).numpy()
    array([0., 0.], dtype=float32)
    """

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return np.zeros(shape, dtype.as_numpy_dtype)


class Ones(Initializer):
    """All elements 1.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.Ones()((2,)).numpy()
    array([1., 1.], dtype=float32)
    """

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return np.ones(shape, dtype.as_numpy_dtype)


class Constant(Initializer):
    """All elements `value` (a number, or an array that broadcasts to the shape).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.Constant(0.5)((2,)).numpy()
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return np.full(shape, self.value, dtype.as_numpy_dtype)


class RandomNormal(Initializer):
    """Normally distributed with `mean` and `stddev`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.RandomNormal(stddev=0.1, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype, _source(self.seed))


class RandomUniform(Initializer):
    """Uniformly distributed in ``[minval, maxval)``.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.RandomUniform(-1.0, 1.0, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype, _source(self.seed))


class TruncatedNormal(Initializer):
    """Normally distributed, with everything farther than two `stddev` from `mean` drawn again.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.TruncatedNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, _source(self.seed))


class VarianceScaling(Initializer):
    """Random values whose variance is `scale` over the number of a weight's inputs and/or outputs.

    Parameters
    ----------
    scale : float
    mode : {"fan_in", "fan_out", "fan_avg"}
        What the variance is divided by.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
    seed : int, optional

    Raises
    ------
    ValueError
        For any other `mode` or `distribution`, or a `scale` that is not positive.

    Examples
    --------
    >>> import tapegrad as tf
    >>> initializer = tf.keras.initializers.VarianceScaling(2.0, mode="fan_in", seed=1)
    >>> initializer((50, 20)).shape
    (50, 20)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive, got {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"`mode` must be 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}.")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"`distribution` must be 'truncated_normal', 'untruncated_normal' or 'uniform', got {distribution!r}."
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def _values(self, shape: tuple[int, ...], dtype: DType) -> Any:
        fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, _source(self.seed))
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, stddev, dtype, _source(self.seed))
        return random.truncated_normal(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype, _source(self.seed))


class GlorotUniform(VarianceScaling):
    """Uniform within ``sqrt(6 / (fan_in + fan_out))`` of 0 (Glorot and Bengio, 2010): the default of kernels.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.GlorotUniform(seed=1)((4, 2)).shape
    (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance ``2 / (fan_in + fan_out)`` (Glorot and Bengio, 2010).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.GlorotNormal(seed=1)((3, 2)).shape
    (3, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform within ``sqrt(6 / fan_in)`` of 0, meant for relu (He et al., 2015).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.HeUniform(seed=1)((3, 2)).shape
    (3, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal of variance ``2 / fan_in``, meant for relu (He et al., 2015).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.HeNormal(seed=1)((3, 2)).shape
    (3, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Uniform within ``sqrt(3 / fan_in)`` of 0 (LeCun et al., 1998).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.LecunUniform(seed=1)((3, 2)).shape
    (3, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal of variance ``1 / fan_in``, meant for selu (Klambauer et al., 2017).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.initializers.LecunNormal(seed=1)((3, 2)).shape
    (3, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


def _source(seed: int | None) -> np.random.Generator | None:
    """A generator that starts at `seed`: equal initializers give equal values. None is the shared one."""
    return None if seed is None else np.random.default_rng(seed)


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """How many inputs and outputs one unit has; a convolution's kernel counts each of its positions."""
    if not shape:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    positions = math.prod(shape[:-2])
    return float(shape[-2] * positions), float(shape[-1] * positions)


_CLASSES: list[type[Initializer]] = [globals()[name] for name in __all__ if name not in ("get", "Initializer")]
_BY_NAME = {name: kind for kind in _CLASSES for name in (kind.__name__, snake_case(kind.__name__))}
_BY_NAME.update(uniform=RandomUniform, normal=RandomNormal)

InitializerLike = str | Initializer | type[Initializer] | Callable[..., Any] | None


def get(identifier: InitializerLike) -> Callable[..., Any] | None:
    """The initializer that `identifier` names.

    Parameters
    ----------
    identifier
        The name of a class of this module, also in snake case; a class; or a callable or None, returned as it
        is.

    Raises
    ------
    ValueError
        If no initializer has this name.

    Examples
    --------
    >>> import tapegrad as tf
    >>> type(tf.keras.initializers.get("glorot_uniform")).__name__
    'GlorotUniform'
    """
    if isinstance(identifier, str):
        if identifier not in _BY_NAME:
            raise ValueError(f"Unknown initializer {identifier!r}; known are {', '.join(sorted(_BY_NAME))}.")
        return _BY_NAME[identifier]()
    if isinstance(identifier, type):
        instance: Initializer = identifier()
        return instance
    if identifier is None or callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret initializer {identifier!r}: expected a name or a callable.")
