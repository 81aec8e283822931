"""What layers require of the shapes of their inputs, with Keras's messages."""

from __future__ import annotations

from tapegrad.keras.layers.base import Layer

__all__ = ["require_rank", "require_size"]


def require_rank(layer: Layer, shape: tuple[int, ...], least: int, most: int | None = None) -> None:
    """Raise unless inputs of this shape have between `least` and `most` axes."""
    if len(shape) < least or (most is not None and len(shape) > most):
        expected = f"ndim={least}" if most == least else f"min_ndim={least}"
        raise ValueError(
            f'Input 0 of layer "{layer.name}" is incompatible with the layer: expected {expected}, '
            f"found ndim={len(shape)}. Full shape received: {shape}"
        )


def require_size(layer: Layer, shape: tuple[int, ...], axis: int, size: int) -> None:
    """Raise unless inputs of this shape have the length along `axis` that the layer was built for."""
    if shape[axis] != size:
        raise ValueError(
            f'Input 0 of layer "{layer.name}" is incompatible with the layer: expected axis {axis} of '
            f"input shape to have value {size}, but received input with shape {shape}"
        )
