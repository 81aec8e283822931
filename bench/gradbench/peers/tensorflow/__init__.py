"""The evals for TensorFlow, eager, on one thread: it runs tapegrad's own files wherever it has what they use.

In a process that serves TensorFlow, `tapegrad` is another name for it.
"""

import sys

import tensorflow

sys.modules["tapegrad"] = tensorflow
tensorflow.config.threading.set_intra_op_parallelism_threads(1)
tensorflow.config.threading.set_inter_op_parallelism_threads(1)
