"""The square of a number, and its derivative."""

from __future__ import annotations

from autograd import grad

from bench.gradbench import wrap

square = wrap.function(pre=float, post=float)(lambda x: x * x)
double = wrap.function(pre=float, post=float)(grad(square.function))
