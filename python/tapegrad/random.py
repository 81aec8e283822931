"""Random tensors, drawn from NumPy's generators.

The numbers come from one generator that all threads share (its draws are atomic); `set_seed` makes a program
repeatable. A function called with `seed=` draws from a generator of that seed's own, which `set_seed` starts
afresh.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tapegrad import _forks, _native
from tapegrad._native import Tensor, Value, array
from tapegrad._ops.arguments import as_int, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import take
from tapegrad.dtypes import DType, as_dtype, float32

__all__ = ["normal", "set_seed", "shuffle", "truncated_normal", "uniform"]

State: TypeAlias = dict[int | None, Mapping[str, Any]]
"""The states of generators by their seeds; under `None` that of the one that is shared."""

_global_seed: int | None = None
_shared: np.random.Generator | None = None  # made when first needed: importing numpy.random takes its time
_by_seed: dict[int, np.random.Generator] = {}
_drawing: list[threading.Lock] = []  # the locks of NumPy's generators that are held around a fork


def _hold_generators() -> None:
    """Wait for draws in other threads."""
    for own in [_shared, *_by_seed.values()]:
        if own is not None:
            own.bit_generator.lock.acquire()
            _drawing.append(own.bit_generator.lock)


def _let_generators_go() -> None:
    while _drawing:
        _drawing.pop().release()


_forks.around(_hold_generators, _let_generators_go)
_lock = _forks.lock()  # after what is done under it: the last one registered is taken first


def set_seed(seed: int) -> None:
    """Start the random numbers of this module afresh: from here on, the same calls give the same numbers.

    Parameters
    ----------
    seed
        Any integer.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.random.set_seed(7)
    >>> first = tf.random.normal([2]).numpy()
    >>> tf.random.set_seed(7)
    >>> (tf.random.normal([2]).numpy() == first).all()
    np.True_
    """
    global _global_seed, _shared
    number = as_int(seed)
    with _lock:
        _global_seed = number
        _shared = None
        _by_seed.clear()


def generator(seed: int | np.random.Generator | None = None) -> np.random.Generator:
    """Return the generator that calls with this `seed` draw from: a generator is taken as it is."""
    global _shared
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None:
        with _lock:
            if _shared is None:
                _shared = np.random.default_rng(None if _global_seed is None else _entropy(_global_seed))
            return _shared
    number = as_int(seed)
    with _lock:
        if number not in _by_seed:
            _by_seed[number] = np.random.default_rng([_entropy(_global_seed or 0), _entropy(number)])
        return _by_seed[number]


def _entropy(seed: int) -> int:
    """Return a seed that NumPy accepts: it must not be negative."""
    return 2 * seed if seed >= 0 else -2 * seed - 1


def normal(
    shape: Any,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: Any = float32,
    seed: int | np.random.Generator | None = None,
    name: str | None = None,
) -> Tensor:
    """Return numbers drawn from a normal distribution.

    Parameters
    ----------
    shape
        The shape of the result.
    mean, stddev
        Mean and standard deviation; broadcast against `shape`. The result is differentiable with respect to
        both.
    dtype
        A floating-point type.
    seed
        Draws from this seed's own generator instead of the shared one.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.random.normal([3, 2], stddev=0.1, seed=1).shape
    (3, 2)
    """
    kind = _floating("normal", dtype)
    return _scaled(_standard_normal(as_shape(shape), kind, generator(seed)), mean, stddev, kind)


def truncated_normal(
    shape: Any,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: Any = float32,
    seed: int | np.random.Generator | None = None,
    name: str | None = None,
) -> Tensor:
    """Return numbers drawn from a normal distribution, those beyond two standard deviations drawn again.

    Parameters
    ----------
    shape
        The shape of the result.
    mean, stddev
        Of the distribution before what is farther than two standard deviations from the mean is drawn
        again.
    dtype
        A floating-point type.
    seed
        Makes the numbers repeatable, together with `set_seed`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.reduce_max(tf.abs(tf.random.truncated_normal([1000])))) <= 2.0
    True
    """
    kind = _floating("truncated_normal", dtype)
    source = generator(seed)
    draws = _standard_normal(as_shape(shape), kind, source)
    flat = draws.reshape(-1)
    beyond = np.flatnonzero(np.abs(flat) > 2)
    while beyond.size:
        flat[beyond] = _standard_normal(beyond.shape, kind, source)
        beyond = beyond[np.abs(flat[beyond]) > 2]
    return _scaled(draws, mean, stddev, kind)


def uniform(
    shape: Any,
    minval: TensorLike = 0,
    maxval: TensorLike | None = None,
    dtype: Any = float32,
    seed: int | np.random.Generator | None = None,
    name: str | None = None,
) -> Tensor:
    """Return numbers drawn evenly from `minval` (included) to `maxval` (excluded).

    Parameters
    ----------
    shape
        The shape of the result.
    minval, maxval
        The bounds; `maxval` is 1 by default for floating-point types and must be given for integers. A
        floating result is differentiable with respect to both.
    dtype
        A floating-point or integer type.
    seed
        Draws from this seed's own generator instead of the shared one.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If integers are to be drawn and `maxval` is not given.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.random.uniform([1000], 2.0, 3.0)
    >>> 2.0 <= float(tf.reduce_min(x)) <= float(tf.reduce_max(x)) < 3.0
    True
    """
    kind = as_dtype(dtype)
    source = generator(seed)
    size = as_shape(shape)
    if kind.is_integer:
        if maxval is None:
            raise ValueError(f"uniform: maxval must be given for the integer type {kind.name}.")
        return _native.own(source.integers(array(minval), array(maxval), size, kind.dtype))
    kind = _floating("uniform", dtype)
    drawn = kind.dtype if kind.itemsize > 2 else np.dtype(np.float32)
    draws = np.asarray(source.random(size, drawn)).astype(kind.dtype, copy=False)
    if not isinstance(minval, int | float) or not (maxval is None or isinstance(maxval, int | float)):
        span = elementwise.subtract(1.0 if maxval is None else maxval, minval)
        return _scaled(draws, minval, span, kind)
    return _scaled(draws, minval, (1.0 if maxval is None else maxval) - minval, kind)


def shuffle(value: TensorLike, seed: int | None = None, name: str | None = None) -> Tensor:
    """Return `value` with its entries along the first axis in random order; gradients follow them.

    Parameters
    ----------
    value
        A tensor with one axis at least.
    seed
        Makes the order repeatable, together with `set_seed`.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If `value` is a scalar.

    Examples
    --------
    >>> import tapegrad as tf
    >>> sorted(tf.random.shuffle([1.0, 2.0, 3.0]).numpy().tolist())
    [1.0, 2.0, 3.0]
    """
    value = as_tensor(value)
    if value.ndim == 0:
        raise ValueError("shuffle: a tensor with at least one dimension is needed, not a scalar.")
    return take(value, generator(seed).permutation(value.shape[0]), 0)


def _floating(what: str, dtype: Any) -> DType:
    kind = as_dtype(dtype)
    if not kind.is_floating:
        raise ValueError(f"{what}: dtype must be a floating-point type, not {kind.name}.")
    return kind


def _standard_normal(shape: tuple[int, ...], kind: DType, source: np.random.Generator) -> npt.NDArray[Any]:
    drawn = kind.dtype if kind.itemsize > 2 else np.dtype(np.float32)
    return np.asarray(source.standard_normal(shape, drawn)).astype(kind.dtype, copy=False)


def _scaled(draws: npt.NDArray[Any], offset: TensorLike, scale: TensorLike, kind: DType) -> Tensor:
    """Return `offset + scale * draws`, recorded, in the type of the draws."""
    result: Tensor = _native.own(draws)
    for parameter in (scale, offset):
        shape = parameter.shape if isinstance(parameter, Value) else np.shape(parameter)
        if len(shape) > draws.ndim or any(
            size not in (1, drawn) for size, drawn in zip(shape[::-1], draws.shape[::-1], strict=False)
        ):
            raise ValueError(f"random: a parameter of shape {shape} does not fit the shape {draws.shape} to be drawn.")
    if not (isinstance(scale, int | float) and scale == 1):
        result = elementwise.multiply(result, _of_kind(scale, kind))
    if not (isinstance(offset, int | float) and offset == 0):
        result = elementwise.add(result, _of_kind(offset, kind))
    return result


def _of_kind(value: TensorLike, kind: DType) -> TensorLike:
    return value if isinstance(value, int | float) else _native.cast(value, kind)


def capture() -> State:
    """Return the states of this module's generators: the shared one's, and under each seed that seed's own."""
    shared = generator()
    with _lock:
        return {None: shared.bit_generator.state, **{seed: own.bit_generator.state for seed, own in _by_seed.items()}}


@contextmanager
def replay(state: State) -> Iterator[None]:
    """Let what is drawn inside be what was drawn after `state` was captured; later draws go on as if nothing was."""
    global _shared, _by_seed
    generators = {seed: _generator_in(kept) for seed, kept in state.items()}
    with _lock:
        before = _shared, _by_seed
        _shared = generators.pop(None)
        _by_seed = {seed: own for seed, own in generators.items() if seed is not None}
    try:
        yield
    finally:
        with _lock:
            _shared, _by_seed = before


def _generator_in(state: Mapping[str, Any]) -> np.random.Generator:
    result = np.random.default_rng(0)
    result.bit_generator.state = state
    return result
