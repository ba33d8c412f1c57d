"""The training of a pose estimator."""
