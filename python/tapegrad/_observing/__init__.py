"""What hears of every node of a tape: lines of the program, what became of values, memory, NaNs.

The native module calls an `Observer` after each operation, if the tape has one: when it was made with `debug=True` or
`max_bytes=...`, or entered inside `tapegrad.detect_anomaly()`. Without one, recording calls nothing of this.
"""

from tapegrad._observing.explaining import explain
from tapegrad._observing.explanation import Explanation, Step
from tapegrad._observing.finiteness import AnomalyError, check_cotangents, sweeping
from tapegrad._observing.observer import Observer
from tapegrad._observing.sites import Site

__all__ = ["AnomalyError", "Explanation", "Observer", "Site", "Step", "check_cotangents", "explain", "sweeping"]
