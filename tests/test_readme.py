"""The documents tell the truth: every Python block of theirs runs, and does what its comments say.

The cells of notebooks are blocks, too. The blocks of one document share their names, from top to bottom. In a comment
at the end of a statement of the block, `# -> text` is what the statement's value prints as (a tensor as its array), and
`# raises Error: text` is the exception that it raises and a part of its message.
"""

from __future__ import annotations

import ast
import builtins
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot

import tapegrad as tf

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = r"(?::.*\n)*(?:---\n.*?---\n)?"
BLOCK = re.compile(rf"^```(?:python|\{{code-cell\}}(?: \w+)?)\n{OPTIONS}(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(tf[\w.]*)` \|(.*)\|$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """The Python blocks of a document, each with the number of its first line."""
    for match in BLOCK.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1)


def comments(block: str) -> dict[int, str]:
    """The comments of a block, by line."""
    tokens = tokenize.generate_tokens(StringIO(block).readline)
    return {token.start[0]: token.string[1:].strip() for token in tokens if token.type == tokenize.COMMENT}


def shown(value: Any) -> str:
    """A value as the documents write it; rows of a matrix on one line."""
    text = str(value.numpy()) if isinstance(value, tf.Tensor | tf.Variable) else str(value)
    return " ".join(text.split())


def run(statement: ast.stmt, comment: str, names: dict[str, Any]) -> None:
    """Execute a statement of a block, and check what its comment says about it."""
    raises = re.match(r"raises (\w+): (.*)", comment)
    if raises:
        error: type[Exception] = getattr(builtins, raises[1])
        with pytest.raises(error, match=re.escape(raises[2])):
            exec(compile(ast.Module([statement], []), "<block>", "exec"), names)
    elif comment.startswith("-> "):
        assert isinstance(statement, ast.Expr), f"only an expression has a value to compare with {comment}"
        value = eval(compile(ast.Expression(statement.value), "<block>", "eval"), names)
        assert shown(value) == comment.removeprefix("-> ")
    else:
        exec(compile(ast.Module([statement], []), "<block>", "exec"), names)


def run_block(block: str, line: int, names: dict[str, Any]) -> None:
    """Execute a block; a failure names its line in the document."""
    notes = comments(block)
    checked = {number for number, note in notes.items() if note.startswith(("-> ", "raises "))}
    for statement in ast.parse(block).body:
        end = statement.end_lineno or statement.lineno
        checked.discard(end)
        try:
            run(statement, notes.get(end, ""), names)
        except BaseException as error:
            error.add_note(f"in the statement at line {line + statement.lineno - 1}")
            raise
    assert not checked, f"comments inside a statement are not checked: lines {[line + n - 1 for n in checked]}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_blocks_run(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of the document runs as its comments say, beside the document."""
    monkeypatch.chdir(document.parent)
    pyplot.close("all")  # the current figure is one for all documents
    names: dict[str, Any] = {}
    for line, block in blocks(document.read_text("utf-8")):
        run_block(block, line, names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of the document names a file; those of the reference are made, and checked, with the site."""
    links = [link for link in LINK.findall(document.read_text("utf-8")) if not link.startswith("reference/")]
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing, f"{document.name} links to {missing}"


def test_listed_names_exist() -> None:
    """The README's tables list, beside each namespace, names that are in it."""
    rows = ROW.findall((ROOT / "README.md").read_text("utf-8"))
    assert rows
    for namespace, listed in rows:
        module: Any = tf
        for part in namespace.split(".")[1:]:
            module = getattr(module, part)
        names = re.findall(r"`([\w.]+)`", listed)
        missing = [name for name in names if not hasattr(module, name)]
        assert names, f"nothing is listed for {namespace}"
        assert not missing, f"{namespace} has no {missing}"


def test_wrong_value_is_found() -> None:
    """The check can fail."""
    run_block("1 + 1  # -> 2\n", 1, {})
    with pytest.raises(AssertionError):
        run_block("1 + 1  # -> 3\n", 1, {})
    with pytest.raises(BaseException, match="DID NOT RAISE"):
        run_block("1 + 1  # raises ValueError: no\n", 1, {})


def test_readme_gives_the_commands() -> None:
    """The two commands that a reader starts with stand on lines of their own."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert 'pip install ".[examples]" && python examples/digits.py' in lines
    assert 'pip install ".[test]" && python -m pytest' in lines
