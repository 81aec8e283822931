"""What all tests share."""

from collections.abc import Iterator

import numpy as np
import pytest
from matrices import KINDS, Make, maker
from older_numpy import pytest_collection_modifyitems, pytest_runtest_call  # noqa: F401 (hooks of pytest)

import tapegrad as tf

# What they assert is explained as in the tests themselves.
pytest.register_assert_rewrite("against_numpy", "shared", "ufuncs")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    """A function that makes random arrays of given shapes: real ones, and in another run of the test complex ones."""
    return maker(request.param)


@pytest.fixture
def tape() -> Iterator[tf.GradientTape]:
    """A persistent tape that records during the test."""
    with tf.GradientTape(persistent=True) as recording:
        yield recording
