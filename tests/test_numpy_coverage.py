"""NumPy's namespaces are covered: every function is classified, and is what the classification says."""

import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest
from numpy_samples import SAMPLES
from numpy_samples_more import MORE

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad import nest
from tapegrad._native import is_watched

_GENERATOR = Path(__file__).resolve().parents[1] / "docs" / "make_numpy_coverage.py"
_SPEC = importlib.util.spec_from_file_location("make_numpy_coverage", _GENERATOR)
coverage = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(coverage)

FUNCTIONS = [
    (namespace, name, function)
    for namespace, module in coverage.NAMESPACES.items()
    for name, function in coverage.public_functions(module)
]


def named(status):
    """The functions of a status, as (qualified name, function)."""
    found = []
    for namespace, name, function in FUNCTIONS:
        try:
            row = coverage.row_of(name, function)
        except KeyError:
            continue
        if row.status == status:
            found.append((f"{namespace}.{name}".removeprefix("numpy."), function))
    return found


def test_nothing_is_forgotten():
    forgotten = []
    for namespace, name, function in FUNCTIONS:
        try:
            coverage.row_of(name, function)
        except KeyError:
            forgotten.append(f"{namespace}.{name}")
    assert not forgotten


SINCE_2_5 = np.lib.NumpyVersion(np.__version__) >= "2.5.0"


def test_nothing_is_listed_that_does_not_exist():
    names = {name for _, name, _ in FUNCTIONS}
    if SINCE_2_5:
        names.add("row_stack")  # has gone
    assert not [name for name in coverage.OUTSIDE if name not in names]


@pytest.mark.skipif(
    SINCE_2_5 or np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="the page lists the functions of NumPy 2.4"
)
def test_the_page_is_up_to_date():
    assert coverage.PAGE.read_text("utf-8") == coverage.page(), f"run python docs/{_GENERATOR.name}"


def test_differentiable_functions_have_samples():
    """The samples are checked in test_numpy_functions.py: values, gradients, and that they are recorded."""
    tables = {**SAMPLES, **MORE}
    missing = [
        name
        for name, function in named(coverage.DIFFERENTIABLE)
        if not isinstance(function, np.ufunc) and name not in tables and name not in coverage.OUTSIDE
    ]
    assert not missing


X = np.array([[0.7, 1.3, 0.4], [2.1, 0.9, 1.7]])
V = np.array([0.7, 1.3, 0.4])
COUNTS = np.array([1, 0, 2])

# How functions are called that do not take one array of floating numbers.
CALLS = {
    "argpartition": (V, 1),
    "digitize": (V, [0.5, 1.0]),
    "histogram": (V,),
    "isclose": (V, 0.7),
    "isin": (V, [0.7]),
    "lexsort": ((V, V),),
    "packbits": (COUNTS,),
    "ravel_multi_index": ((COUNTS,), 3),
    "searchsorted": (V, 0.5),
    "tril_indices_from": (X,),
    "triu_indices_from": (X,),
    "diag_indices_from": (X[:, :2],),
    "unpackbits": (COUNTS.astype(np.uint8),),
    "unravel_index": (COUNTS, (2, 2)),
    "linalg.matrix_rank": (X,),
    "full_like": (V, 1.5),
}


def watched(tape, values):
    """The arrays of floating numbers in a structure as watched tensors, the others as tensors."""

    def one(leaf):
        if not isinstance(leaf, np.ndarray):
            return leaf
        x = tf.constant(leaf)
        if leaf.dtype.kind in "fc":
            tape.watch(x)
        return x

    return nest.map_structure(one, values)


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # by newer releases of NumPy
@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(*case, id=case[0]) for case in named(coverage.STEPS) if not isinstance(case[1], np.ufunc)],
)
def test_piecewise_constant_functions_are_on_no_tape(name, function):
    args = CALLS.get(name, (V,))
    with tf.GradientTape() as tape:
        result = function(*watched(tape, args))
        parts = nest.flatten(result)
        assert not any(map(is_watched, parts))
    for part, right in zip(parts, nest.flatten(function(*args)), strict=True):
        assert isinstance(part, tf.Tensor)
        assert part.dtype == right.dtype
        if not name.startswith("empty"):
            np.testing.assert_array_equal(part, right, strict=True)


# How functions without a rule are called, where that is not with one tensor.
REFUSED_CALLS = {
    "bmat": lambda x: np.bmat([[x]]),
    "frompyfunc": lambda x: np.frompyfunc(abs, 1, 1)(x),
    "full": lambda x: np.full(3, x),
    "kaiser": lambda x: np.kaiser(3, x),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(("name", "function"), [pytest.param(*case, id=case[0]) for case in named(coverage.REFUSAL)])
def test_refused_functions_raise(name, function):
    with tf.GradientTape() as tape:
        x = tf.constant(1.5 if name in ("arange", "full", "kaiser") else V)
        tape.watch(x)
        with pytest.raises(TypeError, match=r"derivative rule in tapegrad|leave the tape"):
            REFUSED_CALLS.get(name, function)(x)


# Tensors hold no dates.
DATES = ("busday_count", "busday_offset", "datetime_as_string", "is_busday")


def parameters(function):
    return [(p.name, p.kind, repr(p.default)) for p in inspect.signature(function).parameters.values()]


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="signatures change with NumPy's versions")
@pytest.mark.parametrize(
    ("name", "function"),
    [
        pytest.param(f"{namespace}.{name}".removeprefix("numpy."), function, id=f"{namespace}.{name}")
        for namespace, name, function in FUNCTIONS
        if isinstance(function, (type(np.sum), np.ufunc)) and name not in DATES
    ],
)
def test_the_namespace_has_it_with_numpys_signature(name, function):
    own = tnp
    for part in name.split("."):
        own = getattr(own, part)
    if isinstance(function, np.ufunc):
        assert own.ufunc is function
    else:
        later = {"descending"} if SINCE_2_5 and name == "sort" else set()
        assert parameters(own) == [p for p in parameters(function) if p[0] not in later]


def parts_of(result):
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(result, dict):
        result = list(result.values())
    return [part for element in result for part in parts_of(element)] if isinstance(result, (list, tuple)) else [result]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "function",
    [
        pytest.param(function, id=f"{namespace}.{name}")
        for namespace, name, function in FUNCTIONS
        if isinstance(function, type(np.sum)) and function not in coverage.UNRELATED
    ],
)
def test_a_watched_value_never_becomes_an_array(function):
    """However a function is called: it returns tensors, or raises."""
    with tf.GradientTape() as tape:
        v, m, s = (tf.constant(x) for x in (V, np.diag(V), 1.5))
        tape.watch([v, m, s])
        for args in [(v,), (m,), (s,), (m, v), (v, m), (v, 1), (v, V), ([v, v],), ([v, V], 1), ([v], v), (v, [0], v)]:
            try:
                result = function(*args)
            except Exception:  # whatever it says: these calls are not all meant for it
                continue
            arrays = [part for part in parts_of(result) if isinstance(part, (np.ndarray, np.generic))]
            assert all(part is V for part in arrays)  # given as `out=` to a piecewise constant function
