"""A small Keras for hand-written training loops: layers, models, losses, metrics and optimizers."""

from tapegrad.keras import activations, initializers, layers, losses, metrics, models, optimizers
from tapegrad.keras.models import Model, Sequential

__all__ = [
    "Model",
    "Sequential",
    "activations",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
]
