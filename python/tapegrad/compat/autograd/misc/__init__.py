"""Tools beside derivatives, as in `autograd.misc`: flattening, optimizers, fixed points."""

from tapegrad.compat.autograd.misc.flatten import flatten

__all__ = ["flatten"]
