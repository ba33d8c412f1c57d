"""Body poses: the 16 MPII joints and their heatmaps."""
