"""The tool as GradBench starts its Python tools, from any directory: `python bench/gradbench/run.py`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # The script's own folder, which Python puts first, holds modules named after libraries.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from bench.gradbench.tool import main

    main()
