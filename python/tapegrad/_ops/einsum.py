"""Einstein summation, composed of diagonals, sums, moves of axes and matrix products, each of them recorded.

An equation is parsed once per set of shapes into steps: each operand loses the axes that nothing needs, then
two operands at a time are brought to the form (batch, own, summed) and (batch, summed, own) and multiplied,
in the order that NumPy's `einsum_path` finds.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem

__all__ = ["einsum", "parse"]

_Shape: TypeAlias = tuple[int, ...]
_Step: TypeAlias = tuple[Callable[..., Tensor], Any]
"""An operation and its second argument; the first is the tensor."""


class _Product(NamedTuple):
    """Two operands, taken out of the pool, and what becomes of them; the result goes to the pool's end."""

    first: int
    second: int
    on_first: list[_Step]
    on_second: list[_Step]
    multiply: Callable[[Tensor, Tensor], Tensor]
    on_result: list[_Step]


class _Plan(NamedTuple):
    on_operands: list[list[_Step]]
    products: list[_Product]
    on_result: list[_Step]


def einsum(equation: str, *operands: TensorLike) -> Tensor:
    """Return the sum of products that `equation` describes, such as `"ij,jk->ik"`.

    Parameters
    ----------
    equation
        One letter per axis, the operands separated by commas. A letter that occurs twice in one operand takes
        its diagonal; `...` stands for broadcast axes; letters that are missing behind `->` are summed over.
        Without `->` the result has, in alphabetical order, the letters that occur once.
    *operands
        As many tensors as the equation names.

    Raises
    ------
    ValueError
        If the equation is malformed or does not fit the shapes.
    """
    tensors = [as_tensor(x) for x in operands]
    plan = _plan(equation, tuple([x.shape for x in tensors]))
    pool = [_followed(x, steps) for x, steps in zip(tensors, plan.on_operands, strict=True)]
    for step in plan.products:
        # The greater position first: taking it out does not move the other.
        second, first = pool.pop(step.second), pool.pop(step.first)
        product = step.multiply(_followed(first, step.on_first), _followed(second, step.on_second))
        pool.append(_followed(product, step.on_result))
    return _followed(pool[0], plan.on_result)


def _followed(x: Tensor, steps: list[_Step]) -> Tensor:
    for operation, argument in steps:
        x = operation(x, argument)
    return x


@lru_cache(512)
def _plan(equation: str, shapes: tuple[_Shape, ...]) -> _Plan:
    """Return the steps for operands of these shapes."""
    letters, result = parse(equation, shapes)
    sizes = _sizes(letters, shapes, equation)
    terms = [_Term(term, shape) for term, shape in zip(letters, shapes, strict=True)]
    for term in terms:
        term.take_diagonals()
        term.drop_ones(sizes)
    on_operands = [term.steps for term in terms]
    products: list[_Product] = []
    for places in _path(letters, result, shapes):
        remaining = set(places)
        while len(remaining) > 1:
            # einsum_path may join more than two at once: the product then goes on with the next of them.
            second, first = sorted(remaining, reverse=True)[:2]
            right, left = terms.pop(second).afresh(), terms.pop(first).afresh()
            needed = set(result).union(*[term.letters for term in terms])
            terms.append(_multiplied(left, right, needed, first, second, products))
            remaining = {*(remaining - {first, second}), len(terms) - 1}
    last = terms[0].afresh()
    last.sum_out(set(result))
    last.arrange(result)
    return _Plan(on_operands, products, last.steps)


class _Term:
    """An operand while the plan is made: its letters, its shape, and the steps that it has still to take."""

    def __init__(self, letters: str, shape: _Shape) -> None:
        self.letters = letters
        self.shape = shape
        self.steps: list[_Step] = []

    def afresh(self) -> _Term:
        """Return the term as it is after its steps."""
        return _Term(self.letters, self.shape)

    def sizes(self, letters: str) -> _Shape:
        return tuple([self.shape[self.letters.index(letter)] for letter in letters])

    def keep(self, letters: str, shape: _Shape, *steps: _Step) -> None:
        self.letters, self.shape = letters, shape
        self.steps.extend(steps)

    def take_diagonals(self) -> None:
        for letter in dict.fromkeys(self.letters):
            places = [k for k, other in enumerate(self.letters) if other == letter]
            if len(places) == 1:
                continue
            others = [k for k in range(len(self.letters)) if k not in places]
            size = max(self.shape[k] for k in places)
            steps = tuple([np.arange(size) if self.shape[k] == size else np.zeros(size, np.intp) for k in places])
            self.keep(
                letter + "".join([self.letters[k] for k in others]),
                (size, *[self.shape[k] for k in others]),
                (_native.transpose, (*places, *others)),
                (getitem, steps),
            )

    def drop_ones(self, sizes: dict[str, int]) -> None:
        """Drop the axes of size 1 that broadcast against a longer axis of another operand."""
        kept = [k for k, letter in enumerate(self.letters) if self.shape[k] == sizes[letter]]
        if len(kept) < len(self.letters):
            shape = tuple([self.shape[k] for k in kept])
            self.keep("".join([self.letters[k] for k in kept]), shape, (_native.reshape, shape))

    def sum_out(self, needed: set[str]) -> None:
        """Sum over the axes that nothing else needs."""
        axes = tuple([k for k, letter in enumerate(self.letters) if letter not in needed])
        if axes:
            letters = "".join([letter for letter in self.letters if letter in needed])
            self.keep(letters, self.sizes(letters), (_native.sum, axes))

    def arrange(self, order: str) -> None:
        if self.letters != order:
            axes = tuple([self.letters.index(letter) for letter in order])
            self.keep(order, self.sizes(order), (_native.transpose, axes))

    def view(self, shape: _Shape) -> None:
        if self.shape != shape:
            self.shape = shape
            self.steps.append((_native.reshape, shape))


def _multiplied(a: _Term, b: _Term, needed: set[str], first: int, second: int, products: list[_Product]) -> _Term:
    """Append the step that multiplies `a` and `b` and sums over what is not needed; return its result."""
    a.sum_out(needed | set(b.letters))
    b.sum_out(needed | set(a.letters))
    shared = [letter for letter in a.letters if letter in b.letters]
    batch = "".join([letter for letter in shared if letter in needed])
    summed = "".join([letter for letter in shared if letter not in needed])
    own_a = "".join([letter for letter in a.letters if letter not in shared])
    own_b = "".join([letter for letter in b.letters if letter not in shared])
    head, rows, columns = a.sizes(batch), a.sizes(own_a), b.sizes(own_b)
    a.arrange(batch + own_a + summed)
    b.arrange(batch + summed + own_b)
    out = _Term(batch + own_a + own_b, head + rows + columns)
    if summed:
        inner = math.prod(a.sizes(summed))
        a.view((*head, math.prod(rows), inner))
        b.view((*head, inner, math.prod(columns)))
        product = _Term(out.letters, (*head, math.prod(rows), math.prod(columns)))
        product.view(out.shape)
        products.append(_Product(first, second, a.steps, b.steps, _native.matmul, product.steps))
    else:
        # Nothing to add up: a broadcast product, (batch, own_a, 1...) * (batch, 1..., own_b).
        a.view(head + rows + (1,) * len(columns))
        b.view(head + (1,) * len(rows) + columns)
        products.append(_Product(first, second, a.steps, b.steps, elementwise.multiply, []))
    return out


@lru_cache(512)
def parse(equation: str, shapes: tuple[_Shape, ...]) -> tuple[tuple[str, ...], str]:
    """Return one letter per axis of each operand and of the result, the ellipses written out."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ValueError(f"einsum: {equation!r} names {len(terms)} operands, but {len(shapes)} are given.")
    hidden = []
    for term, shape in zip(terms, shapes, strict=True):
        hidden.append(len(shape) - len(term.replace("...", "")))
        if hidden[-1] < 0 or (hidden[-1] and "..." not in term):
            raise ValueError(f"einsum: the term {term!r} of {equation!r} does not fit a tensor of shape {shape}.")
    longest = max(hidden)
    wildcard = "".join([letter for letter in string.ascii_letters if letter not in text][:longest])
    if len(wildcard) < longest:
        raise ValueError(f"einsum: {equation!r} has more axes than there are letters.")
    written = tuple(
        [term.replace("...", wildcard[longest - count :]) for term, count in zip(terms, hidden, strict=True)]
    )
    if arrow:
        result = right.replace("...", wildcard)
    else:
        result = wildcard + "".join(sorted([x for x in set(left) if x.isalpha() and left.count(x) == 1]))
    everywhere = "".join(written)
    for letter in everywhere + result:
        if letter not in string.ascii_letters:
            raise ValueError(f"einsum: {equation!r} holds {letter!r}; axes are named by letters.")
    for letter in result:
        if letter not in everywhere:
            raise ValueError(f"einsum: the result of {equation!r} has an axis {letter!r} that no operand has.")
    if len(set(result)) != len(result):
        raise ValueError(f"einsum: the result of {equation!r} names an axis twice.")
    return written, result


def _sizes(terms: tuple[str, ...], shapes: tuple[_Shape, ...], equation: str) -> dict[str, int]:
    """Return the size of each letter's axis; an axis of size 1 broadcasts."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(term, shape, strict=True):
            known = sizes.get(letter, 1)
            if size not in (1, known) and known != 1:
                raise ValueError(
                    f"einsum: in {equation!r} the axis {letter!r} has sizes {known} and {size}; the shapes "
                    f"are {', '.join(map(str, shapes))}."
                )
            sizes[letter] = known if size == 1 else size
    return sizes


def _path(terms: tuple[str, ...], result: str, shapes: tuple[_Shape, ...]) -> list[tuple[int, ...]]:
    """Return which operands to multiply, step by step; a product goes to the end of the list."""
    if len(terms) < 3:
        return [tuple(range(len(terms)))]
    placeholders = [np.broadcast_to(0.0, shape) for shape in shapes]
    path, _ = np.einsum_path(f"{','.join(terms)}->{result}", *placeholders, optimize="greedy")
    return [tuple(step) for step in path[1:]]
