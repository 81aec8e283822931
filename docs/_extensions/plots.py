"""The look of the gallery's plots on the site: as in the notebooks, it can be read on light and dark grounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

__all__ = ["reset"]

_OF_SCRIPTS = ("figure.figsize", "figure.dpi", "figure.constrained_layout.use", "axes.spines", "axes.prop_cycle")
"""What the scripts decide themselves."""


def reset(gallery_conf: dict[str, Any], fname: str) -> None:
    """Set the colours of frames and letters before a script runs."""
    notebooks = matplotlib.rc_params_from_file(Path(__file__).parents[1] / "matplotlibrc", use_default_template=False)
    matplotlib.rcParams.update({key: v for key, v in notebooks.items() if not key.startswith(_OF_SCRIPTS)})
