"""SciPy as in `autograd.scipy`: numbers and arrays go to SciPy itself, tensors are recorded."""
