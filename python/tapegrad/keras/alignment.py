"""How losses and metrics bring labels and predictions to the same rank."""

from __future__ import annotations

from typing import Any

__all__ = ["align_ranks"]


def align_ranks(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Add or drop a last axis of length 1 where one argument lacks the other's.

    Without this, labels shaped (n,) and predictions shaped (n, 1) would broadcast to (n, n). The arguments
    are both tensors or both arrays.
    """
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    return y_true, y_pred
