"""Checkpointing: derivatives that compute again what they would otherwise have kept in memory."""

from tapegrad.checkpointing.loop import checkpoint_loop
from tapegrad.checkpointing.recompute import checkpoint, recompute_grad

__all__ = ["checkpoint", "checkpoint_loop", "recompute_grad"]
