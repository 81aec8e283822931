"""Tell benign from malignant breast tumours by logistic regression, in plain arithmetic and in float64.

The data are the 569 samples of 30 measurements that scikit-learn ships. There is no layer and no optimizer
here: a tape gives the gradient of the penalized likelihood, and gradient descent with momentum does the rest.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import tapegrad as tf


def load_data(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training features, test features, training labels, test labels; the features are standardized."""
    features, labels = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        features, labels.astype(float), test_size=0.25, random_state=seed, stratify=labels
    )
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), scaler.transform(x_test), y_train, y_test


def fit(
    features: np.ndarray, labels: np.ndarray, steps: int, penalty: float
) -> tuple[tf.Variable, tf.Variable]:
    """The weights and bias that minimize the mean cross-entropy plus `penalty` times the squared weights."""
    weights = tf.Variable(np.zeros(features.shape[1]), name="weights")
    bias = tf.Variable(0.0, dtype=tf.float64, name="bias")
    velocity = [np.zeros(weights.shape), np.zeros(())]
    for step in range(steps):
        with tf.GradientTape() as tape:
            logits = tf.tensordot(features, weights, axes=1) + bias
            losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(losses) + penalty * tf.reduce_sum(weights**2)
        gradients = tape.gradient(loss, [weights, bias])
        for k, (variable, gradient) in enumerate(zip([weights, bias], gradients, strict=True)):
            velocity[k] = 0.9 * velocity[k] - 0.3 * gradient.numpy()
            variable.assign_add(velocity[k])
        if step % 50 == 0:
            print(f"step {step:4d}: loss {loss:.6f}")
    return weights, bias


def accuracy(features: np.ndarray, labels: np.ndarray, weights: tf.Variable, bias: tf.Variable) -> float:
    """The share of samples that are on the side of the boundary that their label tells."""
    scores = features @ weights.numpy() + bias.numpy()
    return float(np.mean((scores > 0) == (labels > 0.5)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, fit, and print both accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps", type=int, default=200, help="steps of gradient descent (default: %(default)s)"
    )
    parser.add_argument(
        "--penalty", type=float, default=1e-3, help="weight of the penalty (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the split into training and test (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    x_train, x_test, y_train, y_test = load_data(options.seed)
    weights, bias = fit(x_train, y_train, options.steps, options.penalty)
    print(f"training accuracy: {100 * accuracy(x_train, y_train, weights, bias):.1f} %")
    print(f"test accuracy:     {100 * accuracy(x_test, y_test, weights, bias):.1f} %")


if __name__ == "__main__":
    main()
