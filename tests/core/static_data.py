"""Checks that the C core has no mutable data of static storage: nothing that threads or tapes would share unasked.

    python static_data.py OBJDUMP LIBRARY

reads the symbol tables of the library's object files. Constants lie in read-only sections, also where they hold
addresses (`.data.rel.ro`, which the loader makes read-only); everything else that has a place at build time is named.
"""

from __future__ import annotations

import re
import subprocess
import sys

# "address flags section<tab>size name": seven columns of flags, of which the last says what the symbol is.
SYMBOL = re.compile(
    r"^[0-9a-f]+ .{6}(?P<kind>.) (?P<section>\S+)\t[0-9a-f]+ +(?:\.hidden )?(?P<name>\S+)$", re.MULTILINE
)
MUTABLE = re.compile(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)|\*COM\*")

# Thread-local, so shared with nobody: the tapes that record on this thread, and the last error of the C interface.
ALLOWED = {("tg_this_thread", ".tbss"), ("tg_last_error", ".tbss")}


def main(objdump: str, library: str) -> None:
    """Exit with a message if there is what should not be, or if there was nothing to look at."""
    table = subprocess.run([objdump, "-t", library], check=True, capture_output=True, text=True).stdout
    symbols = [(match["kind"], match["name"], match["section"]) for match in SYMBOL.finditer(table)]
    functions = [name for kind, name, _ in symbols if kind == "F"]
    if not {"tg_pool_create", "tg_sweep_run"} <= set(functions):
        sys.exit(f"{library}: {len(symbols)} symbols were read, but the core's functions are not among them")
    mutable = {(name, section) for _, name, section in symbols if name != section and MUTABLE.match(section)}
    if mutable != ALLOWED:
        sys.exit(f"{library}: mutable static data {sorted(mutable)}, allowed are {sorted(ALLOWED)}")
    print(f"{len(functions)} functions, mutable static data: {', '.join(name for name, _ in sorted(mutable))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
