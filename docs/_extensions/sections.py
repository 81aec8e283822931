"""The directive `section`: the table of contents of a part of the site, whose pages come and go with the files.

The setting `sections` says for each part which pages it has, in their order; those without a file are passed over. The
part with `:rest:` takes in, after them, all pages beside `conf.py` that no part has.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.directives.other import TocTree
from sphinx.util.typing import ExtensionMetadata, OptionSpec

__all__ = ["setup"]


class Section(TocTree):
    """A `toctree` of the pages of one part."""

    has_content = False
    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {**TocTree.option_spec, "rest": directives.flag}

    def run(self) -> list[nodes.Node]:
        """Find the names of existing pages, and be a `toctree` of them."""
        sections: dict[str, list[str]] = self.config.sections
        pages = [page for page in sections[self.arguments[0]] if page in self.env.found_docs]
        if "rest" in self.options:
            placed = {page for part in sections.values() for page in part}
            pages += sorted(name for name in self.env.found_docs if "/" not in name and name not in placed)
        self.content = StringList(pages, source=self.env.docname)
        return super().run() if pages else []


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive and its setting."""
    app.add_config_value("sections", {}, "env", dict)
    app.add_directive("section", Section)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
