"""Finding the operation in which the first NaN or infinity appears."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tapegrad import _native
from tapegrad._observing import AnomalyError, Observer

__all__ = ["AnomalyError", "detect_anomaly"]


@contextlib.contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise `AnomalyError` where the first NaN or infinity appears, forward or backward, in a block of the program.

    The error names the operation, the shapes of its operands and which of them was not finite already, and the line
    of the program; going backward, the line that called the operation whose derivative is not finite.

    Raises
    ------
    AnomalyError
        Inside the block, from the operation or from the gradient.

    Notes
    -----
    Looked at are the results of all operations on tensors that the block calls on its thread while a tape records,
    followed by a tape or not, and what every derivative rule returns in the sweeps that the block makes (`gradient`,
    `jacobian`). Not looked at are operations while no tape records, on other threads, and on plain NumPy arrays; values
    given by the program; and the tangents of forward mode. An infinity counts even where a later `where` drops it.

    Blocks nest. Everything is slower inside them: sweeps run operation by operation, and every result is read.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable([1.0, -1.0])
    >>> try:
    ...     with tf.detect_anomaly(), tf.GradientTape() as tape:
    ...         y = tf.log(x) * 2.0
    ... except tf.AnomalyError as error:
    ...     print(str(error).partition(",")[0])
    log gave nan at [1] (1 of 2 elements are not finite)
    """
    unobserved = [tape for tape in _native.recording_tapes() if tape.observer is None]
    for tape in unobserved:
        tape._observe(Observer(tape, False, None))
    _native.check_for_anomalies(1)
    try:
        yield
    finally:
        _native.check_for_anomalies(-1)
        for tape in unobserved:
            tape._observe(None)
