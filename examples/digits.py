"""Train a small convolutional network on scikit-learn's handwritten digits, in a loop of one's own.

The data are 1,797 images of 8 x 8 pixels; a quarter of them is kept for testing. The program prints the
accuracy on these and writes a picture: the loss and the accuracy during training, and some test digits with
their predictions.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import tapegrad as tf


@dataclass
class Data:
    """Images shaped (n, 8, 8, 1) with values in [0, 1], and the digits that they show."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@dataclass
class History:
    """What was measured after each epoch."""

    loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)


def load_data(seed: int) -> Data:
    """Read the digits and set a quarter aside, with the same share of every digit."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype(np.float32).reshape(-1, 8, 8, 1)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=0.25, random_state=seed, stratify=labels
    )
    return Data(train_images, train_labels, test_images, test_labels)


def make_model() -> tf.keras.Model:
    """Two convolutions and a dense layer that gives one score (logit) for each digit."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10),
        ]
    )


def batches(data: Data, size: int, generator: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The training data once, in random order."""
    order = generator.permutation(len(data.train_labels))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield data.train_images[chosen], data.train_labels[chosen]


def train(model: tf.keras.Model, data: Data, epochs: int, batch_size: int, seed: int) -> History:
    """Minimize the cross-entropy with Adam; the progress bar shows the loss and the accuracies."""
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam(learning_rate=2e-3)
    mean_loss = tf.keras.metrics.Mean()
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    generator = np.random.default_rng(seed)
    history = History()

    def train_step(images: np.ndarray, labels: np.ndarray) -> None:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = loss_object(labels, logits)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        mean_loss.update_state(loss)
        accuracy.update_state(labels, logits)

    with tqdm(
        total=epochs * -(-len(data.train_labels) // batch_size), unit="step", desc="training", disable=None
    ) as progress:
        for epoch in range(epochs):
            mean_loss.reset_state()
            accuracy.reset_state()
            optimizer.learning_rate = 2e-3 * (1 - epoch / epochs)
            for images, labels in batches(data, batch_size, generator):
                train_step(images, labels)
                progress.update()
            history.loss.append(float(mean_loss.result()))
            history.train_accuracy.append(float(accuracy.result()))
            history.test_accuracy.append(float(np.mean(predict(model, data.test_images) == data.test_labels)))
            progress.set_postfix(
                epoch=f"{epoch + 1}/{epochs}",
                loss=f"{history.loss[-1]:.4f}",
                test=f"{100 * history.test_accuracy[-1]:.1f} %",
            )
    return history


def predict(model: tf.keras.Model, images: np.ndarray) -> np.ndarray:
    """The digits with the highest scores."""
    predictions: np.ndarray = tf.argmax(model(images), axis=-1).numpy()
    return predictions


def draw(figure: Figure, history: History, data: Data, predictions: np.ndarray) -> None:
    """Draw the curves, and under them two rows of test digits, the wrong ones first."""
    columns = 12
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    (curves,), (digits,) = figure.subfigures(2, 1, squeeze=False, height_ratios=[1.35, 1])
    left, right = curves.subplots(1, 2)
    epochs = range(1, len(history.loss) + 1)

    left.plot(epochs, history.loss, color="tab:blue", linewidth=2)
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    for values, label, colour in (
        (history.train_accuracy, "training (with dropout)", "tab:blue"),
        (history.test_accuracy, "test", "tab:orange"),
    ):
        right.plot(epochs, [100 * value for value in values], label=label, color=colour, linewidth=2)
    right.axhline(100 * history.test_accuracy[-1], color="tab:orange", linewidth=0.8, linestyle=":")
    right.set(title=f"Accuracy (test: {100 * history.test_accuracy[-1]:.2f} %)", xlabel="epoch", ylabel="%")
    right.legend(loc="lower right", frameon=False)
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)

    wrong = np.flatnonzero(predictions != data.test_labels)
    correct = np.flatnonzero(predictions == data.test_labels)
    shown = np.concatenate([wrong[:columns], correct])[: 2 * columns]
    digits.suptitle(
        f"Test digits with predictions ({len(wrong)} of {len(predictions)} wrong)", fontsize="large"
    )
    for axes, index in zip(digits.subplots(2, columns).flat, shown, strict=True):
        predicted, label = predictions[index], data.test_labels[index]
        axes.imshow(data.test_images[index, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(
            f"{predicted}" if predicted == label else f"{predicted}, not {label}",
            color="black" if predicted == label else "tab:red",
            fontsize="medium",
        )
        axes.set_axis_off()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, train, print the test accuracy and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--epochs", type=int, default=20, help="passes over the training data (default: %(default)s)"
    )
    parser.add_argument("--batch-size", type=int, default=32, help="images per step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("digits.png"), help="the picture (default: %(default)s)"
    )
    options = parser.parse_args(arguments)

    tf.random.set_seed(options.seed)
    data = load_data(options.seed)
    model = make_model()
    start = perf_counter()
    history = train(model, data, options.epochs, options.batch_size, options.seed)
    seconds = perf_counter() - start
    predictions = predict(model, data.test_images)
    accuracy = float(np.mean(predictions == data.test_labels))
    figure = Figure(figsize=(10, 6.6))  # of no window: no display is needed
    draw(figure, history, data, predictions)
    figure.savefig(options.output, dpi=120)
    print(f"trained {model.count_params():,} parameters for {options.epochs} epochs in {seconds:.1f} s")
    print(f"test accuracy: {100 * accuracy:.2f} %")
    print(f"picture: {options.output}")


if __name__ == "__main__":
    main()
