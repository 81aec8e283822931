"""
Logistic regression that knows what it does not know
====================================================

Ten measurements of the nuclei of cells tell benign from malignant tumours of the breast. Logistic regression gives each
measurement a weight. How sure are the weights, and how sure is a probability that they yield? The answer is in the
second derivative of the likelihood, which tapegrad takes from a line of NumPy.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

import tapegrad
import tapegrad.scipy

plt.style.use("tableau-colorblind10")
BENIGN = {"marker": "o", "color": "white", "markeredgecolor": "black", "linestyle": "", "markersize": 4}
MALIGNANT = {"marker": "^", "color": "black", "markeredgecolor": "white", "linestyle": "", "markersize": 5}

# %%
# The data
# --------
# scikit-learn ships 569 tumours. Of their thirty columns the first ten are means over the nuclei. They are scaled to
# mean 0 and standard deviation 1, and get a column of ones in front for the bias. A third is kept for testing.

data = load_breast_cancer()
malignant = (data.target == 0).astype(float)
train_columns, test_columns, y_train, y_test = train_test_split(
    data.data[:, :10], malignant, test_size=1 / 3, random_state=0, stratify=malignant
)
scaler = StandardScaler().fit(train_columns)
x_train, x_test = (np.insert(scaler.transform(columns), 0, 1.0, axis=1) for columns in (train_columns, test_columns))
names = ["bias", *(name.removeprefix("mean ") for name in data.feature_names[:10])]

# %%
# The fit
# -------
# The cost is the negative logarithm of the posterior probability, with a normal prior for every weight but the bias.
# There is no formula for a derivative anywhere: ``trust-exact``, Newton's method with a region of trust, gets the
# gradient and the Hessian from the cost itself.

PRIOR = 3.0  # standard deviation of a weight


def cost(weights: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """The negative log-posterior, up to a constant."""
    scores = x @ weights
    return np.sum(np.logaddexp(0.0, scores) - y * scores) + np.sum(weights[1:] ** 2) / (2 * PRIOR**2)


def fit(x: np.ndarray, y: np.ndarray) -> Any:
    """SciPy's result of the fit."""
    return tapegrad.scipy.minimize(cost, np.zeros(x.shape[1]), args=(x, y), method="trust-exact")


found = fit(x_train, y_train)
weights = found.x
accuracy = np.mean((x_test @ weights > 0) == y_test)
print(f"{found.nit} steps of Newton's method, test accuracy {100 * accuracy:.1f} %")

# %%
# scikit-learn finds the same weights, and a textbook has a formula for the Hessian of this one model:

reference = LogisticRegression(C=PRIOR**2, tol=1e-10, max_iter=1000).fit(x_train[:, 1:], y_train)
hessian = tapegrad.hessian(cost)(weights, x_train, y_train)
probability = expit(x_train @ weights)
formula = (x_train.T * probability * (1 - probability)) @ x_train + np.diag([0.0] + 10 * [1 / PRIOR**2])
print(f"largest difference from scikit-learn: {np.abs(weights[1:] - reference.coef_[0]).max():.1e}")
print(f"largest difference from the formula, relative: {np.abs(hessian - formula).max() / np.abs(formula).max():.1e}")

# %%
# The errors of the weights
# -------------------------
# The inverse of the Hessian is the covariance of the weights. The bootstrap, which fits the model to 300 resampled
# sets of data, arrives at similar errors with 300 times the work, except for three weights: the radius, the perimeter
# and the area say nearly the same, so the data settle little more than the sum of their weights. How it is shared is
# unknown, which the Hessian tells. The bootstrap does not, since the prior makes every fit share it in the same way.

covariance = np.linalg.inv(hessian)
errors = np.sqrt(np.diag(covariance))
random = np.random.default_rng(0)
resampled = np.array(
    [
        fit(x_train[chosen], y_train[chosen]).x
        for chosen in tqdm(
            random.integers(0, len(y_train), (300, len(y_train))), unit="fit", desc="bootstrap", disable=None
        )
    ]
)
for name, weight, error, spread in zip(names, weights, errors, resampled.std(axis=0), strict=True):
    print(f"{name:20} {weight:6.2f} +- {error:.2f}  (bootstrap {spread:.2f})")

# %%
# The errors of the probabilities
# -------------------------------
# A score is linear in the weights, so its variance is :math:`x^T C x`. Tumours near the boundary are uncertain
# twice: their probability is middling, and it is not well known itself. On the left are the weights, on the right the
# probabilities of the tumours kept for testing.

scores = x_test @ weights
spreads = np.sqrt(np.einsum("ni,ij,nj->n", x_test, covariance, x_test))
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5), layout="constrained", width_ratios=[1.2, 1])
rows = np.arange(len(names))
low, middle, high = np.percentile(resampled, [2.5, 50, 97.5], axis=0)
left.errorbar(weights, rows - 0.13, xerr=1.96 * errors, fmt="o", color="C0", capsize=3, label="from the Hessian")
sides = [middle - low, high - middle]
left.errorbar(middle, rows + 0.13, xerr=sides, fmt="s", color="C1", capsize=3, label="bootstrap")
left.axvline(0.0, color="0.5", linestyle=":")
left.set_yticks(rows, names)
left.invert_yaxis()
left.set(title="Weights with their 95 % intervals", xlabel="log-odds of malignancy per standard deviation")
left.legend(frameon=False)

order = np.argsort(scores)
ranks = np.arange(len(order))
right.fill_between(
    ranks,
    expit((scores - 1.96 * spreads)[order]),
    expit((scores + 1.96 * spreads)[order]),
    color="C0",
    alpha=0.25,
    label="95 % interval",
)
right.plot(ranks, expit(scores[order]), color="C0", linewidth=2, label="probability")
for value, label, style in ((0.0, "benign", BENIGN), (1.0, "malignant", MALIGNANT)):
    there = y_test[order] == value
    right.plot(ranks[there], expit(scores[order][there]), label=label, **style)
right.set(
    title=f"Tumours kept for testing: {100 * accuracy:.1f} % right",
    xlabel="tumour, in order of its probability",
    ylabel="probability of malignancy",
)
right.legend(frameon=False, loc="center left")
plt.show()

# %%
# Two measurements alone can be drawn. The boundaries of 60 models that the data allow fan out where there are no
# tumours, and so does the error of the score.

PAIR = [0, 1, 2]  # the bias, the radius and the texture
small = fit(x_train[:, PAIR], y_train).x
small_covariance = np.linalg.inv(tapegrad.hessian(cost)(small, x_train[:, PAIR], y_train))
plane = np.stack(np.meshgrid(np.linspace(5, 30, 200), np.linspace(8, 42, 200)), axis=-1)
grid = np.insert((plane - scaler.mean_[:2]) / scaler.scale_[:2], 0, 1.0, axis=-1)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained", sharey=True)
shades = left.contourf(*plane.T, expit(grid @ small).T, np.linspace(0, 1, 11), cmap="PuOr_r", alpha=0.7)
figure.colorbar(shades, ax=left, label="probability of malignancy")
for sample in random.multivariate_normal(small, small_covariance, size=60):
    left.contour(*plane.T, (grid @ sample).T, [0.0], colors="gray", linewidths=0.5, alpha=0.6)
error = np.sqrt(np.einsum("xyi,ij,xyj->xy", grid, small_covariance, grid))
shades = right.contourf(*plane.T, error.T, 10, cmap="Blues", alpha=0.8)
figure.colorbar(shades, ax=right, label="error of the log-odds")
for axes, title in ((left, "Boundaries that the data allow"), (right, "Error of the score")):
    for value, label, style in ((0.0, "benign", BENIGN), (1.0, "malignant", MALIGNANT)):
        axes.plot(*train_columns[y_train == value, :2].T, label=label, **style)
    axes.set(title=title, xlabel="mean radius", xlim=(5, 30), ylim=(8, 42))
left.set_ylabel("mean texture")
left.legend(loc="upper right", fontsize="small")

plt.show()
