"""The verbs export and verify, one a file."""
