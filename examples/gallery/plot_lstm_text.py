"""
An LSTM learns to write about Python
====================================

A recurrent network reads the manual of the Python language, letter by letter, and guesses the next one. Its memory is
a *long short-term memory* (Hochreiter and Schmidhuber, 1997): gates decide what is written to a cell, what is kept in
it, and what is shown. It is written down here in six lines, trained for a quarter of a minute, and then looked at: what
it writes, how its gates move, and how far back its gradients reach.
"""

import argparse
import textwrap
from pydoc_data.topics import topics
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import tapegrad as tf

plt.style.use("tableau-colorblind10")
parser = argparse.ArgumentParser(description="Train an LSTM on the manual of Python, and look into it.")
parser.add_argument("--steps", type=int, default=600, help="of the training (default: %(default)s)")
options = parser.parse_args()

# %%
# The text
# --------
# It is what Python's ``help()`` shows, with every break between words as one space. A tenth is kept for testing.

text = " ".join(" ".join(topics[name] for name in sorted(topics)).encode("ascii", "ignore").decode().split())
alphabet = sorted(set(text))
letters = np.searchsorted(alphabet, list(text))
train_letters, test_letters = np.split(letters, [len(letters) * 9 // 10])
print(f"{len(text):,} letters, {len(alphabet)} different ones")

# %%
# Two simple models to compare with: one knows how frequent each letter is, the other how frequent each pair.

pairs = np.full((len(alphabet), len(alphabet)), 0.1)  # so that no pair is impossible
np.add.at(pairs, (train_letters[:-1], train_letters[1:]), 1.0)
single = pairs.sum(axis=0) / pairs.sum()
following = pairs / pairs.sum(axis=1, keepdims=True)
by_frequency = -np.log2(single[test_letters]).mean()
by_pairs = -np.log2(following[test_letters[:-1], test_letters[1:]]).mean()

# %%
# The network
# -----------

UNITS = 96
generator = np.random.default_rng(0)


def weights(*shape: int) -> tf.Variable:
    """Normal random numbers whose products with a vector have its scale."""
    return tf.Variable(generator.normal(scale=shape[0] ** -0.5, size=shape).astype(np.float32))


State = tuple[tf.Tensor, tf.Tensor]  # what is shown, and the cells
of_letter = tf.Variable(generator.normal(scale=0.1, size=(len(alphabet), 4 * UNITS)).astype(np.float32))
of_output = weights(UNITS, 4 * UNITS)
bias = tf.Variable(tf.zeros(4 * UNITS))
to_letter = weights(UNITS, len(alphabet))
variables = [of_letter, of_output, bias, to_letter]


def gates(letter: tf.Tensor, output: tf.Tensor) -> list[tf.Tensor]:
    """How far to write, to keep and to show, in (0, 1), and what to write, in (-1, 1)."""
    write, keep, show, content = tf.split(letter + output @ of_output + bias, 4, axis=-1)
    return [tf.sigmoid(write), tf.sigmoid(keep), tf.sigmoid(show), tf.tanh(content)]


def read(letter: tf.Tensor, state: State) -> State:
    """The state after a letter, for a batch of texts."""
    write, keep, show, content = gates(letter, state[0])
    cell = keep * state[1] + write * content
    return show * tf.tanh(cell), cell


def nothing_read(batch: int) -> State:
    """The state in front of a text."""
    return tf.zeros((batch, UNITS)), tf.zeros((batch, UNITS))


def embedded(texts: np.ndarray) -> list[tf.Tensor]:
    """What the letters of texts of shape (batch, letters) add to the gates: one tensor for each place."""
    return tf.unstack(tf.gather(of_letter, texts.T))


def read_all(texts: np.ndarray, state: State) -> list[State]:
    """The states after each letter of texts of shape (batch, letters)."""
    states = []
    for letter in embedded(texts):
        state = read(letter, state)
        states.append(state)
    return states


def losses(outputs: list[tf.Tensor], letters: np.ndarray) -> Any:
    """The bits that it takes to tell letters of shape (steps, batch) from what is shown before each."""
    scores = tf.stack(outputs) @ to_letter
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=letters, logits=scores) / np.log(2)


# %%
# How far the gradient reaches
# ----------------------------
# One tape answers how much a guess depends on the cells long before it: the slopes of the last loss by the cells at
# each step are asked for at once. It is measured before the training, and again after it.


def reach(length: int) -> np.ndarray:
    """The size of the slope of a guess by the cells, by the number of letters in between."""
    begins = np.arange(64) * (len(test_letters) // 64 - 1)
    texts = test_letters[begins[:, np.newaxis] + np.arange(length)]
    with tf.GradientTape() as tape:
        start = nothing_read(len(texts))
        tape.watch(start)
        states = read_all(texts[:, :-1], start)
        loss = tf.reduce_sum(losses([states[-1][0]], texts[np.newaxis, :, -1]))
    slopes = tape.gradient(loss, [cell for _, cell in states])
    return np.array([np.linalg.norm(slope.numpy(), axis=1).mean() for slope in slopes])[::-1]


reach_before = reach(100)

# %%
# The training
# ------------
# 64 readers go through parts of the text side by side. The gradient goes back over 24 letters, but the state is handed
# on, so that the memory can be longer.

READERS, LENGTH = 64, 24
streams = train_letters[: len(train_letters) // READERS * READERS].reshape(READERS, -1)
starts = np.resize(np.arange(0, streams.shape[1] - LENGTH - 1, LENGTH), options.steps)
optimizer = tf.keras.optimizers.Adam()
state = nothing_read(READERS)
history = []
with tqdm(starts, unit="step", desc="training", disable=None) as progress:
    for step, start in enumerate(progress):
        with tf.GradientTape() as tape:
            states = read_all(streams[:, start : start + LENGTH], state)
            following_letters = streams[:, start + 1 : start + LENGTH + 1].T
            loss = tf.reduce_mean(losses([output for output, _ in states], following_letters))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        optimizer.learning_rate = 2e-2 * (1 - step / options.steps)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        state = states[-1]
        history.append(float(loss))
        if step % 10 == 0:
            progress.set_postfix(loss=f"{history[-1]:.2f} bits")

tested = test_letters[: len(test_letters) // 64 * 64].reshape(64, -1)[:, :400]
outputs = [output for output, _ in read_all(tested[:, :-1], nothing_read(64))]
test_loss = float(tf.reduce_mean(losses(outputs, tested[:, 1:].T)))
print(f"bits per letter on the test text: {test_loss:.2f}")
print(f"single letters: {by_frequency:.2f}, pairs of letters: {by_pairs:.2f}")

# %%
# What it writes
# --------------
# Each letter is drawn from the guess and read again. A temperature below one makes the likely letters likelier.


def write_text(prompt: str, length: int, temperature: float) -> str:
    """The prompt, continued."""
    written = list(np.searchsorted(alphabet, list(prompt)))
    state = read_all(np.array([written]), nothing_read(1))[-1]
    for _ in range(length):
        scores = (state[0] @ to_letter).numpy()[0].astype(float) / temperature
        shares = np.exp(scores - scores.max())
        written.append(generator.choice(len(alphabet), p=shares / shares.sum()))
        state = read_all(np.array([written[-1:]]), state)[-1]
    return "".join(alphabet[letter] for letter in written)


print(textwrap.fill(write_text("The statement ", 600, temperature=0.6), 100))

# %%
# Inside
# ------
# Each row is a unit that reads a passage of the test text. Of the units whose cells move most, the upper ones forget
# quickly and follow single letters; the lower ones keep what they have, some of them over words.

passage = test_letters[3000:3080]
letters_read = embedded(passage[np.newaxis])
states = read_all(passage[np.newaxis], nothing_read(1))
shown_before = [nothing_read(1)[0], *(output for output, _ in states)]
kept = [gates(letter, output)[1].numpy()[0] for letter, output in zip(letters_read, shown_before[:-1], strict=True)]
cells = [np.tanh(cell.numpy()[0]) for _, cell in states]
moving = np.argsort(np.std(cells[10:], axis=0))[-24:]
order = moving[np.argsort(np.mean(kept, axis=0)[moving])]

figure, rows = plt.subplots(2, 1, figsize=(10, 6), layout="constrained", sharex=True)
for axes, values, title, colours, low in (
    (rows[0], kept, "Forget gates: the share of its cell that each unit keeps", "cividis", 0),
    (rows[1], cells, "Cells: what each unit holds", "PuOr", -1),
):
    picture = axes.imshow(np.array(values).T[order], cmap=colours, vmin=low, vmax=1, aspect="auto")
    figure.colorbar(picture, ax=axes)
    axes.set(title=title, ylabel="unit")
    axes.set_yticks([])
    axes.tick_params(length=0)
rows[1].set_xticks(range(len(passage)), [alphabet[k] for k in passage], family="monospace", fontsize=8)
plt.show()

# %%
# The training has taught it to look back: the slope of a guess by the cells many letters before has become larger by
# orders of magnitude.

reach_after = reach(100)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.plot(history, color="C2", linewidth=1, label="training")
left.axhline(by_frequency, color="C1", linestyle=":", label=f"single letters: {by_frequency:.2f}")
left.axhline(by_pairs, color="C5", linestyle="--", label=f"pairs of letters: {by_pairs:.2f}")
left.axhline(test_loss, color="C0", label=f"LSTM on the test text: {test_loss:.2f}")
left.set(title="Loss", xlabel="step", ylabel="bits per letter", ylim=(0, None))
left.legend(frameon=False)
right.plot(reach_before, color="C1", linestyle="--", label="before the training")
right.plot(reach_after, color="C0", label="after it")
right.set(title="How far back a guess depends on the cells", xlabel="letters in between", ylabel="slope", yscale="log")
right.legend(frameon=False)

plt.show()
