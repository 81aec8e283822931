"""Which elements of a result depend on which elements of an argument, followed through what a tape has recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scipy.sparse import csr_array

from tapegrad._native import GradientTape, Tensor, Value
from tapegrad._transformed import name_of
from tapegrad.functional.arguments import Point, inexact_result
from tapegrad.sparse import native_nodes, python_nodes
from tapegrad.sparse.native_nodes import Use
from tapegrad.sparse.python_nodes import Surroundings
from tapegrad.sparse.sets import Sets, identity

__all__ = ["of_call", "pattern", "sparsity"]


def sparsity(f: Callable[..., Any], *args: Any, argnum: int = 0, **kwargs: Any) -> Any:
    """Return the pattern of a function's Jacobian: which elements of the result depend on which of the argument.

    The function is called once and recorded; its dependences are followed exactly through all operations that move,
    select, sum or multiply elements.

    Parameters
    ----------
    f
        Returns one floating-point number or array.
    *args, **kwargs
        The arguments of `f`. Only the shape of the one to differentiate matters, unless the function chooses what it
        computes by its values.
    argnum
        The position of the argument to differentiate, a number or array.

    Returns
    -------
    scipy.sparse.csr_array
        Booleans, of shape (elements of the result, elements of the argument), both in C order.

    Raises
    ------
    TypeError
        If the argument is not one floating-point number or array, or the result is not.

    See Also
    --------
    tapegrad.sparse.pattern : the same of tensors that a tape knows.

    Notes
    -----
    An entry is left out only if no path of derivatives leads from the one element to the other; derivatives that happen
    to be zero are entries, and so are both branches of a `where`. What the program chose by looking at values is as in
    this call: branches of `if`, elements taken by computed indices or masks, and the zeros of matrices that do not
    depend on the argument. (`sparse_jacobian` and `sparse_hessian` notice when a later call chooses otherwise.) The
    results of sorting, and of code with rules of its own (`custom_gradient`, `primitive`, `checkpoint`), count as
    depending on everything that went in.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> tapegrad.sparsity(lambda x: x[1:] * x[:-1], np.ones(4)).astype(int).toarray()
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])

    That of a Hessian is the pattern of the gradient:

    >>> def f(x):
    ...     return np.sum(x[1:] * x[:-1]) + x[0] ** 2
    >>> tapegrad.sparsity(tapegrad.grad(f), np.ones(3)).astype(int).toarray()
    array([[1, 1, 0],
           [1, 0, 1],
           [0, 1, 0]])
    """
    tape, value, source = of_call("sparsity", f, argnum, args, kwargs)
    return pattern(tape, value, source)


def of_call(
    what: str, f: Callable[..., Any], argnum: int, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[GradientTape, Tensor, Tensor]:
    """Return a tape that has recorded a call, its result, and the argument to differentiate as a tensor."""
    point = Point(what, args, argnum)
    if len(point.sources) != 1 or not isinstance(point.pack(point.sources), Value):
        raise TypeError(
            f"{what}: the argument to differentiate must be one number or array, not {args[argnum]!r}. For structures "
            "see tapegrad.flatten."
        )
    source = point.sources[0]
    if source.dtype.is_complex:
        raise TypeError(
            f"{what}: the argument must be real, not {source.dtype.name}. Write {name_of(f)} as a function of real and "
            "imaginary parts."
        )
    tape = GradientTape(True, False)
    with tape:
        point.watch(tape)
        value = inexact_result(what, f, f(*point.arguments, **kwargs), point)
    return tape, value, source


def pattern(tape: GradientTape, target: Value, source: Value) -> Any:
    """Return which elements of one value depend on which of another, as a tape has recorded it.

    Parameters
    ----------
    tape
        It has stopped recording, and is persistent if it is to be used for anything else.
    target, source
        Values that the tape knows.

    Returns
    -------
    scipy.sparse.csr_array
        Booleans, of shape (target.size, source.size), as `tapegrad.sparsity` says.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant([1.0, 2.0, 3.0])
    >>> with tf.GradientTape(persistent=True) as tape:
    ...     tape.watch(x)
    ...     y = tf.reverse(x, [0])[:2]
    >>> tf.sparse.pattern(tape, y, x).astype(int).toarray()
    array([[0, 0, 1],
           [0, 1, 0]])
    """
    if target is source:
        return identity(0, source.size, source.size)
    (found,) = propagate(tape, [source], [target], Surroundings())
    return csr_array((target.size, source.size), dtype=bool) if found is None else found


def propagate(
    tape: GradientTape, sources: Sequence[Value], targets: Sequence[Value], surroundings: Surroundings
) -> list[Sets | None]:
    """Return the sets of the targets, None where one depends on none of the sources.

    The columns are the elements of all sources, one source after the other.
    """
    nodes = tape._nodes()
    ends = [tape._slot(target) for target in targets]
    wanted = {slot for slot in ends if slot is not None}
    keep = frozenset(wanted)
    # Which nodes lie before the targets, and which of them is the last to need a slot.
    last: dict[int, int] = {}
    path = []
    for node in reversed(nodes):
        slot, _, _, operands, outputs, _ = node
        if not wanted.isdisjoint(range(slot, slot + len(outputs))):
            path.append(node)
            for operand in operands:
                if operand is not None:
                    wanted.add(operand)
                    last.setdefault(operand, slot)
    width = sum([source.size for source in sources])
    given: dict[int | None, Sets] = {}
    first = 0
    for source in sources:
        given[tape._slot(source)] = identity(first, source.size, width)
        first += source.size
    sets = dict(given)
    likes = {}
    for slot, kind, name, operands, outputs, _ in reversed(path):
        likes.update({slot + k: like for k, like in enumerate(outputs)})
        before = [None if operand is None else sets.get(operand) for operand in operands]
        if any([s is not None for s in before]):
            use = Use(tape, slot, name, operands, before, [None if o is None else likes[o] for o in operands], outputs)
            for k, found in enumerate(_of_results(kind, use, surroundings)):
                if found is not None and slot + k not in given:
                    sets[slot + k] = found
        for operand in operands:
            if operand is not None and last[operand] == slot and operand not in keep:
                sets.pop(operand, None)
    return [None if end is None else sets.get(end) for end in ends]


def _of_results(kind: str, use: Use, surroundings: Surroundings) -> list[Sets | None]:
    if kind == "elementwise":
        return [native_nodes.elementwise(use)]
    if kind == "structural":
        if use.name in ("take", "scatter_add"):
            python_nodes.selects(use, surroundings)
        return [native_nodes.structural(use)]
    return python_nodes.external(use, surroundings, propagate)
