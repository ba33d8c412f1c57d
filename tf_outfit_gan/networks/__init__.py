"""The networks of the paper, one a file, and what builds them by a configuration in a precision."""

from tf_outfit_gan.networks.discriminator import Discriminator
from tf_outfit_gan.networks.generator import Generator


def build_generator(config, precision="float32", **options):
    """A generator with fresh weights that computes in one of `config.PRECISIONS`; options are those of `Generator`."""
    return Generator(config, dtype=precision, **options)


def build_networks(config, precision="float32", **options):
    """(generator, discriminator) with fresh weights; options are those of `Generator`."""
    return build_generator(config, precision, **options), Discriminator(config, dtype=precision)
