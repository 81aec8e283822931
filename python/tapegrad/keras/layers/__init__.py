"""Keras's layers: those that the common training loops use."""

from tapegrad.keras.layers.base import Layer
from tapegrad.keras.layers.convolution import Conv2D, MaxPooling2D
from tapegrad.keras.layers.core import Activation, Dense, Dropout, Embedding, Flatten
from tapegrad.keras.layers.normalization import BatchNormalization

__all__ = [
    "Activation",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "MaxPooling2D",
]
