"""The evals for PyTorch, eager, on one thread."""

import torch

torch.set_num_threads(1)
