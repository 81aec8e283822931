"""The same evals for other libraries, one package each, eagerly executed and as vectorised as tapegrad's."""
