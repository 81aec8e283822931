"""What the cache behind all tensors holds, and how much it may keep.

Freed buffers are kept and handed out again, so that a training loop asks the system for memory only in its
first step.
"""

from __future__ import annotations

from typing import NamedTuple

from tapegrad import _native

__all__ = ["Stats", "reset_peak", "set_limit", "stats", "trim"]


class Stats(NamedTuple):
    """The state of the cache.

    Examples
    --------
    >>> import tapegrad as tf
    >>> before = tf.memory.stats()
    >>> kept = tf.zeros(1000) + 1.0
    >>> tf.memory.stats().live - before.live >= 4000
    True
    """

    live: int
    """Bytes in use by tensors and tapes, apart from memory that belongs to NumPy arrays."""
    cached: int
    """Bytes of free buffers, kept to be used again."""
    peak: int
    """The greatest `live` since the start or the last `reset_peak()`."""
    limit: int
    """The most that `cached` may be."""
    taken: int
    """Buffers handed out so far."""
    fresh: int
    """How many of these came from the system; the others were used again."""


def stats() -> Stats:
    """Return the counters of the cache.

    Examples
    --------
    >>> import tapegrad as tf
    >>> before = tf.memory.stats().live
    >>> x = tf.exp(tf.ones([1000], dtype=tf.float64))
    >>> tf.memory.stats().live - before >= 8000
    True
    """
    return Stats(*_native.memory_stats())


def reset_peak() -> None:
    """Let `stats().peak` start again from the bytes in use now.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.memory.reset_peak()
    >>> tf.memory.stats().peak >= tf.memory.stats().live
    True
    """
    _native.memory_reset_peak()


def set_limit(limit: int) -> None:
    """Set the most bytes of free buffers that are kept; what is over it goes back to the system.

    Parameters
    ----------
    limit
        Bytes; 0 keeps none.

    Raises
    ------
    ValueError
        If `limit` is negative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> before = tf.memory.stats().limit
    >>> tf.memory.set_limit(2**20)  # a megabyte
    >>> tf.memory.stats().limit
    1048576
    >>> tf.memory.set_limit(before)
    """
    _native.memory_set_limit(limit)


def trim() -> None:
    """Give all free buffers back to the system.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.memory.trim()
    >>> tf.memory.stats().cached
    0
    """
    _native.memory_trim()
