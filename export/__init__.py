"""Export: converts a snapshot to a SavedModel for TF Serving."""
