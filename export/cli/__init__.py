"""The verbs of the hand-over: export and verify, one a file."""
