"""What a NumPy function costs more on a tensor than on an array, under both names, and with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, Samples, interleave
from bench.profiles import Profile

TITLE = (
    "NumPy's functions on a tensor, per call beyond the same call on an array of 8 (4 x 4) float64 (x: over that call)"
)
CALLS = 25
MASK = np.arange(8) % 2 == 0
PLACES = np.array([5, 0])


@dataclass(frozen=True)
class Call:
    """A NumPy function, tapegrad's of that meaning (given its module), and how many vectors or matrices it takes."""

    name: str
    numpy: Callable[..., Any]
    native: Callable[[Any], Callable[..., Any]]
    vectors: int = 0
    matrices: int = 0


FUNCTIONS = (
    Call("sin(x)", np.sin, lambda tf: tf.sin, 1),
    Call("add(x, y)", np.add, lambda tf: tf.add, 2),
    Call("sum(x)", np.sum, lambda tf: tf.reduce_sum, 1),
    Call("mean(x)", np.mean, lambda tf: tf.reduce_mean, 1),
    Call("max(x)", np.max, lambda tf: tf.reduce_max, 1),
    Call("prod(x)", np.prod, lambda tf: tf.reduce_prod, 1),
    Call("var(x)", np.var, lambda tf: tf.math.reduce_variance, 1),
    Call("cumsum(x)", np.cumsum, lambda tf: tf.cumsum, 1),
    Call("diff(x)", np.diff, lambda tf: tf.numpy.diff, 1),
    Call("sort(x)", np.sort, lambda tf: tf.sort, 1),
    Call("take(x, [5, 0])", lambda x: np.take(x, PLACES), lambda tf: lambda x: tf.gather(x, PLACES), 1),
    Call("dot(x, y)", np.dot, lambda tf: tf.numpy.dot, 2),
    Call("matmul(a, b)", np.matmul, lambda tf: tf.matmul, 0, 2),
    Call(
        'einsum("ij,jk->ik", a, b)',
        lambda a, b: np.einsum("ij,jk->ik", a, b),
        lambda tf: lambda a, b: tf.numpy.einsum("ij,jk->ik", a, b),
        0,
        2,
    ),
    Call("trace(a)", np.trace, lambda tf: tf.linalg.trace, 0, 1),
    Call("transpose(a)", np.transpose, lambda tf: tf.transpose, 0, 1),
    Call("reshape(x, (2, 4))", lambda x: np.reshape(x, (2, 4)), lambda tf: lambda x: tf.reshape(x, (2, 4)), 1),
    Call("where(mask, x, y)", lambda x, y: np.where(MASK, x, y), lambda tf: lambda x, y: tf.where(MASK, x, y), 2),
    Call("concatenate([x, y])", lambda x, y: np.concatenate([x, y]), lambda tf: lambda x, y: tf.concat([x, y], 0), 2),
    Call("stack([x, y])", lambda x, y: np.stack([x, y]), lambda tf: lambda x, y: tf.stack([x, y]), 2),
    Call("linalg.norm(x)", np.linalg.norm, lambda tf: tf.norm, 1),
    Call("linalg.solve(a, b)", np.linalg.solve, lambda tf: tf.linalg.solve, 0, 2),
    Call("linalg.inv(a)", np.linalg.inv, lambda tf: tf.linalg.inv, 0, 1),
    Call("linalg.det(a)", np.linalg.det, lambda tf: tf.linalg.det, 0, 1),
)


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time every function with nothing recorded, recorded under both names, and with its gradient."""
    if adapter.name != "tapegrad":
        return None
    import tapegrad as tf

    generator = np.random.default_rng(0)
    answer = Answer()
    for call in FUNCTIONS:
        arrays = [*generator.uniform(0.5, 1.5, (call.vectors, 8)), *generator.normal(size=(call.matrices, 4, 4))]
        tensors = [tf.constant(array) for array in arrays]
        native = call.native(tf)
        want = call.numpy(*arrays)
        oracle.close(call.name, call.numpy(*tensors), want, 0.0)
        oracle.close(f"tapegrad's {call.name}", native(*tensors), want, 1e-15)
        contestants = _contestants(tf, call.numpy, native, arrays, tensors)
        samples = interleave(contestants, profile)
        answer.figures += _figures(call.name, samples)
        answer.timings |= {f"{call.name}: {name}": values for name, values in samples.seconds.items()}
        answer.cores = max(answer.cores, samples.cores)
    return answer


def _contestants(
    tf: Any,
    numpy: Callable[..., Any],
    native: Callable[..., Any],
    arrays: Sequence[oracle.Array],
    tensors: Sequence[Any],
) -> dict[str, Contestant]:
    """Return loops of CALLS calls; what is recorded is forgotten with its tape."""

    def plain(function: Callable[..., Any], arguments: Sequence[Any]) -> Contestant:
        def run() -> None:
            for _ in range(CALLS):
                function(*arguments)

        return Contestant(run)

    def recorded(function: Callable[..., Any]) -> Contestant:
        def run() -> None:
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                for _ in range(CALLS):
                    function(*tensors)

        return Contestant(run)

    def differentiated() -> None:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            results = [numpy(*tensors) for _ in range(CALLS)]
        tape.gradient(results, tensors)

    def empty() -> None:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            for _ in range(CALLS):
                pass

    return {
        "array": plain(numpy, arrays),
        "tensor": plain(numpy, tensors),
        "empty": Contestant(empty),
        "recorded": recorded(numpy),
        "native": recorded(native),
        "differentiated": Contestant(differentiated),
    }


def _figures(name: str, samples: Samples) -> Iterator[Figure]:
    array = [seconds / CALLS for seconds in samples.seconds["array"]]
    empty = [seconds / CALLS for seconds in samples.seconds["empty"]]
    cases = {
        f"np.{name}": [seconds / CALLS for seconds in samples.seconds["tensor"]],
        f"np.{name}, recorded": _less([seconds / CALLS for seconds in samples.seconds["recorded"]], empty),
        f"tapegrad's {name}, recorded": _less([seconds / CALLS for seconds in samples.seconds["native"]], empty),
        f"np.{name}, with its gradient": _less(
            [seconds / CALLS for seconds in samples.seconds["differentiated"]], empty
        ),
    }
    for case, seconds in cases.items():
        ratios = [ours / theirs for ours, theirs in zip(seconds, array, strict=True)]
        yield Figure(case, "second", _less(seconds, array), "the call on an array", ratios)


def _less(seconds: list[float], others: list[float]) -> list[float]:
    return [one - other for one, other in zip(seconds, others, strict=True)]
