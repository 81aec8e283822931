"""What forked children may take hold of, whatever the parent's other threads were doing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

__all__ = ["around", "lock"]


def around(hold: Callable[[], object], let_go: Callable[[], object]) -> None:
    """Have `hold` called before every fork, and `let_go` after it in parent and child.

    A child has none of its parent's other threads, and would wait for ever for what one of them held.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=hold, after_in_parent=let_go, after_in_child=let_go)


def lock() -> threading.Lock:
    """Return a lock that no other thread holds at a fork."""
    made = threading.Lock()
    around(made.acquire, made.release)
    return made
