"""`scipy.optimize` in one line: its solvers with exact derivatives, computed by tapegrad.

Each function has the name, the options and the result of SciPy's function. What is different: there is no `jac` to be
given, and unknowns may be arrays of any shape, or structures of arrays. Functions are written with NumPy's functions,
or tapegrad's. SciPy is needed: `pip install tapegrad[scipy]`.
"""

try:
    import scipy.optimize as _optimize  # noqa: F401  (here, so that its absence is noticed at once)
except ImportError as error:
    raise ImportError("tapegrad.scipy needs SciPy: pip install tapegrad[scipy]") from error

from tapegrad.scipy.equations import curve_fit, least_squares, root
from tapegrad.scipy.functions import fun_and_jac
from tapegrad.scipy.minimization import minimize

__all__ = ["curve_fit", "fun_and_jac", "least_squares", "minimize", "root"]
