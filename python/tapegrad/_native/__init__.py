"""The binding: what Python sees of the core, and no arithmetic and no rule.

It consists of Cython modules, each with one subject; `_layers` says in which order they build on each other. Programs
and the rest of tapegrad see their functions and types here, and the rest of this package as one.
"""

from tapegrad._native import _core, _layers
from tapegrad._native._core import (
    IMPLEMENTATIONS,
    UFUNC_OPERATIONS,
    build_info,
    memory_reset_peak,
    memory_set_limit,
    memory_stats,
    memory_trim,
)
from tapegrad._native.arrays import array, compute, from_numpy, own, snapshot, tensor, unrecorded, wrapped
from tapegrad._native.combining import alike, concatenate, matmul, split, stack, unstack, where
from tapegrad._native.external import SAVED_KINDS, DeclaredOperation, DeclaredRule, record
from tapegrad._native.following import is_watched
from tapegrad._native.functions import Loop, elementwise, op_table
from tapegrad._native.indexing import basic_index, scatter_add, take
from tapegrad._native.interface import _C_API
from tapegrad._native.operators import apply_ufunc
from tapegrad._native.pushes import Push
from tapegrad._native.recording import check_for_anomalies, is_recording, pause
from tapegrad._native.shaping import broadcast_to, cast, reshape, sum, transpose
from tapegrad._native.silence import silent
from tapegrad._native.tapes import GradientTape, _StopRecording, accumulator_tape, recording_tapes, tape_within
from tapegrad._native.targets import fit_to, flatten_values, pack_values, unit_stack
from tapegrad._native.values import Tensor, Value, _rebuild_tensor, is_source, observe_end, rebind, version
from tapegrad._native.variables import VariableBase, VariableSlice

# Pickles and messages hold the names of this package, so that its parts can change.
for _value in list(globals().values()):
    if getattr(_value, "__module__", "").startswith(f"{__name__}."):
        _core.set_module(_value, __name__)
del _value
