"""Run the gallery's programs without a display and write their plots into files.

`python examples/draw_gallery.py` draws everything, which takes a few minutes, and
`python examples/draw_gallery.py orbit_fit` one of them. What stands behind `--` goes to the programs:
`draw_gallery.py lstm_text -- --steps 100`.
"""

from __future__ import annotations

import argparse
import runpy
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import matplotlib

matplotlib.use("Agg")  # only files are written: no display is needed

import matplotlib.pyplot as plt
from threadpoolctl import threadpool_limits

PREFIX = "plot_"
GALLERY = Path(__file__).resolve().parent / "gallery"


def names() -> list[str]:
    """What can be drawn."""
    return sorted(path.stem.removeprefix(PREFIX) for path in GALLERY.glob(f"{PREFIX}*.py"))


def draw(name: str, arguments: Sequence[str], directory: Path) -> list[Path]:
    """Run a program of the gallery and write its figures; return where they are."""
    given, sys.argv[1:] = sys.argv[1:], arguments
    paths = []
    try:
        # The matrices are small: several threads would wait for each other, longer still on a busy machine.
        with plt.rc_context(), threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")  # plt.show() has nothing to show
            runpy.run_path(str(GALLERY / f"{PREFIX}{name}.py"), run_name="__main__")
            for count, number in enumerate(plt.get_fignums(), start=1):
                paths.append(directory / f"{name}_{count}.png")
                plt.figure(number).savefig(paths[-1], dpi=120)
    finally:
        sys.argv[1:] = given
        plt.close("all")
    return paths


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = names()
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (default: all)")
    parser.add_argument("--output", type=Path, default=Path("gallery"), help="directory (default: %(default)s)")
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    options = parser.parse_args(given[:end])
    for name in options.names:
        if name not in known:
            parser.error(f"there is no {name!r} in the gallery: {', '.join(known)}")

    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or known:
        print(f"==== {name}")
        start = perf_counter()
        paths = draw(name, given[end + 1 :], options.output)
        print(f"{', '.join(map(str, paths))}: {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
