"""The GradientTape programs, written once: they run on TensorFlow and, under the same names, on tapegrad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import chains
from bench.adapters import LongChain, Scalar, Training
from bench.oracle import Array
from bench.programs import Function, Ops


@dataclass(frozen=True)
class GradientTapeAdapter:
    """The adapter of the module `tf`."""

    tf: Any
    name: str
    version: str
    max_nodes: int

    @property
    def ops(self) -> Ops:
        """Return the functions under TensorFlow's names."""
        tf = self.tf
        return Ops(
            exp=tf.exp,
            sqrt=tf.sqrt,
            log=tf.math.log,
            tanh=tf.tanh,
            sigmoid=tf.sigmoid,
            softplus=tf.math.softplus,
            sum=tf.reduce_sum,
            split=lambda x, parts: tf.split(x, parts, axis=-1),
            transpose=tf.transpose,
            matvec=tf.linalg.matvec,
            diagonal=tf.linalg.diag_part,
            solve=tf.linalg.solve,
            solve_lower=tf.linalg.triangular_solve,
            cholesky=tf.linalg.cholesky,
            logdet=tf.linalg.logdet,
        )

    def constant(self, array: Array) -> Any:
        """Return a tensor."""
        return self.tf.constant(array)

    def scalar(self, kind: str) -> Scalar:
        """Return the recorded chain; all of mul_add's three operands are watched."""
        tf = self.tf
        scalar = [tf.constant(value, dtype=tf.float64) for value in (0.5, 0.9, 0.1)]
        if kind == "mul add":
            sources, arguments, chain = scalar, scalar, chains.fresh(chains.mul_add)
        else:
            sources, arguments, chain = (
                scalar[:1],
                [scalar[0], tf.sin, tf.tanh],
                chains.fresh(chains.sin_tanh),
            )

        def empty() -> None:
            with tf.GradientTape() as tape:
                tape.watch(sources)

        def record() -> None:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                chain(*arguments)

        def total() -> tuple[Any, Sequence[Any]]:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                y = chain(*arguments)
            return y, tape.gradient(y, sources)

        return Scalar(total, empty, record)

    def long_chain(self, x: float, w: float, b: float, nodes: int) -> LongChain:
        """Return a chain whose three operands are watched."""
        tf = self.tf
        sources = [tf.constant(value, dtype=tf.float64) for value in (x, w, b)]
        chain = chains.fresh(chains.mul_add_loop)

        def record() -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                y = chain(*sources, nodes)
            return tape, y

        def sweep(state: tuple[Any, Any]) -> Sequence[Any]:
            tape, y = state
            return tape.gradient(y, sources)

        return LongChain(nodes, record, sweep)

    def vector(self, x: Array, w: Array, b: Array) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients, a new tape for each call."""
        tf = self.tf
        sources = [tf.constant(array) for array in (x, w, b)]
        chain = chains.fresh(chains.vector)
        tanh, exp = tf.tanh, tf.exp

        def call() -> tuple[Any, Sequence[Any]]:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                h = chain(*sources, tanh, exp)
            return h, tape.gradient(h, sources)

        return call

    def square(self, x: float) -> Callable[[], Any]:
        """Return the smallest whole use of a tape."""
        tf = self.tf
        source = tf.constant(x, dtype=tf.float64)

        def call() -> Any:
            with tf.GradientTape() as tape:
                tape.watch(source)
                y = source * source
            return tape.gradient(y, source)

        return call

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Training:
        """Return a step on Variables, updated by assign_sub."""
        tf = self.tf
        variables = [tf.Variable(array) for array in parameters]
        w1, b1, w2, b2 = variables
        x, y = tf.constant(images), tf.constant(labels)

        def step() -> Any:
            with tf.GradientTape() as tape:
                hidden = tf.nn.relu(tf.matmul(x, w1) + b1)
                logits = tf.matmul(hidden, w2) + b2
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
                loss = tf.reduce_mean(losses)
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
                variable.assign_sub(rate * gradient)
            return loss

        return Training(step, lambda: variables)

    def train(self, loss: Function, parameters: Sequence[Array], rate: float) -> Training:
        """Return a step on Variables, updated by assign_sub."""
        tf = self.tf
        variables = [tf.Variable(array) for array in parameters]

        def step() -> Any:
            with tf.GradientTape() as tape:
                value = loss(*variables)
            for variable, gradient in zip(variables, tape.gradient(value, variables), strict=True):
                variable.assign_sub(rate * gradient)
            return value

        return Training(step, lambda: variables)

    def value_and_gradients(
        self, program: Function, arguments: Sequence[Array]
    ) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients, a new tape for each call."""
        tf = self.tf
        sources = [tf.constant(array) for array in arguments]

        def call() -> tuple[Any, Sequence[Any]]:
            with tf.GradientTape() as tape:
                tape.watch(sources)
                y = program(*sources)
            return y, tape.gradient(y, sources)

        return call

    def jacobian(self, program: Function, x: Array, results: int) -> Callable[[], Any]:
        """Return `tape.jacobian`, a new tape for each call."""
        tf = self.tf
        source = tf.constant(x)

        def call() -> Any:
            with tf.GradientTape() as tape:
                tape.watch(source)
                y = program(source)
            return tape.jacobian(y, source)

        return call
