"""What all tests share."""

import re
from collections.abc import Generator, Iterator

import numpy as np
import pytest
from matrices import KINDS, Make, maker

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


OLDER = tuple(map(int, np.__version__.split(".")[:2])) < (2, 3)
"""Whether this NumPy lacks names that the tests compare with."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip what an older NumPy has nothing to compare with."""
    try:
        return (yield)
    except AttributeError as error:
        if OLDER and re.match(r"module 'numpy[\w.]*' has no attribute", str(error)):
            pytest.skip(f"NumPy {np.__version__}: {error}")
        raise
