"""Which devices train: all GPUs of this machine, or its processor when there is none."""

import tensorflow as tf


def make_strategy():
    """A MirroredStrategy over the devices there are: logical ones, so that a test can split a processor into replicas."""
    gpus = tf.config.list_logical_devices("GPU")
    return tf.distribute.MirroredStrategy([device.name for device in gpus or tf.config.list_logical_devices("CPU")])
