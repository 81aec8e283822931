"""`tape.to_dot()`: a tape's graph in Graphviz's language."""

from __future__ import annotations

from tapegrad._drawing.nodes import Node, endings, nodes
from tapegrad._native import GradientTape

__all__ = ["to_dot"]


def to_dot(tape: GradientTape, limit: int | None) -> str:
    """Return the graph: boxes for operations, ellipses for what is watched, double borders for results without use.

    What a debug tape heard of and did not record is drawn in dashes.
    """
    listed = nodes(tape)
    start = 0 if limit is None else max(0, len(listed) - limit)
    lines = ["digraph tape {", "  rankdir=TB;", '  node [fontname="monospace", fontsize=10];']
    if start:
        lines.append(f'  earlier [label="{start} earlier nodes", shape=plaintext];')
    for place in range(start, len(listed)):
        node = listed[place]
        lines.append(f"  n{place} [label={_quoted(_label(node))}, {_style(node)}];")
    for place in range(start, len(listed)):
        origins = [f"n{k}" if k >= start else "earlier" for k in listed[place].operands]
        lines += [f"  {origin} -> n{place};" for origin in dict.fromkeys(origins)]
    for number, ending in enumerate(endings(tape)):
        places = [k for k in ending.operands if k >= start]
        if places:
            label = ending.name + (f"\n{ending.site.place}" if ending.site else "")
            lines.append(f"  e{number} [label={_quoted(label)}, shape=box, style=dashed];")
            lines += [f"  n{k} -> e{number} [style=dashed];" for k in places]
    return "\n".join([*lines, "}", ""])


def _label(node: Node) -> str:
    place = f"\n{node.site.place}" if node.site else ""
    return f"{node.name}\n{node.shape} {node.dtype}{place}"


def _style(node: Node) -> str:
    shape = 'shape=ellipse, style=filled, fillcolor="#cfe8cf"' if node.is_source else "shape=box"
    return shape if node.is_used else f"{shape}, peripheries=2"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
