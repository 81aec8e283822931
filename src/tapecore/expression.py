"""The language of the rules in ops.def: parsed, checked and kept as an expression graph.

A rule is a Python expression over the values `x`, `y`, `z` (operands) and `out`, number literals, `inf` and
`pi`, with `+ - * /`, comparisons, `where(condition, a, b)` and calls of other names of the table. Parsing
turns it into a graph of `Node`s in which equal subexpressions are equal nodes, calls of own operations are
replaced by their forward rules, and arithmetic on literals is folded in double precision, as Python does
before NumPy sees it. What the graph becomes in C is the business of lower.py.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

VALUES = ("x", "y", "z", "out")
CONSTANTS = {"inf": math.inf, "pi": math.pi}
LIBM = "libm"  # the forward rule of an operation that is a function of the C library

# Functions whose exact result C gives without a call, each as a template; NumPy's loops give the same bits.
INLINE = {
    "absolute": "fabs{f}({0})",
    "fabs": "fabs{f}({0})",
    "sqrt": "sqrt{f}({0})",
    "floor": "floor{f}({0})",
    "ceil": "ceil{f}({0})",
    "rint": "rint{f}({0})",
    "trunc": "trunc{f}({0})",
    "copysign": "copysign{f}({0}, {1})",
    "negative": "(-{0})",
    "positive": "({0})",
    "square": "({0} * {0})",
    "reciprocal": "({one} / {0})",
    "sign": "sign_{s}({0})",
    "heaviside": "heaviside_{s}({0}, {1})",
}
ARITHMETIC = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


class RuleError(Exception):
    """A rule or a line of the table is malformed; the text says how."""


@dataclass(frozen=True)
class Node:
    """One value of an expression graph.

    `kind` is "value" (an operand or out), "literal", "arithmetic", "negate", "compare", "where", "inline"
    (a function that C evaluates in place), "call" (of NumPy's inner loop) or "libm" (of the C library);
    `name` is the value's, operator's or function's name or the literal's text; `boolean` marks comparisons
    and their products.
    """

    kind: str
    name: str
    args: tuple[Node, ...] = ()
    boolean: bool = False
    stage: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Count the calls, one after the other, that must have run before a fused loop can use this value."""
        object.__setattr__(self, "stage", max((arg.stage for arg in self.args), default=0) + self.is_call)

    @property
    def is_literal(self) -> bool:
        """Whether the value is a number in the text."""
        return self.kind == "literal"

    @property
    def is_call(self) -> bool:
        """Whether the value comes from a loop of its own rather than from a fused one."""
        return self.kind in ("call", "libm")

    def topological(self) -> Iterator[Node]:
        """Every distinct node of the graph, arguments before their users."""
        seen: set[Node] = set()

        def visit(node: Node) -> Iterator[Node]:
            if node not in seen:
                for arg in node.args:
                    yield from visit(arg)
                seen.add(node)
                yield node

        return visit(self)


def literal(value: float) -> Node:
    """The node of a number; its name is the shortest text that reads back exactly."""
    if math.isnan(value):
        raise RuleError("arithmetic on literals gives nan")
    return Node("literal", repr(value))


def mentioned_values(text: str) -> set[str]:
    """The operands (and out) that a rule's text mentions.

    >>> sorted(mentioned_values("where(out == 0.0, 0.0, x / out)"))
    ['out', 'x']
    """
    names = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
    return names & set(VALUES)


class Parser:
    """Parses rules, given each name's count of operands and the forward rules of own operations."""

    def __init__(self, operands: dict[str, int], forward: dict[str, str]) -> None:
        self._operands = operands
        self._forward = forward
        self._expanding: list[str] = []

    def parse_rule(self, text: str, values: tuple[str, ...]) -> Node:
        """The graph of a rule that may mention `values`."""
        return self._parse(text, {name: Node("value", name) for name in values})

    def parse_forward(self, name: str) -> Node:
        """The graph of an own operation's forward rule, over its operands."""
        operands = tuple(Node("value", value) for value in VALUES[: self._operands[name]])
        return self._call_node(name, operands)

    def _parse(self, text: str, values: dict[str, Node]) -> Node:
        try:
            tree = ast.parse(text, mode="eval")
        except SyntaxError as error:
            raise RuleError(f"'{text}' is not an expression: {error.msg}") from error
        return self._visit(tree.body, values)

    def _visit(self, tree: ast.expr, values: dict[str, Node]) -> Node:
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return literal(float(value))
            case ast.Name(id=name) if name in values:
                return values[name]
            case ast.Name(id=name) if name in CONSTANTS:
                return literal(CONSTANTS[name])
            case ast.Name(id=name):
                known = ", ".join([*values, *CONSTANTS])
                raise RuleError(f"unknown name '{name}' (this rule may use {known})")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._negate(self._visit(operand, values))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                sides = (self._visit(left, values), self._visit(right, values))
                return _arithmetic(_OPERATORS[type(operator)], *sides)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
                sides = (self._visit(left, values), self._visit(right, values))
                if all(side.is_literal for side in sides) or any(side.boolean for side in sides):
                    raise RuleError(f"'{ast.unparse(tree)}' compares literals or comparisons")
                return Node("compare", _COMPARISONS[type(sign)], sides, boolean=True)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, tuple(self._visit(argument, values) for argument in arguments), tree)
        raise RuleError(f"'{ast.unparse(tree)}' is outside the language of the rules")

    @staticmethod
    def _negate(operand: Node) -> Node:
        if operand.boolean:
            raise RuleError("a comparison cannot be negated with '-': NumPy refuses it")
        return literal(-float(operand.name)) if operand.is_literal else Node("negate", "-", (operand,))

    def _call(self, name: str, args: tuple[Node, ...], tree: ast.expr) -> Node:
        if name == "where":
            return _where(args, tree)
        if name not in self._operands:
            raise RuleError(f"unknown function '{name}'")
        if len(args) != self._operands[name]:
            raise RuleError(f"{name} takes {self._operands[name]} arguments, not {len(args)}")
        if any(arg.boolean for arg in args) or all(arg.is_literal for arg in args):
            raise RuleError(f"'{ast.unparse(tree)}' would not have the operands' dtype in NumPy")
        return self._call_node(name, args)

    def _call_node(self, name: str, args: tuple[Node, ...]) -> Node:
        """A call of a name of the table, with an own operation replaced by its forward rule."""
        forward = self._forward.get(name)
        if forward is None:
            if name in ARITHMETIC:
                return _arithmetic(ARITHMETIC[name], *args)
            return Node("inline" if name in INLINE else "call", name, args)
        if forward == LIBM:
            return Node("libm", name, args)
        if name in self._expanding:
            raise RuleError(f"forward rules form a cycle: {' -> '.join([*self._expanding, name])}")
        self._expanding.append(name)
        try:
            return self._parse(forward, dict(zip(VALUES, args, strict=False)))
        finally:
            self._expanding.pop()


def _arithmetic(operator: str, left: Node, right: Node) -> Node:
    """Both sides combined, refusing what NumPy would evaluate in another dtype or not at all."""
    if left.is_literal and right.is_literal:
        try:
            return literal(_FOLD[operator](float(left.name), float(right.name)))
        except ZeroDivisionError as error:
            raise RuleError(f"a literal is divided by zero: {left.name} / {right.name}") from error
    if left.boolean and right.boolean:
        if operator != "*":
            raise RuleError(f"comparisons cannot be combined with '{operator}', only with '*'")
        return Node("arithmetic", operator, (left, right), boolean=True)
    if (left.boolean or right.boolean) and (left.is_literal or right.is_literal):
        raise RuleError(
            "a literal with a comparison is float64 in NumPy whatever the operands are; use where()"
        )
    return Node("arithmetic", operator, (left, right))


_FOLD: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def _where(args: tuple[Node, ...], tree: ast.expr) -> Node:
    if len(args) != 3 or not args[0].boolean:
        raise RuleError(f"'{ast.unparse(tree)}': where takes a comparison and two values")
    if all(arg.is_literal or arg.boolean for arg in args[1:]):
        raise RuleError(f"'{ast.unparse(tree)}' would not have the operands' dtype in NumPy")
    return Node("where", "where", args)
