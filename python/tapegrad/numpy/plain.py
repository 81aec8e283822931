"""What NumPy itself computes for tensors: piecewise constant functions, and questions about arrays.

The tables here say of each such function what it is. Functions that another file of this package implements with
`implements(..., constant=True)` are piecewise constant, too.
"""

from __future__ import annotations

import numpy as np

from tapegrad.numpy._unrecorded import constant, question

__all__ = [
    "all",
    "allclose",
    "any",
    "around",
    "array2string",
    "array_equal",
    "array_equiv",
    "array_repr",
    "array_str",
    "can_cast",
    "common_type",
    "diag_indices_from",
    "einsum_path",
    "fix",
    "isclose",
    "iscomplex",
    "iscomplexobj",
    "isneginf",
    "isposinf",
    "isreal",
    "isrealobj",
    "may_share_memory",
    "min_scalar_type",
    "ndim",
    "packbits",
    "ravel_multi_index",
    "result_type",
    "round",
    "save",
    "savetxt",
    "savez",
    "savez_compressed",
    "shape",
    "shares_memory",
    "size",
    "tril_indices_from",
    "triu_indices_from",
    "unpackbits",
    "unravel_index",
]

# Piecewise constant.
all = constant(np.all)
any = constant(np.any)
around = constant(np.around)
diag_indices_from = constant(np.diag_indices_from)
fix = constant(np.fix)
isclose = constant(np.isclose)
iscomplex = constant(np.iscomplex)
isneginf = constant(np.isneginf)
isposinf = constant(np.isposinf)
isreal = constant(np.isreal)
packbits = constant(np.packbits)
ravel_multi_index = constant(np.ravel_multi_index)
round = constant(np.round)
tril_indices_from = constant(np.tril_indices_from)
triu_indices_from = constant(np.triu_indices_from)
unpackbits = constant(np.unpackbits)
unravel_index = constant(np.unravel_index)

# Questions, and ways out that say so: text and files.
allclose = question(np.allclose)
array2string = question(np.array2string)
array_equal = question(np.array_equal)
array_equiv = question(np.array_equiv)
array_repr = question(np.array_repr)
array_str = question(np.array_str)
can_cast = question(np.can_cast)
common_type = question(np.common_type)
einsum_path = question(np.einsum_path)
iscomplexobj = question(np.iscomplexobj)
isrealobj = question(np.isrealobj)
may_share_memory = question(np.may_share_memory)
min_scalar_type = question(np.min_scalar_type)
ndim = question(np.ndim)
result_type = question(np.result_type)
save = question(np.save)
savetxt = question(np.savetxt)
savez = question(np.savez)
savez_compressed = question(np.savez_compressed)
shape = question(np.shape)
shares_memory = question(np.shares_memory)
size = question(np.size)

# Dates are not numbers that tensors can hold.
for _function in (np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string):
    question(_function)
