"""NumPy's functions, recorded."""
