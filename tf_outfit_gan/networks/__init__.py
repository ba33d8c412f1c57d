"""The networks of the paper, one a file, and what builds them by a configuration in a precision."""

from tf_outfit_gan.networks.discriminator import Discriminator
from tf_outfit_gan.networks.generator import Generator


def build_generator(config, precision="float32", recompute_from=0):
    """A generator with fresh weights that computes in one of `config.PRECISIONS`."""
    return Generator(config, recompute_from, dtype=precision)


def build_networks(config, precision="float32", recompute_from=0):
    """(generator, discriminator) with fresh weights; `recompute_from` as in `TrainingConfig`."""
    generator = build_generator(config, precision, recompute_from)
    return generator, Discriminator(config, dtype=precision)
