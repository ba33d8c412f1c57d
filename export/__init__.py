"""The hand-over: turns a snapshot into a SavedModel for TF Serving."""
