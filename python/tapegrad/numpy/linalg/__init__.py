"""`numpy.linalg` for tensors: its functions under its names and with its parameters, differentiable.

They work on stacks of matrices (the last two axes), real and complex, and raise NumPy's `LinAlgError` where it does.
"""

from numpy.linalg import LinAlgError

from tapegrad.numpy.linalg import factorizations, norms, products, systems
from tapegrad.numpy.linalg.factorizations import *  # noqa: F403
from tapegrad.numpy.linalg.norms import *  # noqa: F403
from tapegrad.numpy.linalg.products import *  # noqa: F403
from tapegrad.numpy.linalg.systems import *  # noqa: F403

__all__ = ["LinAlgError"]
__all__ += factorizations.__all__
__all__ += norms.__all__
__all__ += products.__all__
__all__ += systems.__all__
