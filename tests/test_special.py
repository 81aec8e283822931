"""SciPy's special functions: every name is accounted for, values are SciPy's, derivatives agree with differences."""

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy
import scipy.special

import tapegrad as tf
from tapegrad import special
from tapegrad.special._refused import CONSTANT, REFUSED
from tapegrad.special._table import REASONS, ROWS
from tapegrad.testing import check_grads

ROOT = Path(__file__).resolve().parents[1]
KNOWN = "1.17"  # the release of SciPy whose names the tables account for
IS_KNOWN = scipy.__version__.startswith(f"{KNOWN}.")

UFUNCS = [row for row in ROWS.values() if hasattr(special, row.name)]
TOLERANCE = {"atol": 2e-5, "rtol": 2e-4}


def identify(row):
    return row.name


def free(row):
    """The numbers of the operands in which a ufunc is differentiable, but for its whole numbers."""
    return [
        k
        for k, (_, _, integer) in enumerate(row.domains)
        if not integer and any(partials[k] not in (None, "-") for partials in row.partials)
    ]


def sample(row, rng, size=2):
    values = [
        rng.integers(int(low), int(high) + 1, size) if integer else rng.uniform(low, high, size)
        for low, high, integer in row.domains
    ]
    if row.name.endswith("_cv") and len(values) > 3:  # the characteristic value belongs to the others
        values[3] = getattr(scipy.special, row.name[:3] + "_cv")(*values[:3])
    return values


def with_moving(row, values):
    """The function of the operands in which it is differentiable, the others being constant, and those operands."""
    function, places = getattr(special, row.name), free(row)

    def moving(*operands):
        given = list(values)
        for k, operand in zip(places, operands, strict=True):
            given[k] = operand
        return function(*given)

    return moving, [values[k] for k in places]


class TestNames:
    @pytest.mark.skipif(not IS_KNOWN, reason=f"the tables are for SciPy {KNOWN}")
    def test_every_name_is_accounted_for(self):
        # That module is there once some other library has imported it.
        names = {name for name in dir(scipy.special) if not name.startswith("_")} - {"cython_special"}
        here = [set(special.__all__), set(REFUSED), set(CONSTANT)]
        assert names == set().union(*here)
        assert sum(map(len, here)) == len(names), "a name is in two lists"

    @pytest.mark.skipif(not IS_KNOWN, reason=f"the tables are for SciPy {KNOWN}")
    def test_every_ufunc_has_a_line(self):
        ufuncs = {name for name in dir(scipy.special) if isinstance(getattr(scipy.special, name), np.ufunc)}
        assert ufuncs == set(ROWS)

    @pytest.mark.parametrize("row", UFUNCS, ids=identify)
    def test_lines_fit_their_ufuncs(self, row):
        ufunc = getattr(scipy.special, row.name)
        assert len(row.partials) == ufunc.nout
        assert {len(partials) for partials in row.partials} == {ufunc.nin} == {len(row.domains)}
        complex_loops = any(set(loop.split("->")[0]) & set("FD") for loop in ufunc.types)
        assert complex_loops or not row.holomorphic, "a rule for complex operands that it never has"

    def test_every_reason_is_used(self):
        assert {reason for row in UFUNCS for reason in row.reasons} - {None} == set(REASONS.values())

    @pytest.mark.parametrize("name", ["sph_harm_y", "lqn"])
    def test_refused_names_say_why(self, name):
        with pytest.raises(AttributeError, match="has no derivative rule in tapegrad: "):
            getattr(special, name)

    def test_other_names_say_why(self):
        with pytest.raises(AttributeError, match="has no argument to differentiate"):
            _ = special.jn_zeros
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            _ = special.nonsense

    @pytest.mark.skipif(not IS_KNOWN, reason=f"the page is for SciPy {KNOWN}")
    def test_the_page_is_current(self):
        spec = importlib.util.spec_from_file_location("make_special", ROOT / "docs" / "make_special.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.PAGE.read_text("utf-8") == module.page(), "run python docs/make_special.py"


class TestWithoutSciPy:
    def test_the_error_names_the_extra(self):
        code = "import sys; sys.modules['scipy'] = None; import tapegrad; tapegrad.special"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "ImportError: tapegrad.special needs SciPy: pip install tapegrad[scipy]" in run.stderr

    def test_tapegrad_does_not_import_scipy(self):
        code = "import sys, tapegrad; assert 'scipy' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_scipys_ufuncs_are_recorded_without_ado(self):
        code = (
            "import scipy.special, tapegrad as tf\n"
            "x = tf.Variable(2.0)\n"
            "with tf.GradientTape() as tape: y = scipy.special.expit(x)\n"
            "assert abs(float(tape.gradient(y, x)) - 0.104993585) < 1e-7"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("row", UFUNCS, ids=identify)
class TestUfuncs:
    def test_values_are_scipys(self, row, rng):
        ufunc, function = getattr(scipy.special, row.name), getattr(special, row.name)
        for dtype in (np.float64, np.float32):
            values = [v if v.dtype.kind == "i" else v.astype(dtype) for v in sample(row, rng, 5)]
            for call in (function, ufunc):
                found, expected = call(*map(tf.constant, values)), ufunc(*values)
                for f, e in zip(
                    found if ufunc.nout > 1 else [found], expected if ufunc.nout > 1 else [expected], strict=True
                ):
                    np.testing.assert_array_equal(f.numpy(), e)
                    assert f.dtype == e.dtype

    def test_differences(self, row, rng):
        function, operands = with_moving(row, sample(row, rng))
        if operands:
            check_grads(function, tuple(operands), order=2, modes=("reverse",), **TOLERANCE)
            check_grads(function, tuple(operands), order=1, modes=("forward", "batched"), **TOLERANCE)

    def test_broadcasting(self, row, rng):
        values = sample(row, rng, (2, 1))
        if len(free(row)) > 1:
            values[free(row)[-1]] = sample(row, rng, 3)[free(row)[-1]]
            function, operands = with_moving(row, values)
            check_grads(function, tuple(operands), order=1, modes=("reverse",), **TOLERANCE)

    def test_gradients_have_the_operands_type(self, row, rng):
        values = [v if v.dtype.kind == "i" else v.astype(np.float32) for v in sample(row, rng)]
        function, operands = with_moving(row, values)
        tensors = [tf.constant(operand) for operand in operands]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = function(*tensors)
        for g, tensor in zip(tape.gradient(y, tensors, unconnected_gradients="zero"), tensors, strict=True):
            assert g.dtype == tensor.dtype
            assert np.isfinite(g.numpy()).all()

    def test_operands_without_a_rule(self, row, rng):
        for k, reason in enumerate(row.reasons):
            values = [tf.constant(v, dtype=tf.float64) if j == k else v for j, v in enumerate(sample(row, rng))]
            if reason is None or all(loop[k] == "l" for loop in getattr(scipy.special, row.name).types):
                continue  # whole numbers are never watched
            with tf.GradientTape() as tape:
                tape.watch(values[k])
                with pytest.raises(TypeError, match=f"not differentiable in operand {k}"):
                    getattr(special, row.name)(*values)

    def test_complex_operands(self, row, rng):
        ufunc = getattr(scipy.special, row.name)
        if not any(set(loop.split("->")[0]) & set("FD") for loop in ufunc.types):
            return
        values = sample(row, rng)
        for k in free(row):
            values[k] = values[k] + 1j * rng.uniform(-0.4, 0.4, 2)
        function, operands = with_moving(row, values)
        if row.holomorphic:
            check_grads(function, tuple(operands), order=2, **TOLERANCE)
            return
        tensors = [tf.constant(operand) for operand in operands]
        with tf.GradientTape() as tape, pytest.raises(TypeError, match="complex values have no rule"):
            tape.watch(tensors)
            function(*tensors)


@pytest.mark.parametrize("name", ["gammasgn", "round"])
def test_steps(name):
    x = tf.Variable(1.7)
    with tf.GradientTape() as tape:
        y = getattr(special, name)(x)
    assert tape.gradient(y, x) is None


# Where a rule has to choose: the function, the operands, the expected gradient.
EDGES = [
    ("xlogy", (0.0, 0.0), (0.0, 0.0)),
    ("xlogy", (0.0, 2.0), (np.log(2.0), 0.0)),
    ("xlog1py", (0.0, -1.0), (0.0, 0.0)),
    ("rel_entr", (0.0, 0.0), (0.0, 0.0)),
    ("rel_entr", (0.0, 2.0), (-np.inf, 0.0)),
    ("kl_div", (0.0, 0.0), (0.0, 0.0)),
    ("kl_div", (2.0, 2.0), (0.0, 0.0)),
    ("entr", (0.0,), (np.inf,)),
    ("huber", (1.0, 1.0), (0.0, 1.0)),
    ("huber", (1.0, 0.0), (0.0, 0.0)),
    ("pseudo_huber", (0.0, 0.0), (0.0, 0.0)),
    ("pseudo_huber", (0.0, 2.0), (2.0, 0.0)),
    ("exprel", (0.0,), (0.5,)),
    ("boxcox", (2.0, 0.0), (0.5, 0.5 * np.log(2.0) ** 2)),
    ("inv_boxcox", (2.0, 0.0), (np.exp(2.0), -2.0 * np.exp(2.0))),
    ("powm1", (0.0, 2.0), (0.0, 0.0)),
    ("powm1", (2.0, 0.0), (0.0, np.log(2.0))),
    ("rgamma", (0.0,), (1.0,)),
    ("rgamma", (-2.0,), (2.0,)),
    ("gammainc", (2.0, 0.0), (0.0, 0.0)),
    ("gammainc", (1.0, 0.0), (0.0, 1.0)),
    ("gammainc", (0.5, 0.0), (0.0, np.inf)),
    ("gammainc", (2.0, np.inf), (0.0, 0.0)),
    ("gammaincc", (2.0, 0.0), (0.0, 0.0)),
    ("betainc", (2.0, 3.0, 0.0), (0.0, 0.0, 0.0)),
    ("betainc", (2.0, 1.0, 1.0), (0.0, 0.0, 2.0)),
    ("log_expit", (-1000.0,), (1.0,)),
    ("log_expit", (1000.0,), (0.0,)),
    ("expit", (40.0,), (scipy.special.expit(-40.0),)),
    ("log_ndtr", (-1e3,), (1000.000999998,)),
    ("log_ndtr", (1e3,), (0.0,)),
    ("j1", (0.0,), (0.5,)),
    ("i1", (0.0,), (0.5,)),
    ("berp", (0.0,), (0.0,)),
    ("beip", (0.0,), (0.5,)),
    ("spence", (1.0,), (-1.0,)),
    ("ellipk", (0.0,), (np.pi / 8,)),
    ("ellipe", (0.0,), (-np.pi / 8,)),
    ("agm", (1.0, 1.0), (0.5, 0.5)),
    ("elliprf", (1.0, 1.0, 1.0), (-1 / 6, -1 / 6, -1 / 6)),
    ("ellipkinc", (np.pi / 2, 0.0), (1.0, np.pi / 8)),
    ("owens_t", (0.0, 1.0), (-0.5 * 0.3989422804014327 * scipy.special.erf(0.0), 0.25 / np.pi)),
    ("kolmogorov", (-1.0,), (0.0,)),
    ("eval_legendre", (np.array(0), 0.3), (None, 0.0)),
    ("lambertw", (0.0,), (1.0,)),
    ("sinc", (0.0,), (0.0,)),
    ("logsumexp", (np.array([-np.inf, -np.inf]),), (np.array([0.0, 0.0]),)),
    ("logsumexp", (np.array([-np.inf, 0.0]),), (np.array([0.0, 1.0]),)),
    ("logsumexp", (np.array([np.inf, 0.0]),), (np.array([1.0, 0.0]),)),
]


@pytest.mark.parametrize(("name", "operands", "expected"), EDGES, ids=lambda value: str(value))
def test_edges(name, operands, expected):
    tensors = [tf.constant(x, dtype=tf.float64 if np.asarray(x).dtype.kind == "f" else None) for x in operands]
    for outer in (False, True):
        with tf.GradientTape(persistent=True) as recording:
            recording.watch([x for x in tensors if x.dtype.is_floating] if outer else tf.constant(0.0))
            with tf.GradientTape() as tape:
                tape.watch([x for x in tensors if x.dtype.is_floating])
                y = tf.math.real(getattr(special, name)(*tensors))
            found = tape.gradient(y, tensors)
        for f, e in zip(found, expected, strict=True):
            assert (f is None) == (e is None)
            if e is not None:
                np.testing.assert_allclose(f.numpy(), e, rtol=1e-12, atol=1e-300)


def test_functions_can_be_pickled():
    for name in ("gamma", "digamma", "jn"):
        assert pickle.loads(pickle.dumps(getattr(special, name))) is getattr(special, name)


def test_many_elements():
    """Derivatives by quadrature are computed in blocks, which fit together."""
    a = np.linspace(0.5, 3.0, 9001)
    x = tf.constant(np.linspace(0.1, 5.0, 9001))
    with tf.GradientTape() as tape:
        tape.watch(x)
        variable = tf.constant(a)
        tape.watch(variable)
        y = special.gammainc(variable, x)
    found = tape.gradient(y, variable).numpy()
    step = 1e-5
    differences = (scipy.special.gammainc(a + step, x) - scipy.special.gammainc(a - step, x)) / (2.0 * step)
    np.testing.assert_allclose(found, differences, rtol=1e-7, atol=1e-9)
