"""Sparse Jacobians and Hessians as functions of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tapegrad._native import GradientTape, Tensor, is_watched
from tapegrad._transformed import Transformed, name_of
from tapegrad.functional.gradients import grad
from tapegrad.sparse.compression import Compression
from tapegrad.sparse.program import Program
from tapegrad.sparse.propagation import of_call, pattern

__all__ = ["sparse_hessian", "sparse_jacobian"]


def sparse_jacobian(
    f: Callable[..., Any], argnum: int = 0, *, pattern: Any = None, check: bool = False
) -> Callable[..., Any]:
    """Return the function that computes a Jacobian as a sparse array, with as few directions as its pattern allows.

    At the first call the pattern is read off the tape and colored. Later calls that record the same program (the same
    operations with the same shapes and indices) use both again, and cost about as much as a sweep for each color; any
    other program's pattern is found anew.

    Parameters
    ----------
    f
        Returns one floating-point number or array.
    argnum
        The position of the argument to differentiate, one real number or array.
    pattern : scipy.sparse array or matrix, or array_like of bool, optional
        Where entries can differ from zero, of shape (elements of the result, elements of the argument): in place of
        what `tapegrad.sparsity` finds. Entries elsewhere must be zero.
    check
        Whether to compare each Jacobian's product with a random vector against that of the whole one. It costs one
        more push, and finds entries outside of the pattern.

    Returns
    -------
    callable
        Takes the arguments of `f`, and returns a `scipy.sparse.csr_array` of shape (elements of the result, elements of
        the argument), both in C order, in which each entry of the pattern is stored, also if it is zero. Its dtype is
        the argument's, or float32 where that is float16, of which SciPy has no sparse arrays.

    Raises
    ------
    TypeError
        When called: as `sparsity` does, or if a tape records that would differentiate the result.
    ValueError
        When called: if a given pattern has another shape than the Jacobian, or a check fails.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> jacobian = tapegrad.sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> jacobian(np.array([1.0, 2.0, 3.0, 4.0])).toarray()
    array([[2., 1., 0., 0.],
           [0., 3., 2., 0.],
           [0., 0., 4., 3.]])
    """
    return _SparseJacobian(f, argnum, pattern, check)


def sparse_hessian(
    f: Callable[..., Any], argnum: int = 0, *, pattern: Any = None, check: bool = False
) -> Callable[..., Any]:
    """Return the function that computes the Hessian of a scalar-valued function as a sparse array.

    The gradient is recorded, and swept back for all colors at once; they make use of the symmetry.

    Parameters
    ----------
    f
        Returns one floating-point number.
    argnum, check
        As for `sparse_jacobian`.
    pattern
        As for `sparse_jacobian`; what is given on one side of the diagonal counts for both.

    Returns
    -------
    callable
        Takes the arguments of `f`, and returns a symmetric `scipy.sparse.csr_array` of shape (elements, elements).

    Raises
    ------
    TypeError, ValueError
        As for `sparse_jacobian`, or if `f` does not return a scalar.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> def rosenbrock(x):
    ...     return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    >>> hessian = tapegrad.sparse_hessian(rosenbrock)
    >>> hessian(np.ones(4)).toarray()
    array([[ 802., -400.,    0.,    0.],
           [-400., 1002., -400.,    0.],
           [   0., -400., 1002., -400.],
           [   0.,    0., -400.,  200.]])
    >>> hessian(np.zeros(1000)).nnz
    2998

    SciPy's solvers take it:

    >>> import scipy.optimize
    >>> result = scipy.optimize.minimize(
    ...     rosenbrock, np.zeros(4), method="trust-constr", jac=tapegrad.grad(rosenbrock), hess=hessian
    ... )
    >>> np.round(result.x, 3)
    array([1., 1., 1., 1.])
    """
    return _SparseHessian(f, argnum, pattern, check)


class _SparseJacobian(Transformed):
    what = "sparse_jacobian"
    symmetric = False

    def __init__(self, f: Callable[..., Any], argnum: int, pattern: Any, check: bool) -> None:
        super().__init__(f)
        if type(argnum) is not int:
            raise TypeError(f"{self.what}: argnum must be one integer, not {argnum!r}.")
        self._argnum = argnum
        self._given = pattern
        self._check = check
        # What the last call recorded (None where the pattern was given), and how that is computed.
        self._last: tuple[Any, Compression] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args, kwargs = self.positional(self._argnum, args, kwargs)
        tape, value, source = of_call(self.what, self.function(), self._argnum, args, kwargs)
        if is_watched(value):
            raise TypeError(
                f"{self.what}: a tape records what {name_of(self.__wrapped__)} is computed from, but the result, an "
                "array of SciPy's, could not be followed. Use tapegrad.jacobian or tapegrad.hessian, or tensors that "
                "are not watched."
            )
        result = self._compression_for(tape, value, source).compute(tape, value, source)
        if self._check:
            self._compare(result, tape, value, source)
        return result

    def function(self) -> Callable[..., Any]:
        """Return the function whose Jacobian is to be computed."""
        return self.__wrapped__

    def _compression_for(self, tape: GradientTape, value: Tensor, source: Tensor) -> Compression:
        """Return the last call's compression if it holds for this one, too."""
        last = self._last
        if self._given is None:
            program = Program.on(tape, value, source)
            if last is None or not program.is_same_as(last[0]):
                last = program, Compression(pattern(tape, value, source), self.symmetric)
        else:
            if last is None:
                last = None, Compression(csr_array(self._given) != 0, self.symmetric)
            if last[1].shape != (value.size, source.size):
                raise ValueError(
                    f"{self.what}: the given pattern has shape {last[1].shape}, but it must be "
                    f"{(value.size, source.size)} for a result of shape {value.shape} and an argument of shape "
                    f"{source.shape}."
                )
        self._last = last
        return last[1]

    def _compare(self, result: Any, tape: GradientTape, value: Tensor, source: Tensor) -> None:
        """Raise if a product with the result is not what the tape gives."""
        dtype = source.dtype.dtype
        direction = np.random.default_rng(0).uniform(1.0, 2.0, source.shape).astype(dtype)
        pushed = tape.pushforward(value, source, direction[None])
        wanted = np.zeros(value.size) if pushed is None else pushed.numpy().reshape(-1)
        vector = direction.reshape(-1)
        found, scale = result @ vector, abs(result) @ vector
        # As exact as the program's least exact type.
        types = [like for node in tape._nodes() for _, like in node[4]]
        tolerance = 100 * max([np.finfo(like.dtype).eps for like in types if like.is_floating]) * (scale + abs(wanted))
        wrong = np.flatnonzero(~(abs(found - wanted) <= tolerance) & ~(np.isnan(found) & np.isnan(wanted)))
        if len(wrong):
            raise ValueError(
                f"{self.what}: {name_of(self.__wrapped__)} has derivatives outside of its pattern: row {wrong[0]}, and "
                f"{len(wrong) - 1} more, give {wanted[wrong[0]]!r} along a direction for which the pattern's entries "
                f"give {found[wrong[0]]!r}. Pass a `pattern` that has all of them."
            )


class _SparseHessian(_SparseJacobian):
    what = "sparse_hessian"
    symmetric = True

    def function(self) -> Callable[..., Any]:
        """Return the gradient."""
        return grad(self.__wrapped__, self._argnum)
