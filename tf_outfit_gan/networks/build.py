"""Builds the two networks of a configuration in a precision."""

import keras

from tf_outfit_gan.networks.discriminator import Discriminator
from tf_outfit_gan.networks.generator import Generator


def build_generator(config, precision="float32"):
    """A generator with fresh weights that computes in one of `config.PRECISIONS`."""
    return Generator(config, dtype=keras.DTypePolicy(precision))


def build_networks(config, precision="float32"):
    """(generator, discriminator) with fresh weights."""
    return build_generator(config, precision), Discriminator(config, dtype=keras.DTypePolicy(precision))
