"""`tf.math`: its names, arithmetic under TensorFlow's names, counts, running log-sums, special functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

X = np.array([[1.0, -2.0, 0.5], [3.0, 700.0, 2.0]])

# The public names of TensorFlow 2.21's tf.math but for approx_max_k, approx_min_k and sobol_sample.
NAMES = """
abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh bessel_i0 bessel_i0e bessel_i1
bessel_i1e betainc bincount ceil confusion_matrix conj cos cosh count_nonzero cumprod cumsum cumulative_logsumexp
digamma divide divide_no_nan equal erf erfc erfcinv erfinv exp expm1 floor floordiv floormod greater greater_equal
igamma igammac imag in_top_k invert_permutation is_finite is_inf is_nan is_non_decreasing is_strictly_increasing
l2_normalize lbeta less less_equal lgamma log log1p log_sigmoid log_softmax logical_and logical_not logical_or
logical_xor maximum minimum mod multiply multiply_no_nan ndtri negative nextafter not_equal polygamma polyval pow
real reciprocal reciprocal_no_nan reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp reduce_max
reduce_mean reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt scalar_mul segment_max
segment_mean segment_min segment_prod segment_sum sigmoid sign sin sinh softmax softplus softsign special sqrt
square squared_difference subtract tan tanh top_k truediv unsorted_segment_max unsorted_segment_mean
unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum xdivy xlog1py xlogy
zero_fraction zeta
""".split()  # noqa: SIM905
SPECIAL_NAMES = """
bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 bessel_k0 bessel_k0e bessel_k1 bessel_k1e bessel_y0
bessel_y1 dawsn expint fresnel_cos fresnel_sin spence
""".split()  # noqa: SIM905


def test_tensorflows_names_are_there() -> None:
    assert [name for name in NAMES if name not in tf.math.__all__] == []
    assert sorted(tf.math.special.__all__) == SPECIAL_NAMES
    assert [name for name in tf.math.__all__ if not hasattr(tf.math, name)] == []
    assert len(set(tf.math.__all__)) == len(tf.math.__all__)


def test_parameters_have_tensorflows_names() -> None:
    assert float(tf.atan2(y=1.0, x=0.0)) == pytest.approx(math.pi / 2)
    assert tf.math.atan2 is tf.atan2
    assert float(tf.math.pow(x=2.0, y=3.0)) == 8.0
    assert float(tf.subtract(x=2.0, y=3.0, name="difference")) == -1.0


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: tf.math.floormod(-3.0, 2.0), 1.0),
        (lambda: tf.truncatemod(-3.0, 2.0), -1.0),
        (lambda: tf.math.floordiv(-7, 2), -4),
        (lambda: tf.truncatediv(-7, 2), -3),
        (lambda: tf.truncatediv(-7.5, 2.0), -3.0),
        (lambda: tf.truncatediv(2**62 + 1, 1), 2**62 + 1),
        (lambda: tf.realdiv(7.0, 2.0), 3.5),
        (lambda: tf.math.multiply_no_nan([1.0, math.nan], [2.0, 0.0]), [2.0, 0.0]),
        (lambda: tf.math.xlog1py([0.0, 2.0], [-1.0, 0.0]), [0.0, 0.0]),
        (lambda: tf.math.is_finite([1.0, math.inf, math.nan]), [True, False, False]),
        (lambda: tf.math.is_inf([1.0, math.inf, math.nan]), [False, True, False]),
        (lambda: tf.math.is_nan([1.0, math.inf, math.nan]), [False, False, True]),
        (lambda: tf.math.polyval([1.0, 2.0, 3.0], [2.0, 0.0]), [11.0, 3.0]),
        (lambda: tf.math.polyval([], [2.0, 1.0]), [0.0, 0.0]),
        (lambda: tf.math.l2_normalize([[3.0, 4.0], [0.0, 0.0]], axis=-1), [[0.6, 0.8], [0.0, 0.0]]),
        (lambda: tf.math.l2_normalize([3.0, 4.0], dim=0), [0.6, 0.8]),
        (lambda: tf.math.l2_normalize([0.3, 0.4], epsilon=1.0), [0.3, 0.4]),
        (lambda: tf.math.accumulate_n([[1, 2], [3, 4]]), [4, 6]),
        (lambda: tf.math.zero_fraction([0, 1, 0, 3]), 0.5),
        (lambda: tf.math.zero_fraction([]), math.nan),
        (lambda: tf.math.reduce_mean([1, 2, 4]), 2),
        (lambda: tf.math.softmax([[1.0, 1.0]]), [[0.5, 0.5]]),
        (lambda: tf.math.log_softmax([[0.0], [0.0]], axis=0), [[-math.log(2)]] * 2),
    ],
)
def test_values(call: Callable[[], Any], expected: Any) -> None:
    np.testing.assert_allclose(call(), expected, rtol=1e-6)


def test_numbers_beside_float64_lose_no_digits() -> None:
    x = np.array([0.5])
    assert float(tf.math.polyval([0.1, 0.0], x)[0]) == 0.1 * 0.5
    assert float(tf.math.l2_normalize(x * 0, epsilon=0.1)[0]) == 0.0


GRADIENTS: dict[str, Callable[[Any], Any]] = {
    "atan2": lambda x: tf.atan2(y=x[0], x=x[1]),
    "rsqrt": lambda x: tf.math.rsqrt(x * x + 1.0),
    "reciprocal_no_nan": tf.math.reciprocal_no_nan,
    "polyval": lambda x: tf.math.polyval([x[0, 0], x[0], 2.0], x[1] / 700.0),
    "l2_normalize": lambda x: tf.math.l2_normalize(x, axis=1),
    "l2_normalize of complex numbers": lambda x: tf.abs(tf.math.l2_normalize(tf.complex(x, x[::-1])) + 1.0),
    "truncatemod": lambda x: tf.truncatemod(x, 1.7),
    "weights of bincount": lambda x: tf.math.bincount([[0, 2, 2], [0, 2, 1]], weights=x, minlength=4),
    "weights of a confusion matrix": lambda x: tf.math.confusion_matrix([0, 2, 2], [1, 0, 0], 3, x[0], tf.float64),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str) -> None:
    check_grads(lambda x: GRADIENTS[name](x) ** 2, (X,), rtol=1e-4)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_cumulative_logsumexp(axis: int, exclusive: bool, reverse: bool) -> None:
    result = tf.math.cumulative_logsumexp(X, axis, exclusive, reverse)
    lines = np.moveaxis(np.flip(X, axis) if reverse else X, axis, -1)
    reference = np.logaddexp.accumulate(lines, -1)
    if exclusive:
        reference = np.concatenate([np.full((len(lines), 1), -np.inf), reference[:, :-1]], -1)
    reference = np.moveaxis(reference, -1, axis)
    np.testing.assert_array_equal(result, np.flip(reference, axis) if reverse else reference, strict=True)

    def finite(x: Any) -> Any:
        y = tf.math.cumulative_logsumexp(x, axis, exclusive, reverse)
        return tf.where(y == -np.inf, 0.0, tf.sin(y))

    check_grads(finite, (X,))


def test_cumulative_logsumexp_of_nothing_and_of_minus_infinity() -> None:
    x = tf.constant([-np.inf, -np.inf, 1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.math.cumulative_logsumexp(x)
    np.testing.assert_allclose(y, [-np.inf, -np.inf, 1.0, 2.3132617], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(y, x), [0.0, 0.0, 1.26894142, 0.73105858], rtol=1e-6)
    assert tf.math.cumulative_logsumexp([[], []], axis=1).shape == (2, 0)
    assert tf.math.cumulative_logsumexp([1, 2]).dtype is tf.float64


def test_bincount() -> None:
    counts = tf.math.bincount([1, 1, 3])
    np.testing.assert_array_equal(counts, np.array([0, 2, 0, 1], np.int32), strict=True)
    rows = [[1, 1], [3, 0]]
    for settings, expected in [
        ({"minlength": 6}, [0, 2, 0, 1, 0, 0]),
        ({"maxlength": 2}, [0, 2]),
        ({"dtype": tf.float32}, [0.0, 2.0, 0.0, 1.0]),
        ({"weights": [0.5, 1.0, 2.0]}, [0.0, 1.5, 0.0, 2.0]),
        ({"weights": [0.5, 1.0, 2.0], "maxlength": 3}, [0.0, 1.5, 0.0]),
        ({"binary_output": True}, [0, 1, 0, 1]),
    ]:
        assert tf.math.bincount([1, 1, 3], **settings).numpy().tolist() == expected
    assert tf.math.bincount(rows).numpy().tolist() == [1, 2, 0, 1]
    assert tf.math.bincount(rows, axis=-1).numpy().tolist() == [[0, 2, 0, 0], [1, 0, 0, 1]]
    assert tf.math.bincount(rows, axis=-1, binary_output=True).numpy().tolist() == [[0, 1, 0, 0], [1, 0, 0, 1]]
    assert tf.math.bincount(rows, axis=-1, weights=[[1.0, 2.0], [3.0, 4.0]], maxlength=2).numpy().tolist() == [
        [0.0, 3.0],
        [4.0, 0.0],
    ]
    assert tf.math.bincount([]).shape == (0,)


def test_confusion_matrix() -> None:
    matrix = tf.math.confusion_matrix([1, 2, 4], [2, 2, 4])
    expected = np.zeros((5, 5), np.int32)
    expected[[1, 2, 4], [2, 2, 4]] = 1
    np.testing.assert_array_equal(matrix, expected, strict=True)
    weighted = tf.math.confusion_matrix([1, 1], [0, 0], 2, weights=[0.5, 2.0], dtype=tf.float32)
    np.testing.assert_array_equal(weighted, [[0.0, 0.0], [2.5, 0.0]])


# Values at float64 by mpmath.
SPECIAL: dict[str, tuple[Callable[[], Any], float]] = {
    "lgamma": (lambda: tf.math.lgamma(np.float64(-1.5)), 0.8600470153764810),
    "digamma": (lambda: tf.math.digamma(np.float64(0.3)), -3.5025242222001332),
    "polygamma": (lambda: tf.math.polygamma(np.float64(2.0), np.float64(3.0)), -0.15411380631918858),
    "zeta": (lambda: tf.math.zeta(x=np.float64(2.5), q=np.float64(1.5)), 0.5902563850764311),
    "lbeta": (lambda: tf.math.lbeta(np.array([1.0, 2.0, 3.0])), -4.0943445622221007),
    "betainc": (lambda: tf.math.betainc(a=2.0, b=3.0, x=np.float64(0.3)), 0.3483),
    "igamma": (lambda: tf.math.igamma(a=2.0, x=np.float64(3.0)), 0.80085172652854419),
    "igammac": (lambda: tf.math.igammac(a=2.0, x=np.float64(3.0)), 0.19914827347145581),
    "erfinv": (lambda: tf.math.erfinv(np.float64(0.3)), 0.27246271472675436),
    "erfcinv": (lambda: tf.math.erfcinv(np.float64(0.3)), 0.73286907795921685),
    "ndtri": (lambda: tf.math.ndtri(np.float64(0.3)), -0.52440051270804083),
    "bessel_i0": (lambda: tf.math.bessel_i0(np.float64(1.5)), 1.6467231897728904),
    "bessel_i0e": (lambda: tf.math.bessel_i0e(np.float64(1.5)), 0.36743360905415834),
    "bessel_i1": (lambda: tf.math.bessel_i1(np.float64(1.5)), 0.98166642857790758),
    "bessel_i1e": (lambda: tf.math.bessel_i1e(np.float64(1.5)), 0.21903938742092217),
    "bessel_j0": (lambda: tf.math.special.bessel_j0(np.float64(1.5)), 0.51182767173591813),
    "bessel_j1": (lambda: tf.math.special.bessel_j1(np.float64(1.5)), 0.55793650791009964),
    "bessel_k0": (lambda: tf.math.special.bessel_k0(np.float64(1.5)), 0.21380556264752574),
    "bessel_k0e": (lambda: tf.math.special.bessel_k0e(np.float64(1.5)), 0.95821005329496374),
    "bessel_k1": (lambda: tf.math.special.bessel_k1(np.float64(1.5)), 0.27738780045684382),
    "bessel_k1e": (lambda: tf.math.special.bessel_k1e(np.float64(1.5)), 1.2431658735525529),
    "bessel_y0": (lambda: tf.math.special.bessel_y0(np.float64(1.5)), 0.38244892379775884),
    "bessel_y1": (lambda: tf.math.special.bessel_y1(np.float64(1.5)), -0.41230862697391130),
    "dawsn": (lambda: tf.math.special.dawsn(np.float64(1.5)), 0.42824907108539863),
    "expint": (lambda: tf.math.special.expint(np.float64(1.5)), 3.3012854491297978),
    "fresnel_cos": (lambda: tf.math.special.fresnel_cos(np.float64(1.5)), 0.44526117603982163),
    "fresnel_sin": (lambda: tf.math.special.fresnel_sin(np.float64(1.5)), 0.69750496008209301),
    "spence": (lambda: tf.math.special.spence(np.float64(1.5)), -0.44841420692364620),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name: str) -> None:
    call, expected = SPECIAL[name]
    result = call()
    assert isinstance(result, tf.Tensor)
    assert result.dtype is tf.float64
    assert float(result) == pytest.approx(expected, rel=1e-13)


def test_special_functions_are_recorded() -> None:
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = tf.math.lgamma(x) + tf.math.special.bessel_j0(x)
    assert y.dtype is tf.float32
    assert float(tape.gradient(y, x)) == pytest.approx(0.92278434 - 0.33905896, rel=1e-6)
    check_grads(lambda x: tf.math.lbeta(x), (np.array([[1.0, 2.5], [0.7, 3.0]]),))


def test_special_numbers_beside_float64_lose_no_digits() -> None:
    x = np.array([0.7])
    exact = tf.math.igamma(np.float64(0.1), x)
    assert float(tf.math.igamma(0.1, x)[0]) == float(exact[0])
    assert tf.math.igamma(2.0, 3.0).dtype is tf.float32


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tf.math.polyval(2.0, 2.0), ValueError, "Argument coeffs must be list type"),
        (lambda: tf.scalar_mul([1.0], [1.0]), ValueError, r"must be a scalar, not of shape \(1,\)"),
        (lambda: tf.math.accumulate_n([[1, 2]], shape=[3]), ValueError, r"\(3,\) and \(2,\) are not compatible"),
        (lambda: tf.math.accumulate_n([[1, 2]], tensor_dtype=tf.float32), TypeError, "`tensor_dtype` argument is"),
        (lambda: tf.math.bincount([-1]), ValueError, "must not be negative"),
        (lambda: tf.math.bincount([1], weights=[1.0, 2.0]), ValueError, r"weights of shape \(2,\) for .* \(1,\)"),
        (lambda: tf.math.bincount([1], axis=3), ValueError, "the axis is 0 or -1, not 3"),
        (lambda: tf.math.bincount([1], weights=[1.0], binary_output=True), ValueError, "has no weights"),
        (lambda: tf.math.confusion_matrix([1], [0, 1]), ValueError, "1 labels, but 2 predictions"),
        (lambda: tf.math.confusion_matrix([1], [2], 2), ValueError, "must be between 0 and 1"),
        (lambda: tf.math.cumulative_logsumexp(1.0), ValueError, "cumulative_logsumexp: axis 0 is out of bounds"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
