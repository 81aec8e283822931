"""Sphinx's settings: `python -m sphinx -W -b html docs build/html` builds the site, without a network."""

import os
import sys
from pathlib import Path

import tapegrad

DOCS = Path(__file__).parent

sys.path.insert(0, str(DOCS / "_extensions"))
# The cells of notebooks run in kernels of their own: small arrays, which several threads would only slow down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.pop("MPLBACKEND", None)  # with another backend than theirs, notebooks would silently have no plots

project = "tapegrad"
author = "the tapegrad developers"
copyright = author
version = release = tapegrad.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "names",
    "quotes",
    "mathml",
    "reference",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_extensions", "reference/*.txt", "gallery/*.ipynb"]
needs_sphinx = "8.0"

# --- reading ----------------------------------------------------------------------------------------------------------

default_role = "name"
autodoc_typehints = "none"  # the parameters' descriptions say what is accepted
autodoc_member_order = "groupwise"
autosummary_generate = False
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
maximum_signature_line_length = 90

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

sphinx_gallery_conf = {
    "examples_dirs": [str(DOCS.parent / "examples" / "gallery")],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "reset_modules": ("matplotlib", "plots.reset"),
    "show_memory": False,
    "thumbnail_size": (600, 420),
    "write_computation_times": False,  # its page would fetch a program
    "remove_config_comments": True,
}

# --- looks ------------------------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_math_renderer = "mathml"
html_title = "tapegrad"
html_logo = "_static/tapegrad.svg"
html_favicon = "_static/mark.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False  # the reference lists the namespaces
html_theme_options = {
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_sidebars = {"index": [], "start": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
