"""asv's benchmarks: the suite's questions, asked of tapegrad at each commit. The rest of `bench` is today's."""

import sys
from pathlib import Path

# asv imports this directory alone, under its own name, into an environment where only tapegrad is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
