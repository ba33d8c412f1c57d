"""The verbs of training: train, report, train-pose and benchmark, one a file."""
