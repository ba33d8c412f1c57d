"""How fast the training step and its input are, and how fast they could be."""
