"""A run as one page of HTML, without TensorFlow."""
