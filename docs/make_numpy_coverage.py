"""Write docs/numpy.md: what tensors do with each function of `numpy`, `numpy.linalg`, `numpy.fft`, `numpy.emath`.

The classification is that of the code's tables. Only the functions that NumPy hands to nobody are classified here,
since no table of the code can know them. Run `python docs/make_numpy_coverage.py` after a change; a test compares the
page with what this makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import tapegrad.numpy  # noqa: F401 (fills the tables)
from tapegrad._native import IMPLEMENTATIONS, UFUNC_OPERATIONS
from tapegrad._protocols import CONSTANT, UNRELATED
from tapegrad.numpy._ufunc_calls import PIECEWISE_CONSTANT

PAGE = Path(__file__).parent / "numpy.md"

NAMESPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft, "numpy.emath": np.emath}

DIFFERENTIABLE = "differentiable"
STEPS = "piecewise constant"
INAPPLICABLE = "not applicable"
REFUSAL = "refused"

_OWN_ARRAY = "NumPy makes an array of its argument first"
_CREATES = "creates; `tapegrad.numpy` has it for tensors"
_POSITIONS = "positions"
_TEXT = "text"
_FILES = "files"
_TYPES = "types and shapes"
_SETTINGS = "settings"

# The functions that do not dispatch, by what they are.
OUTSIDE: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "require"),
        (REFUSAL, f"{_OWN_ARRAY}; `tapegrad.numpy` has it recorded"),
    ),
    **dict.fromkeys(
        ("arange", "full"), (REFUSAL, f"{_OWN_ARRAY}; `tapegrad.numpy` has it recorded in the values it is given")
    ),
    "from_dlpack": (REFUSAL, "the array would leave the tape; a tensor already is what `tapegrad.numpy` makes of it"),
    "kaiser": (REFUSAL, f"{_OWN_ARRAY}; `tapegrad.numpy` has it recorded"),
    "asmatrix": (REFUSAL, f"{_OWN_ARRAY}, a matrix; use tensors of two dimensions"),
    "bmat": (REFUSAL, f"{_OWN_ARRAY}, a matrix; use `block`"),
    "frompyfunc": (REFUSAL, "the ufunc it makes has no derivative rule, unless `tapegrad.register_ufunc` gives it one"),
    **dict.fromkeys(
        ("empty", "eye", "frombuffer", "fromfunction", "fromiter", "identity", "indices", "ones", "tri", "zeros"),
        (INAPPLICABLE, _CREATES),
    ),
    **dict.fromkeys(("bartlett", "blackman", "hamming", "hanning", "fftfreq", "rfftfreq"), (INAPPLICABLE, _CREATES)),
    **dict.fromkeys(("diag_indices", "mask_indices", "tril_indices", "triu_indices"), (INAPPLICABLE, _POSITIONS)),
    **dict.fromkeys(
        ("base_repr", "binary_repr", "format_float_positional", "format_float_scientific", "info", "typename"),
        (INAPPLICABLE, _TEXT),
    ),
    **dict.fromkeys(
        ("fromfile", "fromregex", "fromstring", "genfromtxt", "load", "loadtxt"), (INAPPLICABLE, f"{_FILES} and text")
    ),
    **dict.fromkeys(
        (
            "broadcast_shapes",
            "datetime_data",
            "isdtype",
            "isfortran",
            "isscalar",
            "issubdtype",
            "iterable",
            "mintypecode",
            "promote_types",
        ),
        (INAPPLICABLE, _TYPES),
    ),
    "row_stack": (DIFFERENTIABLE, "it calls `vstack`"),
    "nested_iters": (INAPPLICABLE, "iterates over the memory of arrays"),
    **dict.fromkeys(
        (
            "get_include",
            "get_printoptions",
            "getbufsize",
            "geterr",
            "geterrcall",
            "printoptions",
            "set_printoptions",
            "setbufsize",
            "seterr",
            "seterrcall",
            "show_config",
            "show_runtime",
            "test",
        ),
        (INAPPLICABLE, _SETTINGS),
    ),
}

TEXT = """\
# NumPy's functions

NumPy asks the operands of its functions whether they know better. A tensor does: `np.sin(x)`, `np.sum(x, axis=0)`,
`np.linalg.solve(a, b)` are recorded by the tapes that watch an operand, return tensors, and have the values that NumPy
has for arrays, bit for bit. `out=`, `where=`, `dtype=` and the methods of ufuncs (`np.add.reduce`, `np.multiply.outer`,
`np.add.at`, ...) work, too, and so do the attributes and methods of arrays: `x.T`, `x.sum(axis=0)`, `x.reshape(2, -1)`.

```python
import numpy as np
import tapegrad as tf

x = tf.Variable(np.array([3.0, 4.0]))
with tf.GradientTape() as tape:
    y = np.sqrt(np.add.reduce(np.square(x)))
tape.gradient(y, x)  # -> [0.6 0.8]
```

What has no derivative rule raises `TypeError: numpy.foo has no derivative rule in tapegrad` for a watched value; for
others NumPy computes it. A watched value never becomes an array without a word.

- NumPy looks at the arguments themselves, not into lists that it is going to make an array of: `np.stack([x, y])` and
  `np.where(c, x, y)` come to tapegrad, `np.mean([x, y])` and `np.array([x, y])` do not. They raise a `TypeError` if a
  tape watches `x`. `tapegrad.numpy` has the same functions with the same parameters, and takes lists everywhere:
  `tapegrad.numpy.mean([x, y])`. The same holds of what converts its arguments to arrays of its own: `np.r_`, `np.c_`,
  `np.vectorize`, `np.matrix`, `np.ma`, methods of arrays such as `a.dot(x)`.
- A result written to a tensor, `np.exp(x, out=y)` or `np.copyto(y, x)`, makes `y` stand for a new value; what was
  computed from its old value keeps that. A watched result is not written to an array.
- `np.log(x, where=c)` without `out=` has zeros where `c` is false, where NumPy leaves memory as it finds it.
- NumPy 2.4 computes `np.power.reduce` and `np.arctan2.reduce` wrongly on machines with AVX-512; tensors get the right
  values.

A function is *differentiable* if it is recorded, *piecewise constant* if its derivative is zero wherever there is one
(its results are tensors that no tape follows), *not applicable* if it has nothing to do with the values of arrays, and
else *refused* for watched values. This list is made by `docs/make_numpy_coverage.py` from the tables in the code.
"""


class Row(NamedTuple):
    """What tensors do with a function."""

    name: str
    status: str
    remark: str


def public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the functions and ufuncs of a namespace by their names: not its types, modules and constants."""
    for name in sorted(dir(module)):
        value = getattr(module, name)
        if not name.startswith("_") and callable(value) and not isinstance(value, type):
            yield name, value


def row_of(name: str, function: Callable[..., Any]) -> Row:
    """Return the row of one function; KeyError if no table has it."""
    if isinstance(function, np.ufunc):
        if function in PIECEWISE_CONSTANT:
            return Row(name, STEPS, "")
        if function in UFUNC_OPERATIONS:
            return Row(name, DIFFERENTIABLE, "ufunc")
    if function in CONSTANT:
        return Row(name, STEPS, "")
    if function in UNRELATED:
        return Row(name, INAPPLICABLE, "the answer is NumPy's own")
    if name in OUTSIDE:
        return Row(name, *OUTSIDE[name])
    if function in IMPLEMENTATIONS:
        return Row(name, DIFFERENTIABLE, "")
    raise KeyError(name)


def page() -> str:
    """Return the text of the page."""
    lines = [TEXT]
    for namespace, module in NAMESPACES.items():
        own = [row_of(name, function) for name, function in public_functions(module)]
        counts = ", ".join(
            f"{sum(row.status == status for row in own)} {status}"
            for status in (DIFFERENTIABLE, STEPS, INAPPLICABLE, REFUSAL)
        )
        lines += [
            f"## {namespace}",
            "",
            f"{len(own)} functions: {counts}.",
            "",
            "| function | what it is | remark |",
            "|---|---|---|",
        ]
        lines += [f"| `{row.name}` | {row.status} | {row.remark} |" for row in own]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
