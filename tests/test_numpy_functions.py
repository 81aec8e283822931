"""NumPy's functions of tensors: values bit for bit, gradients against central differences, on every way in."""

import warnings

import numpy as np
import pytest
from numpy_samples import SAMPLES, Sample
from numpy_samples_more import MORE

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad import nest
from tapegrad._native import is_watched

CASES = [
    pytest.param(sample, id=f"{name}-{k}")
    for name, samples in {**SAMPLES, **MORE}.items()
    for k, sample in enumerate(samples)
]


def is_inexact(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


def expected(sample: Sample) -> list[np.ndarray]:
    """NumPy's own results."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = sample.call(np, *[np.array(x, order="C") if is_inexact(x) else x for x in sample.args])
    return [np.asarray(part) for part in (result if isinstance(result, (tuple, list)) else [result])]


def assert_same(results: object, sample: Sample) -> None:
    parts = list(results) if isinstance(results, (tuple, list)) else [results]
    reference = expected(sample)
    assert len(parts) == len(reference)
    for part, right in zip(parts, reference, strict=True):
        assert isinstance(part, tf.Tensor)
        assert part.dtype == right.dtype
        assert part.shape == right.shape
        assert part.numpy().tobytes() == right.tobytes()


@pytest.mark.parametrize("namespace", [np, tnp], ids=["numpy", "tapegrad.numpy"])
@pytest.mark.parametrize("sample", CASES)
def test_values_are_numpys_when_recorded(sample, namespace):
    args = [tf.constant(x) if is_inexact(x) else x for x in sample.args]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x for x in args if isinstance(x, tf.Tensor)])
        result = sample.call(namespace, *args)
        assert any(is_watched(part) for part in nest.flatten(result))
    assert_same(result, sample)


@pytest.mark.parametrize("sample", CASES)
def test_values_are_numpys_when_nothing_records(sample):
    args = [tf.constant(x) if is_inexact(x) else x for x in sample.args]
    assert_same(sample.call(np, *args), sample)


@pytest.mark.parametrize("sample", CASES)
def test_gradients(sample):
    tf.testing.check_grads(lambda *args: sample.call(np, *args), sample.args, order=2)
