"""The original StyleGAN (NVlabs, 2018, TensorFlow): its files, its variables, and ours that hold the same numbers."""
