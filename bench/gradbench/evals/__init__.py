"""GradBench's evals, one module each, written as a user of tapegrad would write them."""
