"""NumPy's functions under NumPy's names and with its parameters, for tensors: recorded by the tapes that watch them.

Plain `numpy` functions applied to a tensor come here by themselves. This namespace is for what NumPy does not hand
over: functions of lists of tensors (`mean([x, y])`), and the creation of tensors (`array([x, y])`, `zeros(3)`). Types
are NumPy's: Python's floats make float64.

Examples
--------
>>> import tapegrad as tf
>>> import tapegrad.numpy as np
>>> x = tf.Variable(np.array([3.0, 4.0]))
>>> with tf.GradientTape() as tape:
...     y = np.sqrt(np.sum(x**2))
>>> tape.gradient(y, x).numpy()
array([0.6, 0.8])
"""

from tapegrad._native import Tensor as ndarray  # noqa: N813 (NumPy's name)
from tapegrad.numpy import (
    calculus,
    constants,
    creation,
    elementwise,
    emath,
    fft,
    histograms,
    indexing,
    joining,
    linalg,
    nan_reductions,
    order,
    padding,
    plain,
    polynomials,
    products,
    ranges,
    rearranging,
    reductions,
    sets,
    shaping,
    statistics,
    ufuncs,
    windows,
    writing,
)
from tapegrad.numpy.calculus import *  # noqa: F403
from tapegrad.numpy.constants import *  # noqa: F403
from tapegrad.numpy.creation import *  # noqa: F403
from tapegrad.numpy.elementwise import *  # noqa: F403
from tapegrad.numpy.histograms import *  # noqa: F403
from tapegrad.numpy.indexing import *  # noqa: F403
from tapegrad.numpy.joining import *  # noqa: F403
from tapegrad.numpy.nan_reductions import *  # noqa: F403
from tapegrad.numpy.order import *  # noqa: F403
from tapegrad.numpy.padding import *  # noqa: F403
from tapegrad.numpy.plain import *  # noqa: F403
from tapegrad.numpy.polynomials import *  # noqa: F403
from tapegrad.numpy.products import *  # noqa: F403
from tapegrad.numpy.ranges import *  # noqa: F403
from tapegrad.numpy.rearranging import *  # noqa: F403
from tapegrad.numpy.reductions import *  # noqa: F403
from tapegrad.numpy.sets import *  # noqa: F403
from tapegrad.numpy.shaping import *  # noqa: F403
from tapegrad.numpy.statistics import *  # noqa: F403
from tapegrad.numpy.ufuncs import *  # noqa: F403
from tapegrad.numpy.windows import *  # noqa: F403
from tapegrad.numpy.writing import *  # noqa: F403

__all__ = ["emath", "fft", "linalg", "ndarray"]
__all__ += calculus.__all__
__all__ += constants.__all__
__all__ += creation.__all__
__all__ += elementwise.__all__
__all__ += histograms.__all__
__all__ += indexing.__all__
__all__ += joining.__all__
__all__ += nan_reductions.__all__
__all__ += order.__all__
__all__ += padding.__all__
__all__ += plain.__all__
__all__ += polynomials.__all__
__all__ += products.__all__
__all__ += ranges.__all__
__all__ += rearranging.__all__
__all__ += reductions.__all__
__all__ += sets.__all__
__all__ += shaping.__all__
__all__ += statistics.__all__
__all__ += ufuncs.__all__
__all__ += windows.__all__
__all__ += writing.__all__
