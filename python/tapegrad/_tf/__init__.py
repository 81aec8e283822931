"""TensorFlow's names, argument names and defaults, as thin functions over `tapegrad._ops`.

The public modules (`tapegrad`, `tapegrad.math`, `tapegrad.linalg`) collect them. Like TensorFlow's, every
function takes a `name`; there are no graphs to show it in, so it has no effect.
"""
