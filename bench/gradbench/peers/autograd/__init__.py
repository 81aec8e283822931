"""The evals for HIPS autograd, on NumPy arrays."""
