"""tapegrad's benchmark suite: `python -m bench --help` runs it, README.md says how each number is made."""
