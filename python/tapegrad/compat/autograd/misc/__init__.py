"""Tools beside derivatives, as in `autograd.misc`: flattening, optimizers, fixed points, graphs of calls."""

from tapegrad.compat.autograd.misc.flatten import flatten
from tapegrad.compat.autograd.misc.tracers import const_graph

__all__ = ["const_graph", "flatten"]
