"""Views of a tape: its table, its graph, and its size. Imported when first asked for."""

from tapegrad._drawing.dot import to_dot
from tapegrad._drawing.nodes import nbytes
from tapegrad._drawing.svg import to_html
from tapegrad._drawing.table import Row, Summary, summary

__all__ = ["Row", "Summary", "nbytes", "summary", "to_dot", "to_html"]
