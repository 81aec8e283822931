"""What `tape.explain` returns: the reason, where it is in the program, the way there, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tapegrad._observing.sites import Site

__all__ = ["REMEDIES", "Explanation", "Step"]

REMEDIES = {
    "never entered": "Compute the target inside `with tape:`.",
    "used up": "Call explain before gradient, or make the tape with persistent=True or debug=True.",
    "integer": "Use floating numbers: write 3.0, or pass dtype=tf.float32, and cast only what needs no derivative.",
    "not trainable": "Make the variable with trainable=True, or call tape.watch(variable) before its first use.",
    "unwatched": "Call tape.watch(source) inside the tape, before the source is used; or make it a tf.Variable.",
    "watched late": "Move tape.watch(source) up, before the first use.",
    "unused": "Read the variable inside the tape's block, on the tape's thread.",
    "left": "Keep to operations on tensors (NumPy's functions take tensors), and leave .numpy() and float() for what "
    "is printed or stored.",
    "stop_gradient": "Take the stop_gradient away, if the dependence matters.",
    "paused": "Move the computation out of stop_recording().",
    "assigned": "An assignment is not differentiated: use the tensor that was assigned instead of the variable.",
    "piecewise constant": "Use a smooth substitute (a sigmoid for a step, a softmax for an argmax), or state a "
    "gradient of your own with tf.custom_gradient or tf.grad_pass_through.",
    "no rule": "State the derivative with tf.custom_gradient or tapegrad.primitive.",
    "forgotten": "Compute the target again after the reset.",
    "unheard": "Compute the target inside `with tape:`, on the same thread, from tensors.",
    "unrelated": "",
    "dead": "Look at the values there: a slope of zero stops everything behind it.",
    "cancels": "",
    "not a number": "Run it inside `with tapegrad.detect_anomaly():`.",
    "connected": "",
}
"""The reasons, and what to do about each."""


class Step(NamedTuple):
    """One operation on the way from the source to the target."""

    op: str
    where: Site | None


@dataclass(frozen=True)
class Explanation:
    """Why a gradient is None or zero. Its `str` is a text for people."""

    reason: str
    """In short:

    - "never entered", "used up", "forgotten": the tape holds nothing (of these values);
    - "integer", "not trainable", "unwatched", "watched late", "unused": the tape does not follow the source;
    - "left", "stop_gradient", "paused", "assigned", "piecewise constant", "no rule": the path from the source to the
      target is broken at `op`, as integer conversion is ("integer");
    - "unheard", "unrelated": no path is known;
    - "dead", "cancels", "not a number": there is a path, and the gradient is zero, or NaN;
    - "connected": there is a path, and the gradient is not zero.
    """
    text: str
    """One or two sentences."""
    op: str | None = None
    """The operation that is to blame, if one is."""
    where: Site | None = None
    """The line in the program (`file`, `line`, `function`), if it is known."""
    path: tuple[Step, ...] = ()
    """The operations from the source to the target, if a way is known."""
    hint: str = field(default="", repr=False)
    """How to learn more."""

    def __str__(self) -> str:
        lines = [self.text]
        if self.where is not None:
            lines.append(f"  at {self.where}")
            if self.where.source:
                lines.append(f"      {self.where.source}")
        if len(self.path) > 1:
            lines.append("The way from the source to the target:")
            width = max([len(step.op) for step in self.path])
            shown = self.path if len(self.path) <= 2 * _ENDS else (*self.path[:_ENDS], None, *self.path[-_ENDS:])
            blamed: Step | None = next((step for step in self.path if step == (self.op, self.where)), None)
            for step in shown:
                if step is None:
                    lines.append(f"  ... {len(self.path) - 2 * _ENDS} more ...")
                    continue
                place = f"  {step.where.place}" if step.where else ""
                lines.append(f"  {'>' if step is blamed else ' '} {step.op:<{width}}{place}".rstrip())
        remedy = REMEDIES[self.reason]
        lines += [line for line in (remedy, self.hint) if line]
        return "\n".join(lines)


_ENDS = 8  # steps shown at either end of a long path
