"""From GradBench's JSON to NumPy arrays and back, for the evals whose data have some structure; nothing is computed.

The conversions are off the clock. What the evals derive from the data, such as `gmm`'s index arrays, is not
made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Json = dict[str, Any]
_Inputs = TypeVar("_Inputs", bound=NamedTuple)


class Gmm(NamedTuple):
    """Mixture weights `(k,)`, means `(k, d)`, log-diagonals `(k, d)`, lower parts `(k, d(d-1)/2)`, points `(n, d)`."""

    alpha: Any
    mu: Any
    q: Any
    lower: Any
    x: Any
    gamma: float
    m: int


class Lstm(NamedTuple):
    """Weights and biases in turn for each layer `(2L, 4b)`, in- and output `(3, b)`, start `(2L, b)`, text `(c, b)`."""

    main: Any
    extra: Any
    state: Any
    sequence: Any


class Ba(NamedTuple):
    """Cameras `(n, 11)`, points `(m, 3)`, weights `(p,)`, features `(p, 2)`."""

    cameras: Any
    points: Any
    weights: Any
    features: Any


class Ht(NamedTuple):
    """Pose `(26,)`, barycentric coordinates `(N, 2)` or None, the hand's model, and the points `(N, 3)` to match."""

    theta: Any
    us: Any
    parents: list[int]
    relatives: Any
    inverses: Any
    positions: Any
    weights: Any
    triangles: Array
    mirrored: bool
    correspondences: Array
    points: Any


def convert(arrays: _Inputs, to: Callable[[Array], Any]) -> _Inputs:
    """Return the inputs with every array of floats given to `to`; indices stay NumPy's."""

    def is_floats(value: Any) -> bool:
        return isinstance(value, np.ndarray) and value.dtype == np.float64

    return arrays._replace(**{name: to(value) for name, value in arrays._asdict().items() if is_floats(value)})


def floats(values: Any, *shape: int) -> Array:
    """Return nested lists as float64, in the given shape."""
    array = np.array(values, np.float64)
    return array.reshape(shape) if shape else array


def gmm(given: Json) -> Gmm:
    """Return `gmm`'s arrays."""
    d, k, n = given["d"], given["k"], given["n"]
    return Gmm(
        alpha=floats(given["alpha"]),
        mu=floats(given["mu"], k, d),
        q=floats(given["q"], k, d),
        lower=floats(given["l"], k, d * (d - 1) // 2),
        x=floats(given["x"], n, d),
        gamma=given["gamma"],
        m=given["m"],
    )


def lstm(given: Json) -> Lstm:
    """Return `lstm`'s arrays."""
    return Lstm(*[floats(given[name]) for name in ("main_params", "extra_params", "state", "sequence")])


def ba(given: Json) -> Ba:
    """Return `ba`'s arrays: the one camera, point, weight and feature, copied."""
    n, m, p = given["n"], given["m"], given["p"]
    return Ba(
        cameras=np.tile(floats(given["cam"]), (n, 1)),
        points=np.tile(floats(given["x"]), (m, 1)),
        weights=np.full(p, float(given["w"])),
        features=np.tile(floats(given["feat"]), (p, 1)),
    )


def ht(given: Json) -> Ht:
    """Return `ht`'s arrays."""
    model = given["data"]["model"]
    return Ht(
        theta=floats(given["theta"]),
        us=floats(given["us"], -1, 2) if given["us"] else None,
        parents=model["parents"],
        relatives=floats(model["base_relatives"]),
        inverses=floats(model["inverse_base_absolutes"]),
        positions=floats(model["base_positions"]),
        weights=floats(model["weights"]),
        triangles=np.array(model["triangles"], np.intp).reshape(-1, 3),
        mirrored=model["is_mirrored"],
        correspondences=np.array(given["data"]["correspondences"], np.intp),
        points=floats(given["data"]["points"], -1, 3),
    )


class BaJacobian(NamedTuple):
    """A sparse matrix in compressed rows: where each row starts, the columns, and the values."""

    rows: Array
    cols: Array
    vals: Array


def ba_residuals_json(output: tuple[Array, Array]) -> Json:
    """Return the errors (2 numbers by observation) and weight errors as GradBench abbreviates them."""
    errors, weight_errors = output
    repeated = len(weight_errors)
    return {
        "reproj_error": {"elements": list(map(float, errors[0])), "repeated": repeated},
        "w_err": {"element": float(weight_errors[0]), "repeated": repeated},
    }


def ba_jacobian_json(jacobian: BaJacobian) -> Json:
    """Return the first 30 elements and the last one of each array."""
    return {name: [*values[:30].tolist(), values[-1].item()] for name, values in jacobian._asdict().items()}


def gmm_jacobian_json(parts: Sequence[Array]) -> Json:
    """Return the gradient's four parts by name."""
    return {name: np.asarray(part).tolist() for name, part in zip(("alpha", "mu", "q", "l"), parts, strict=True)}


def listed(output: Any) -> Any:
    """Return an array, or what can be made one, as nested lists."""
    return np.asarray(output).tolist()


def flat(parts: Sequence[Any]) -> list[float]:
    """Return all elements of several arrays in one list."""
    return [number for part in parts for number in np.ravel(np.asarray(part)).tolist()]
