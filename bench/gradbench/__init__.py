"""tapegrad in GradBench's terms: the tool process, its twelve evals, and a local driver; README.md says how."""
