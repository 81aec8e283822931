"""TensorFlow's `tf.nn`: activations, losses from logits, moments, dropout, lookups, convolution and pooling."""

from tapegrad._tf.arithmetic import l2_normalize
from tapegrad._tf.counting import zero_fraction
from tapegrad._tf.extremes import in_top_k, top_k
from tapegrad._tf.softmax import log_softmax, softmax
from tapegrad.nn.activations import (
    crelu,
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    swish,
    tanh,
)
from tapegrad.nn.images import avg_pool, avg_pool2d, conv2d, max_pool, max_pool2d
from tapegrad.nn.layers import dropout, embedding_lookup
from tapegrad.nn.losses import (
    l2_loss,
    log_poisson_loss,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from tapegrad.nn.normalization import (
    batch_normalization,
    bias_add,
    moments,
    normalize_moments,
    sufficient_statistics,
    weighted_moments,
)

__all__ = [
    "avg_pool",
    "avg_pool2d",
    "batch_normalization",
    "bias_add",
    "conv2d",
    "crelu",
    "dropout",
    "elu",
    "embedding_lookup",
    "gelu",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "log_poisson_loss",
    "log_sigmoid",
    "log_softmax",
    "max_pool",
    "max_pool2d",
    "moments",
    "normalize_moments",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "sufficient_statistics",
    "swish",
    "tanh",
    "top_k",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "zero_fraction",
]
