"""How big is what a user downloads."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from bench.adapters import PEERS
from bench.figures import Answer, Figure
from bench.profiles import Profile

TITLE = "Size: installed files, and tapegrad's wheel"

DIST = Path(__file__).resolve().parents[2] / "dist"
# The import name is the distribution's name, but for these.
DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow_cpu")}


def survey(peers: Sequence[str], profile: Profile) -> dict[str, Answer]:
    """Add up installed files; dependencies do not count (jaxlib beside jax, for one)."""
    return {module: _answer(module) for module in dict.fromkeys(PEERS[peer][0] for peer in peers)}


def _answer(module: str) -> Answer:
    found = _distribution(module)
    figures = []
    if found is not None and not _editable(found):
        figures.append(Figure("installed", "byte", [float(sum(_sizes(found)))]))
    if module == "tapegrad":
        figures += _wheel(found)
    if not figures:
        return Answer(remark="editable install: nothing to weigh" if found else "no distribution metadata")
    return Answer(figures)


def _wheel(found: Distribution | None) -> list[Figure]:
    """Weigh the newest wheel in dist/, else the installed files compressed as a wheel compresses them."""
    wheels = sorted(DIST.glob("tapegrad-*.whl"), key=lambda path: path.stat().st_mtime)
    if wheels:
        return [Figure("wheel", "byte", [float(wheels[-1].stat().st_size)], note="the newest in dist/")]
    if found is None or _editable(found):
        return []
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(found):
            archive.write(path, path.as_posix())
    return [Figure("wheel", "byte", [float(len(packed.getvalue()))], note="installed files, compressed")]


def _distribution(module: str) -> Distribution | None:
    for name in DISTRIBUTIONS.get(module, (module,)):
        try:
            return distribution(name)
        except PackageNotFoundError:
            continue
    return None


def _editable(found: Distribution) -> bool:
    """Say whether the distribution is only a pointer to a source tree."""
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


def _files(found: Distribution) -> list[Path]:
    """Return the installed files, without the bytecode that pip adds."""
    paths = [Path(str(found.locate_file(file))) for file in found.files or () if file.suffix != ".pyc"]
    return [path for path in paths if path.is_file()]


def _sizes(found: Distribution) -> list[int]:
    return [path.stat().st_size for path in _files(found)]
