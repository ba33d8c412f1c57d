"""What watches a run: the logger, diagnostics, grids, metrics, and what ends it."""
