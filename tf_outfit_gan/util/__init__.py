"""What every package needs and that knows nothing of the model: errors, files, processes, progress."""
