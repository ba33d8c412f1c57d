"""The networks of the paper, one a file."""
