"""Keras layers of StyleGAN, one a file."""
