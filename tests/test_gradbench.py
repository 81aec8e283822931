"""GradBench's evals give what independent references give."""

import importlib
import json

import numpy as np
import pytest

import tapegrad as tf
from bench.gradbench import inputs, references
from bench.gradbench.data import EVALS
from bench.gradbench.evals import ba, gmm, ht, solver
from bench.gradbench.reference_models import ba_errors
from bench.gradbench.references import STEP, expected, worst_error

ONCE = {"min_runs": 1, "min_seconds": 0}
TINY = [
    (name, function, given)
    for name, eval_ in EVALS.items()
    for _, given in eval_.inputs("tiny")
    for function in (*([eval_.primal] if eval_.primal else []), *eval_.gradients)
]


def answer(name, function, given):
    timed = getattr(importlib.import_module(f"bench.gradbench.evals.{name}"), function)
    return timed.wrapped({**given, **ONCE} if isinstance(given, dict) else given)


# The evals.


@pytest.mark.parametrize(
    ("name", "function", "given"), TINY, ids=[f"{name}-{f}-{k}" for k, (name, f, _) in enumerate(TINY)]
)
def test_eval_gives_the_reference(name, function, given):
    result = answer(name, function, given)
    json.dumps(result)
    assert worst_error(expected(name, function, given), result["output"]) < 1e-11
    assert [timing["name"] for timing in result["timings"]] == ["evaluate"]


def test_saddle_gives_the_known_point():
    given = next(EVALS["saddle"].inputs("small"))[1]
    assert answer("saddle", "rr", given)["output"] == pytest.approx([8.246e-6] * 4, abs=1e-8)


def test_particle_gives_the_known_number():
    known = pytest.approx(0.2071918746486116, rel=1e-12)
    assert answer("particle", "rr", {"w": 0.0})["output"] == known
    assert expected("particle", "rr", {"w": 0.0}) == known


@pytest.mark.parametrize("outer", "rf")
@pytest.mark.parametrize("inner", "rf")
def test_gradients_of_gradients_in_all_modes(outer, inner):
    def cubic(x):
        return x[0] * x[0] * x[1] + 1.0 / x[1]

    def first_slope_squared(x):
        slope = solver.gradient_of(inner)(cubic, x)[0]
        return slope * slope

    x = [tf.constant(number, tf.float64) for number in (2.0, 3.0)]
    # The slope is 2 x y, its square 4 x^2 y^2.
    gradient = solver.gradient_of(outer)(first_slope_squared, x)
    assert [float(part) for part in gradient] == [pytest.approx(8 * 2 * 9), pytest.approx(8 * 4 * 3)]


def test_solver_stops_at_its_precision():
    (x,) = solver.argmin(lambda x: (x[0] - 3.0) * (x[0] - 3.0), solver.reverse, [tf.constant(2.0, tf.float64)])
    assert float(x) == pytest.approx(3.0, abs=1e-5)
    (x,) = solver.argmax(lambda x: -(x[0] * x[0]), solver.reverse, [tf.constant(4e-6, tf.float64)])
    assert float(x) == 4e-6


def test_ba_jacobian_of_different_observations():
    # GradBench copies one camera, so whatever mixes observations up would go unnoticed.
    random = np.random.default_rng(7)
    n, m, p = 3, 4, 5
    cameras = np.concatenate([random.normal(0, 0.4, (n, 6)), random.normal(1, 0.1, (n, 5))], 1)
    points = np.concatenate([random.normal(0, 0.5, (m, 2)), random.normal(4, 0.5, (m, 1))], 1)
    weights, features = random.random(p), random.normal(size=(p, 2))
    everything = np.concatenate([cameras.ravel(), points.ravel(), weights])

    def residuals(z):
        cams, spots, ws = z[: 11 * n].reshape(n, 11), z[11 * n : 11 * n + 3 * m].reshape(m, 3), z[11 * n + 3 * m :]
        errors = [ba_errors(cams[i % n], spots[i % m], ws[i], features[i]) for i in range(p)]
        return np.concatenate([*errors, 1 - ws**2])

    jacobian = ba.jacobian(inputs.Ba(*map(tf.constant, (cameras, points, weights, features))))
    dense = np.zeros((3 * p, everything.size))
    for row in range(3 * p):
        here = slice(jacobian.rows[row], jacobian.rows[row + 1])
        np.add.at(dense[row], jacobian.cols[here], jacobian.vals[here])
    steps = everything + 1j * STEP * np.eye(everything.size)
    np.testing.assert_allclose(dense, np.array([residuals(z).imag for z in steps]).T / STEP, rtol=1e-11, atol=1e-12)
    assert jacobian.rows[-1] == len(jacobian.cols) == len(jacobian.vals) == 31 * p


def test_ba_without_rotation():
    # Then Xc = Xo + r x Xo to first order, and nothing may be nan.
    camera = np.array([[0.0, 0.0, 0.0, 0.1, 0.2, 0.3, 1.5, 0.0, 0.0, 0.0, 0.0]])
    point = np.array([[0.4, 0.5, 2.3]])
    data = inputs.Ba(*map(tf.constant, (camera, point, np.ones(1), np.zeros((1, 2)))))
    x, y, z = point[0] - camera[0, 3:6]
    np.testing.assert_allclose(ba.objective(data)[0].numpy(), [[1.5 * x / z, 1.5 * y / z]])
    by_rotation = ba.jacobian(data).vals[:30].reshape(2, 15)[:, :3]
    slopes = [[-x * y / z**2, 1 + x * x / z**2, -y / z], [-1 - y * y / z**2, x * y / z**2, x / z]]
    np.testing.assert_allclose(by_rotation, 1.5 * np.array(slopes), rtol=1e-12)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [0.0, 1.0])
@pytest.mark.parametrize("complicated", [False, True])
def test_ht_mirrored_and_unturned(mirrored, turn, complicated):
    given = EVALS["ht"].generate(vertices=6, points=3, complicated=complicated)
    given["data"]["model"]["is_mirrored"] = mirrored
    given["theta"][:3] = [turn * 0.3, 0.0, turn * 0.1]
    for function in ("objective", "jacobian"):
        output = getattr(ht, function).wrapped({**given, **ONCE})["output"]
        assert worst_error(expected("ht", function, given), output) < 1e-12


def test_gmm_with_a_prior():
    given = {**EVALS["gmm"].generate(d=3, k=2, n=4), "m": 2, "gamma": 0.7}
    for function in ("objective", "jacobian"):
        output = getattr(gmm, function).wrapped({**given, **ONCE})["output"]
        assert worst_error(expected("gmm", function, given), output) < 1e-12


# The references and what compares with them.


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        (2.0, 2.0, 0.0),
        ([1.0, 4.0], [1.0, 4.004], 1e-3),
        ({"a": [1.0], "b": [[2.0]]}, {"a": [1.0], "b": [[2.2]]}, 0.1),
        ([0.0], [0.0], 0.0),
        ([], [], 0.0),
        ([1.0, 2.0], [1.0], np.inf),
        ([1.0], 1.0, np.inf),
        ({"a": 1.0}, {"b": 1.0}, np.inf),
        ({"a": 1.0}, [1.0], np.inf),
        ([1.0], [float("nan")], np.inf),
        ([1.0], [None], np.inf),
        ([1.0], ["x"], np.inf),
    ],
)
def test_worst_error(first, second, error):
    assert worst_error(first, second) == pytest.approx(error)


@pytest.mark.parametrize(
    "name", [name for name, eval_ in EVALS.items() if eval_.primal and name not in ("hello", "kmeans")]
)
def test_reference_gradients_agree_with_reference_values(name):
    # Central differences of the references' own values, along one direction: closed forms are not trusted either.
    key = {
        "lse": "x",
        "llsq": "x",
        "ode": "x",
        "det": "A",
        "gmm": "mu",
        "lstm": "main_params",
        "ba": "cam",
        "ht": "theta",
    }[name]
    eval_ = EVALS[name]
    _, given = next(eval_.inputs("tiny"))
    start = np.array(given[key])
    direction = np.random.default_rng(3).normal(size=start.shape)

    def value(step):
        output = references.expected(name, eval_.primal, {**given, key: (start + step * direction).tolist()})
        if name == "ode":
            return np.array(output[-1])
        return np.array(output["reproj_error"]["elements"] if name == "ba" else output)

    slope = (value(1e-6) - value(-1e-6)) / 2e-6
    gradient = references.expected(name, eval_.gradients[0], given)
    if name == "ba":
        along = np.reshape(gradient["vals"][:30], (2, 15))[:, :11] @ direction
    elif name == "ht":
        along = np.array(gradient) @ direction
    elif name == "gmm":
        along = np.sum(np.array(gradient["mu"]) * direction)
    else:
        along = np.ravel(gradient)[: start.size] @ direction.ravel()
    np.testing.assert_allclose(along, slope, rtol=1e-6, atol=1e-8)
