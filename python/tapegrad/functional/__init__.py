"""Derivatives as functions of functions, in the manner of HIPS autograd and JAX.

Each takes a function and returns one: `grad(f)(x)` is the gradient of `f` at `x`. Plain numbers and arrays give plain
numbers and arrays, which SciPy's compiled code accepts; tensors give tensors. All are built on the tape, and compose
with it and with each other.
"""

from tapegrad.functional.gradients import elementwise_grad, grad, value_and_grad
from tapegrad.functional.jacobians import hessian, jacobian
from tapegrad.functional.products import hessian_vector_product, hvp, jvp, vjp
from tapegrad.functional.vectors import flatten

__all__ = [
    "elementwise_grad",
    "flatten",
    "grad",
    "hessian",
    "hessian_vector_product",
    "hvp",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]
