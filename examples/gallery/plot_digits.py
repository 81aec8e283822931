"""
Handwritten digits, from training to doubt
==========================================

The main program of the examples, ``examples/digits.py``, trains a small convolutional network on the 1,797 handwritten
digits that scikit-learn ships. This page takes it apart, and then asks when its answers can be relied on.
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import confusion_matrix

import tapegrad as tf

sys.path.insert(0, str(Path(sys.argv[0]).resolve().parents[1]))
import digits  # the program, from the directory above

plt.style.use("tableau-colorblind10")
parser = argparse.ArgumentParser(description="Train a network on handwritten digits, and look into it.")
parser.add_argument("--epochs", type=int, default=12, help="of the training (default: %(default)s)")
options = parser.parse_args()

# %%
# The network
# -----------
# Layers, losses, metrics and optimizers have the names of Keras.
#
# .. literalinclude:: /../examples/digits.py
#    :pyobject: make_model

tf.random.set_seed(0)
data = digits.load_data(seed=0)
model = digits.make_model()

# %%
# The training
# ------------
# The loop is one's own, as in TensorFlow: the tape records what the network computes, and gives the gradients of all
# weights to the optimizer.
#
# .. literalinclude:: /../examples/digits.py
#    :pyobject: train

history = digits.train(model, data, options.epochs, batch_size=32, seed=0)
predictions = digits.predict(model, data.test_images)
print(f"{model.count_params():,} parameters, test accuracy {100 * history.test_accuracy[-1]:.2f} %")

# %%
# The program's picture
# ---------------------

digits.draw(plt.figure(figsize=(10, 6.6)), history, data, predictions)
plt.show()

# %%
# May it decline to answer?
# -------------------------
# The softmax of its scores says how sure the network is. If the least certain digits are left to a human reader, the
# answers to the others are right more often. The right half shows which digits are taken for which.

certainty = tf.reduce_max(tf.nn.softmax(model(data.test_images)), axis=-1).numpy()
right_answers = (predictions == data.test_labels)[np.argsort(-certainty)]
answered = np.arange(1, len(right_answers) + 1)
wrong = np.cumsum(~right_answers)
sure = int(np.argmin(right_answers)) if wrong[-1] else len(right_answers)
share = 100 * sure / len(answered)
print(f"all answers to the {share:.0f} % of which it is most certain are right")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained", width_ratios=[1.2, 1])
left.plot(100 * answered / len(answered), wrong, color="C0", linewidth=2)
left.axvline(share, color="C1", linestyle="--", label=f"no mistake up to {share:.0f} %")
left.set(title="Mistakes among its surest answers", xlabel="digits answered, surest first / %", ylabel="wrong answers")
left.yaxis.get_major_locator().set_params(integer=True)
left.legend(frameon=False)

counts = confusion_matrix(data.test_labels, predictions)
shades = counts.astype(float)
np.fill_diagonal(shades, 0.0)
right.imshow(shades, cmap="Oranges", vmax=max(4.0, shades.max()))
for (row, column), count in np.ndenumerate(counts):
    if count:
        right.text(column, row, str(count), ha="center", va="center", color="0.5" if row == column else "black")
right.set(title="Answers", xlabel="answer", ylabel="digit")
right.set_xticks(range(10))
right.set_yticks(range(10))

plt.show()
