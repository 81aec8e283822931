r"""
Integrated gradients: which pixels made it a seven?
===================================================

A small convolutional network reads handwritten digits. Which pixels spoke for its answer, and which against it? The
gradient of the score by the pixels is the answer at one point only. *Integrated gradients* (Sundararajan, Taly and Yan,
2017) follow it on the straight way from a baseline :math:`b`, here the mean of all images, to the image :math:`x`:

.. math:: a_i = (x_i - b_i) \int_0^1 \frac{\partial f}{\partial x_i}\bigl(b + t\,(x - b)\bigr)\, dt

These attributions are *complete*: over all pixels they add up to :math:`f(x) - f(b)`, so nothing of the score is left
unexplained. That can be checked in numbers.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

import tapegrad as tf

plt.style.use("tableau-colorblind10")
parser = argparse.ArgumentParser(description="Explain the answers of a convolutional network by integrated gradients.")
parser.add_argument("--epochs", type=int, default=12, help="of the training (default: %(default)s)")
options = parser.parse_args()

# %%
# The network
# -----------
# The digits are the 1,797 images of 8 x 8 pixels that scikit-learn ships; a quarter is kept for testing. The
# activations are smooth, so that the integral needs few points.

images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype(np.float32).reshape(-1, 8, 8, 1)
train_images, test_images, train_labels, test_labels = train_test_split(
    images, labels, test_size=0.25, random_state=0, stratify=labels
)
tf.random.set_seed(0)
model = tf.keras.Sequential(
    [
        tf.keras.layers.Conv2D(12, 3, padding="same", activation="silu"),
        tf.keras.layers.Conv2D(24, 3, strides=2, padding="same", activation="silu"),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dropout(0.3),
        tf.keras.layers.Dense(10),
    ]
)

# %%
# It is trained in a loop of one's own.

BATCH = 32
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam(learning_rate=3e-3)
generator = np.random.default_rng(0)
steps = options.epochs * (len(train_labels) // BATCH)
with tqdm(total=steps, unit="step", desc="training", disable=None) as progress:
    for _ in range(options.epochs):
        order = generator.permutation(len(train_labels))
        for batch in np.split(order[: len(order) // BATCH * BATCH], len(order) // BATCH):
            with tf.GradientTape() as tape:
                loss = loss_object(train_labels[batch], model(train_images[batch], training=True))
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            progress.update()
        progress.set_postfix(loss=f"{float(loss):.3f}")

predictions = np.argmax(model(test_images).numpy(), axis=-1)
accuracy = np.mean(predictions == test_labels)
print(f"test accuracy: {100 * accuracy:.1f} %")

# %%
# The integral
# ------------
# All points of the way are one batch. The images in it do not know of each other, so one gradient of the sum of their
# scores holds the gradient of each. The points are those of Gauss and Legendre.


def attributions(image: np.ndarray, baseline: np.ndarray, digit: int, points: int) -> np.ndarray:
    """What each pixel contributes to the score of a digit, of the shape of the image."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    way = ((nodes + 1) / 2).reshape(-1, 1, 1, 1)
    steps = tf.constant(baseline + way * (image - baseline), dtype=tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(steps)
        score = tf.reduce_sum(model(steps)[:, digit])
    slopes = tape.gradient(score, steps).numpy()
    result: np.ndarray = (image - baseline) * np.tensordot(weights / 2, slopes, axes=1)
    return result


baseline = train_images.mean(axis=0)
shown = [int(np.flatnonzero(test_labels == digit)[0]) for digit in range(10)]
maps = [
    attributions(test_images[k], baseline, test_labels[k], points=32)
    for k in tqdm(shown, unit="image", desc="attributions", disable=None)
]

# %%
# Blue pixels speak for the digit, red ones against it. They can be dark or bright: a hole that is not filled
# counts, too.

figure, axes = plt.subplots(2, 10, figsize=(10, 2.9), layout="constrained")
scale = np.percentile(np.abs(maps), 99.5)
for column, (k, values) in enumerate(zip(shown, maps, strict=True)):
    axes[0, column].imshow(test_images[k, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
    picture = axes[1, column].imshow(values[:, :, 0], cmap="RdBu", vmin=-scale, vmax=scale)
    axes[1, column].set_title(f"{values.sum():+.1f}", fontsize="medium")
    for row in (0, 1):
        axes[row, column].set_axis_off()
figure.colorbar(picture, ax=axes, label="attribution", fraction=0.02)
figure.suptitle("Digits, and what their pixels add to the score; above each map the sum", fontsize="large")
plt.show()

# %%
# Completeness
# ------------
# The gap between the sum and the difference of the scores is the error of the integral. It falls quickly with the
# number of points until it meets the precision of float32.


def gap(k: int, points: int) -> float:
    """How much of a test image's score its attributions leave unexplained."""
    digit = test_labels[k]
    scores = model(np.stack([test_images[k], baseline])).numpy()[:, digit]
    return abs(float(attributions(test_images[k], baseline, digit, points).sum() - (scores[0] - scores[1])))


counts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
gaps = np.array([[gap(k, points) for k in shown] for points in tqdm(counts, unit="count", disable=None)])
print(f"largest gap with {counts[-1]} points: {gaps[-1].max():.1e}")

# %%
# Do the maps point to the pixels that matter? If the pixels with the highest attributions are replaced by those of the
# baseline, the network should lose its way sooner than if random ones are.


def accuracy_without(rankings: np.ndarray, removed: int) -> float:
    """The accuracy on test images whose first pixels in a ranking are replaced by the baseline's."""
    changed = test_images[: len(rankings)].reshape(len(rankings), 64).copy()
    there = rankings[:, :removed]
    np.put_along_axis(changed, there, baseline.ravel()[there], axis=1)
    found = np.argmax(model(changed.reshape(-1, 8, 8, 1)).numpy(), axis=-1)
    return float(np.mean(found == test_labels[: len(rankings)]))


tested = range(100)
by_attribution = np.array(
    [
        np.argsort(-attributions(test_images[k], baseline, predictions[k], points=8).ravel())
        for k in tqdm(tested, unit="image", desc="rankings", disable=None)
    ]
)
by_chance = np.array([generator.permutation(64) for _ in tested])
removals = range(0, 33, 2)
curves = {
    "highest attribution first": [accuracy_without(by_attribution, count) for count in removals],
    "in random order": [accuracy_without(by_chance, count) for count in removals],
}
print("accuracy without 8 pixels: " + ", ".join(f"{100 * curve[4]:.0f} % {name}" for name, curve in curves.items()))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.fill_between(counts, gaps.min(axis=1), gaps.max(axis=1), color="C0", alpha=0.25, label="ten digits: all")
left.plot(counts, np.median(gaps, axis=1), "o-", color="C0", label="ten digits: median")
left.set(
    title="What the attributions leave unexplained",
    xlabel="points of the integral",
    ylabel="gap in the score",
    xscale="log",
    yscale="log",
)
left.set_xticks([1, 2, 3, 4, 8, 16, 32])
left.xaxis.set_major_formatter("{x:.0f}")
left.minorticks_off()
left.legend(frameon=False)
for (name, curve), style in zip(curves.items(), ("o-", "s--"), strict=True):
    right.plot(removals, 100 * np.array(curve), style, label=name)
right.set(title="Accuracy without some pixels", xlabel="pixels replaced, of 64", ylabel="%", ylim=(0, 105))
right.legend(frameon=False)

plt.show()
