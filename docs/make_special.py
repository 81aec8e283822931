"""Write docs/special.md: which of SciPy's special functions are differentiable, and in which arguments.

It says what the tables of `tapegrad.special` say. Run `python docs/make_special.py` after a change; a test compares.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import scipy
import scipy.special

import tapegrad.special
from tapegrad._ops.ufunc_rules import PIECEWISE_CONSTANT, operand_names
from tapegrad.special._refused import CONSTANT, REFUSED
from tapegrad.special._table import ROWS, Row

PAGE = Path(__file__).parent / "special.md"

# The functions that are no ufuncs: the arguments in which they are differentiable.
FUNCTIONS = {
    "assoc_laguerre": "x",
    "comb": "N, k",
    "diric": "x",
    "factorial": "n",
    "h1vp": "z",
    "h2vp": "z",
    "ivp": "z",
    "jvp": "z",
    "kvp": "z",
    "lambertw": "z",
    "log_softmax": "x",
    "logsumexp": "a, b",
    "multigammaln": "a",
    "perm": "N, k",
    "polygamma": "x",
    "sinc": "x",
    "softmax": "x",
    "softplus": "x",
    "spherical_in": "z",
    "spherical_jn": "z",
    "spherical_kn": "z",
    "spherical_yn": "z",
    "yvp": "z",
    "zeta": "x, q",
}

HEAD = """\
# Special functions

Made by `python docs/make_special.py` with SciPy {version}. `tapegrad.special` has the functions of `scipy.special`
under the same names, and needs SciPy (`pip install tapegrad[scipy]`). Values are SciPy's; a table says
[how accurate the derivatives are](accuracy.md). SciPy's ufuncs may also be called themselves: with a tensor, what
`scipy.special.gamma(x)` gives is `tapegrad.special.gamma(x)`. SciPy's other functions convert their arguments, so here
they are functions of their own.

```python
import scipy.special
import tapegrad as tf

a, x = tf.Variable(2.5, dtype=tf.float64), tf.Variable(1.5, dtype=tf.float64)
with tf.GradientTape() as tape:
    y = scipy.special.gammainc(a, x)
[round(float(g), 12) for g in tape.gradient(y, [a, x])]  # -> [{gammainc}]

with tf.GradientTape() as tape:
    scipy.special.jv(x, 2.0)  # raises TypeError: jv is not differentiable in operand 0
```

An argument without a rule may be any number that no tape watches. Where a result is piecewise constant, no gradient
flows. Derivatives have derivatives: the rules are recorded, and the second derivative of `gammainc` in `a` is as
accurate as the first. Complex arguments are differentiable where "complex" says yes.

[`tapegrad.register_ufunc`](#your-own) gives rules to other ufuncs.

## Ufuncs

| function | differentiable in | not differentiable in | complex |
|---|---|---|---|
"""

MIDDLE = """
## Other functions

| function | differentiable in |
|---|---|
"""

REFUSALS = """
## Without a rule

| function | why |
|---|---|
"""

NAMES = """
## Nothing to differentiate

These names of `scipy.special` have no argument that could be differentiated, and are not in `tapegrad.special`.

"""

TAIL = """
## Your own

`tapegrad.register_ufunc(ufunc, partials)` makes any ufunc a recorded operation. There is one partial derivative for
each operand: a text in the operands `x`, `y`, ... and the result `out`, or a function over recorded operations.

```python
import numpy as np

half_life = np.frompyfunc(lambda t, tau: 0.5 ** (t / tau), 2, 1)
f = tf.register_ufunc(
    half_life,
    partials=["-0.6931471805599453 * out / y", lambda x, y, out: 0.6931471805599453 * out * x / (y * y)],
)
tf.testing.check_grads(f, (1.0, 2.0))
f(np.array([0.0, 2.0, 4.0]), 2.0)  # -> [1. 0.5 0.25]
```
"""


def version() -> str:
    """The release of SciPy, without the number of the bug fix."""
    return ".".join(scipy.__version__.split(".")[:2])


def arguments(name: str, count: int) -> list[str]:
    """The names of a ufunc's operands in SciPy's documentation, whose first line is made by NumPy and has none."""
    documentation = getattr(scipy.special, name).__doc__ or ""
    for match in re.finditer(r"^\s*\w+\(([^)/\[]*)\)", documentation, re.MULTILINE):
        names = [part.strip() for part in match.group(1).split(",")]
        names = [part for part in names if part.isidentifier() and part != "out"]
        if len(names) == count:
            return names
    return operand_names(count)


def ufunc_line(row: Row) -> str:
    """The line of a ufunc."""
    names = arguments(row.name, len(row.domains))
    differentiable: list[str] = []
    refused: dict[str, list[str]] = {}  # the operands for each reason
    for k, name in enumerate(names):
        reason = row.reasons[k]
        if reason is None and any(partials[k] != PIECEWISE_CONSTANT for partials in row.partials):
            differentiable.append(name)
        else:
            refused.setdefault(reason or "the result is piecewise constant", []).append(name)
    not_differentiable = [f"{', '.join(group)}: {reason}" for reason, group in refused.items()]
    ufunc = getattr(scipy.special, row.name)
    has_complex = any(set(loop.split("->")[0]) & set("FD") for loop in ufunc.types)
    answer = "yes" if row.holomorphic else "no" if has_complex else ""
    call = f"`{row.name}({', '.join(names)})`"
    return f"| {call} | {', '.join(differentiable)} | {'; '.join(not_differentiable)} | {answer} |\n"


def page() -> str:
    """The whole page."""
    with tapegrad.GradientTape() as tape:
        a, x = np.float64(2.5), np.float64(1.5)
        operands = [tapegrad.constant(a), tapegrad.constant(x)]
        tape.watch(operands)
        y = tapegrad.special.gammainc(*operands)
    shown = ", ".join(str(round(float(g), 12)) for g in tape.gradient(y, operands))
    text = HEAD.replace("{gammainc}", shown).replace("{version}", version())
    text += "".join(ufunc_line(row) for row in sorted(ROWS.values(), key=lambda row: row.name))
    text += MIDDLE
    for name, differentiable in FUNCTIONS.items():
        signature = inspect.signature(getattr(tapegrad.special, name))
        text += f"| `{name}({', '.join(signature.parameters)})` | {differentiable} |\n"
    text += REFUSALS + "".join(f"| `{name}` | {why} |\n" for name, why in REFUSED.items())
    reasons: dict[str, list[str]] = {}
    for name, why in CONSTANT.items():
        reasons.setdefault(why, []).append(f"`{name}`")
    text += NAMES + "".join(f"- {', '.join(names)}: {why}.\n" for why, names in reasons.items())
    return text + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
