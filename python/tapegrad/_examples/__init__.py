"""Parameters and examples for the docstrings of functions that come from tables.

The examples of each table have a file here, with a line for each name.

A line is `name | operands | what is printed`, where an apostrophe marks the operands to differentiate in, or
`name | expression | what is printed`. `docs/make_examples.py` fills in the last column, and the tests run the examples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

__all__ = ["example", "lines", "parameters", "statements"]

_IMPORTS = {"import io": r"\bio\.", "import numpy as np": r"\bnp\."}


@cache
def lines(table: str) -> dict[str, tuple[str, str]]:
    """Return for each name of a table the operands or the expression, and what is printed."""
    file = f"{__file__.rpartition('__init__')[0]}{table}.txt"
    with open(file, encoding="utf-8") as text:  # noqa: PTH123 (pathlib takes long)
        rows = [[cell.strip() for cell in line.split(" | ")] for line in text]
    return {name: (given, printed) for name, given, printed in rows}


def statements(function: str, given: str) -> list[str]:
    """Return the statements of an example.

    Parameters
    ----------
    function
        The function's qualified name.
    given
        Its operands, of which those with an apostrophe are differentiated, or an expression.
    """
    if "(" in given:
        imports = [line for line, use in _IMPORTS.items() if re.search(use, given)]
        return [*imports, "import tapegrad", f"print({given})"]
    operands = given.split(", ")
    places = [k for k, operand in enumerate(operands) if operand.endswith("'")]
    values = ", ".join([operand.rstrip("'") for operand in operands])
    if not places:
        return ["import tapegrad", f"print({function}({values}).numpy())"]
    argnums = "" if places == [0] else f", argnums={places[0] if len(places) == 1 else tuple(places)}"
    many = len(places) > 1
    return [
        "import tapegrad",
        f"value, slope{'s' * many} = tapegrad.value_and_grad({function}{argnums})({values})",
        'print(f"{value:.6g}", *[f"{slope:.6g}" for slope in slopes])' if many else 'print(f"{value:.6g} {slope:.6g}")',
    ]


def example(table: str, namespace: str, name: str) -> str:
    """Return the end of a docstring: the section with an example, or nothing for a name without one."""
    if name not in lines(table):
        return ""
    given, printed = lines(table)[name]
    code = "\n".join([f">>> {statement}" for statement in statements(f"{namespace}.{name}", given)])
    return f"\n\nExamples\n--------\n{code}\n{printed}\n"


def parameters(names: Sequence[str], about: str, *, named: bool = True) -> str:
    """Return the section of a docstring that describes the operands of an elementwise function.

    Parameters
    ----------
    names
        What the operands are called.
    about
        The end of the sentence about them.
    named
        Whether the function takes TensorFlow's `name` as well.
    """
    one = "A number, an array, a tensor or a variable"
    several = "Numbers, arrays, tensors or variables, which are broadcast"
    subject = several if names[1:] else one
    name = "\nname\n    Has no effect." if named else ""
    return f"\n\nParameters\n----------\n{', '.join(names)}\n    {subject}{about}.{name}"
