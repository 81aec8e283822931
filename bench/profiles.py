"""How long a run takes: the sizes, repetitions and processes of `--smoke`, `--fast` and the full run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GradBench:
    """The effort spent on GradBench's evals: sizes, rounds, seconds of a function in each, and the longest wait."""

    sizes: tuple[str, ...]
    rounds: int
    seconds: float
    limit: float


@dataclass(frozen=True)
class Profile:
    """The effort spent on every figure.

    `processes` fresh processes per library and question, each with `rounds` interleaved rounds in which every
    contestant runs for at least `min_time` seconds. After `budget` seconds a case ends early, but never
    before `min_rounds` rounds.
    """

    name: str
    processes: int
    rounds: int
    min_rounds: int
    min_time: float
    budget: float
    vector_sizes: tuple[int, ...]
    vector_dtypes: tuple[str, ...]
    reverse_nodes: int
    memory_nodes: tuple[int, ...]
    memory_batches: tuple[int, ...]
    hessian_sizes: tuple[int, ...]
    loop_steps: int
    lstm_steps: int
    gaussian_points: tuple[int, ...]
    thread_sizes: tuple[int, ...]
    gradbench: GradBench
    imports: int


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="full",
            processes=3,
            rounds=25,
            min_rounds=5,
            min_time=2e-3,
            budget=8.0,
            vector_sizes=(10, 100, 1000, 10_000, 100_000, 1_000_000),
            vector_dtypes=("float64", "float32"),
            reverse_nodes=100_000,
            memory_nodes=(1_000_000, 10_000_000),
            memory_batches=(16_384,),
            hessian_sizes=(10, 100, 1000),
            loop_steps=50,
            lstm_steps=20,
            gaussian_points=(50, 200),
            thread_sizes=(1000, 10_000, 100_000, 1_000_000),
            gradbench=GradBench(("small", "medium", "large"), rounds=3, seconds=0.2, limit=60.0),
            imports=11,
        ),
        Profile(
            name="fast",
            processes=1,
            rounds=15,
            min_rounds=5,
            min_time=1e-3,
            budget=3.0,
            vector_sizes=(10, 100, 1000, 10_000, 100_000),
            vector_dtypes=("float64", "float32"),
            reverse_nodes=100_000,
            memory_nodes=(1_000_000,),
            memory_batches=(16_384,),
            hessian_sizes=(10, 100, 1000),
            loop_steps=50,
            lstm_steps=20,
            gaussian_points=(50, 200),
            thread_sizes=(1000, 10_000, 100_000),
            gradbench=GradBench(("small", "medium", "large"), rounds=1, seconds=0.05, limit=10.0),
            imports=5,
        ),
        Profile(
            name="smoke",
            processes=1,
            rounds=3,
            min_rounds=2,
            min_time=2e-4,
            budget=1.0,
            vector_sizes=(10, 1000),
            vector_dtypes=("float64",),
            reverse_nodes=10_000,
            memory_nodes=(100_000,),
            memory_batches=(512,),
            hessian_sizes=(10, 100),
            loop_steps=10,
            lstm_steps=3,
            gaussian_points=(10,),
            thread_sizes=(10_000,),
            gradbench=GradBench(("tiny",), rounds=1, seconds=0.0, limit=60.0),
            imports=2,
        ),
    )
}
