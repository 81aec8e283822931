"""Which states of a loop to keep for going back over it with the fewest steps computed again.

The binomial schedule of A. Griewank and A. Walther, "Algorithm 799: Revolve", ACM Transactions on Mathematical
Software 26 (2000), 19-45.
"""

from __future__ import annotations

import math

__all__ = ["default_snapshots", "first_stretch", "repetitions"]


def repetitions(steps: int, snapshots: int) -> int:
    """Return how often, at most, a step is computed before the time when it is differentiated.

    `snapshots` states can be kept at a time beside the first one: with r repetitions they are enough for
    binomial(snapshots + 1 + r, r) steps.
    """
    number = 0
    while math.comb(snapshots + 1 + number, number) < steps:
        number += 1
    return number


def first_stretch(steps: int, snapshots: int) -> int:
    """Return after how many of the steps to keep a state, if `snapshots` can be kept, at least one.

    The steps before it are then gone back over with all of them free again, those after it with one less.
    """
    number = repetitions(steps, snapshots)
    # The longest stretch that can be gone back over with one repetition less, unless the rest would then need fewer
    # repetitions than it may have.
    longest = math.comb(snapshots + number, number - 1)
    rest = math.comb(snapshots + number - 1, number - 1)
    return min(longest, steps - rest)


def default_snapshots(steps: int) -> int:
    """Return the fewest snapshots for which two repetitions are enough: about the root of twice the steps."""
    snapshots = 0
    while math.comb(snapshots + 3, 2) < steps:
        snapshots += 1
    return snapshots
