"""The run: trains a model on prepared records and leaves snapshots behind."""
