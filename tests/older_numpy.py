"""What the tests cannot compare with where NumPy is old: names that it lacks, and results that it has changed since.

tapegrad itself runs with every NumPy from 2.0 on. The tests hold it against the newest one, and with an older one leave
out what that has not got. `.ci/run` runs with NumPy 2.0 those of what meets NumPy itself, `nox -s oldest` all of them;
what is listed here must still be different there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator

import numpy as np
import pytest

VERSION = tuple(map(int, np.__version__.split(".")[:2]))

OLDEST, NEWER = (2, 0), (2, 3)
"""The oldest that is supported, and the first without such differences."""

DIFFERENCES = {
    r"test_array_api\.py::test_values\[(count_nonzero|reshape|take_along_axis)\]": "parameters and result types",
    r"test_numpy_coverage\.py::test_piecewise_constant.*\[count_nonzero\]": "it is a Python number",
    r"test_public_docstrings\.py::test_examples\[tapegrad\.numpy\.count_nonzero\]": "it is a Python number",
    r"test_numpy_coverage\.py::test_(nothing_is_forgotten|differentiable_functions_have)": "names that are gone by now",
    r"test_numpy_functions\.py::.*\[clip-2": "bounds have no names",
    r"test_numpy_functions\.py::test_values.*\[fft\.rfftn-0": "last bits",
    r"test_fourier\.py::test_(several_axes\[rfftn-real-(None|\(0, 1, 2\))|signal\[rfft3d)\]": "last bits",
    r"test_linalg_namespaces\.py::test_values_and_types.*\[cond-complex": "condition numbers are complex",
    r"test_linalg_norms\.py::test_cond\[complex-(fro|nuc|1|-1|inf|-inf)\]": "condition numbers are complex",
    r"test_numpy_statistics\.py::test_weighted_quantiles": "wrong for some weights",
}
"""Patterns of tests that fail with the oldest NumPy, and why."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect what is listed to fail."""
    if VERSION >= NEWER:
        return
    for item in items:
        for pattern, reason in DIFFERENCES.items():
            if re.search(pattern, item.nodeid):
                # What the last bits are depends on the processor, too.
                strict = VERSION == OLDEST and reason != "last bits"
                item.add_marker(pytest.mark.xfail(reason=f"NumPy {np.__version__}: {reason}", strict=strict))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip what needs a name that NumPy lacks."""
    try:
        return (yield)
    except AttributeError as error:
        found = re.match(r"module '(?:tapegrad\.)?(numpy[\w.]*)' has no attribute '(\w+)'", str(error))
        if VERSION < NEWER and found and not hasattr(sys.modules[found[1]], found[2]):
            pytest.skip(f"NumPy {np.__version__}: {error}")
        raise
