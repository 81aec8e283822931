"""The build of the extension; what it needs is in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import tapegrad

setup(
    ext_modules=cythonize([Extension("growth", ["growth.pyx"], include_dirs=[tapegrad.get_include()])]),
    py_modules=[],
)
