"""What all tests share."""

import numpy as np
import pytest
from matrices import KINDS, Make, maker


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    """A function that makes random arrays of given shapes: real ones, and in another run of the test complex ones."""
    return maker(request.param)
