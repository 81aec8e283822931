"""Keeps the quotes in parameters' types straight: `{"NHWC", "NCHW"}` is code, which is not set as prose is."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


class StraightQuotes(SphinxTransform):
    """Mark the types, before Sphinx replaces quotes (at 750)."""

    default_priority = 700

    def apply(self, **kwargs: Any) -> None:
        """Mark them all."""
        for node in self.document.findall(nodes.classifier):
            node["support_smartquotes"] = False


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the transform."""
    app.add_transform(StraightQuotes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
