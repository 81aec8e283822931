"""TensorFlow's names for branches and loops. There is no graph: they call the functions that they are given at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from tapegrad import nest
from tapegrad._native import tensor
from tapegrad._ops.arguments import as_int
from tapegrad.errors import InvalidArgumentError

__all__ = ["case", "cond", "switch_case", "while_loop"]

_True = TypeVar("_True")
_False = TypeVar("_False")


def cond(
    pred: Any,
    true_fn: Callable[[], _True] | None = None,
    false_fn: Callable[[], _False] | None = None,
    name: str | None = None,
) -> _True | _False:
    """Return `true_fn()` if `pred` is true, else `false_fn()`; the other function is not called.

    Parameters
    ----------
    pred
        What has a truth value: a bool, or a tensor of one element.
    true_fn, false_fn
        Functions without arguments.
    name
        Has no effect.

    Raises
    ------
    TypeError
        If one of the functions cannot be called.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant(3.0)
    >>> float(tf.cond(x > 0.0, lambda: x * x, lambda: -x))
    9.0
    """
    if not callable(true_fn):
        raise TypeError("'true_fn' must be callable.")
    if not callable(false_fn):
        raise TypeError("'false_fn' must be callable.")
    return true_fn() if pred else false_fn()


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return what the function beside the first true predicate returns, else `default()`.

    Parameters
    ----------
    pred_fn_pairs
        Pairs of a predicate and a function without parameters.
    default
        The function for the case that no predicate is true.
    exclusive
        Whether it is an error if several predicates are true.
    strict, name
        Have no effect.

    Raises
    ------
    InvalidArgumentError
        If no predicate is true and there is no default, or several are with `exclusive`.
    TypeError
        If a pair is not a predicate and a function, or `default` is no function.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant(3.0)
    >>> float(tf.case([(x < 0.0, lambda: -x), (x < 5.0, lambda: x + 1.0)], default=lambda: x))
    4.0
    """
    pairs = list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, Mapping) else list(pred_fn_pairs)
    if not all(isinstance(pair, tuple) and len(pair) == 2 and callable(pair[1]) for pair in pairs):
        raise TypeError("`pred_fn_pairs` must be pairs of a predicate and a function.")
    if default is not None and not callable(default):
        raise TypeError("'default' must be callable.")
    if exclusive and sum(bool(predicate) for predicate, _ in pairs) > 1:
        raise InvalidArgumentError("case: several predicates are true, but they must be exclusive.")
    chosen = next((function for predicate, function in pairs if predicate), default)
    if chosen is None:
        raise InvalidArgumentError("case: none of the predicates is true, and there is no default.")
    return chosen()


def switch_case(
    branch_index: Any,
    branch_fns: Any,
    default: Callable[[], Any] | None = None,
    name: str = "switch_case",
) -> Any:
    """Return what function number `branch_index` returns, or `default()` for a number without a function.

    Parameters
    ----------
    branch_index
        An integer.
    branch_fns
        A list of functions, or a dictionary or a list of pairs with their numbers.
    default
        The function with the greatest number if it is not given.
    name
        Has no effect.

    Raises
    ------
    TypeError
        If the branches are not functions, each with a number of its own.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.switch_case(tf.constant(1), [lambda: "first", lambda: "second"])
    'second'
    """
    if isinstance(branch_fns, Mapping):
        numbered = list(branch_fns.items())
    else:
        numbered = [branch if isinstance(branch, tuple) else (k, branch) for k, branch in enumerate(branch_fns)]
    branches = {as_int(number): function for number, function in numbered}
    if not branches or len(branches) != len(numbered) or not all(map(callable, branches.values())):
        raise TypeError("`branch_fns` must be functions, each with a number of its own.")
    if default is None:
        default = branches[max(branches)]
    return branches.get(as_int(branch_index), default)()


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Apply `body` to the loop's variables while `cond` of them is true, and return them as tensors.

    Parameters
    ----------
    cond, body
        Functions of the variables; `body` returns them in the same structure.
    loop_vars
        A list or tuple of tensors or structures of tensors.
    maximum_iterations
        How often `body` is called at most.
    shape_invariants, parallel_iterations, back_prop, swap_memory, name
        Have no effect.

    Raises
    ------
    ValueError
        If there are no variables, or `body` returns another structure.
    TypeError
        If the condition or the body is no function.

    Examples
    --------
    >>> import tapegrad as tf
    >>> i, power = tf.while_loop(lambda i, p: i < 5, lambda i, p: (i + 1, p * 2.0), (0, 1.0))
    >>> int(i), float(power)
    (5, 32.0)
    """
    if not callable(cond):
        raise TypeError("'cond' must be callable.")
    if not callable(body):
        raise TypeError("'body' must be callable.")
    if not isinstance(loop_vars, list | tuple) or not loop_vars:
        raise ValueError("'loop_vars' must be provided.")
    limit = None if maximum_iterations is None else as_int(maximum_iterations)
    structure = list(loop_vars)
    values = structure
    count = 0
    while (limit is None or count < limit) and cond(*values):
        result = body(*values)
        # A single variable need not be wrapped.
        values = list(result) if isinstance(result, list | tuple) else [result]
        nest.assert_same_structure(structure, values)
        count += 1
    return nest.pack_sequence_as(loop_vars, [tensor(leaf) for leaf in nest.flatten(values)])
