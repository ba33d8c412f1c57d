"""`outfit-gan import-stylegan`: an official StyleGAN pickle (NVlabs, 2018, TensorFlow) becomes a snapshot.

Nothing of the pickle runs: see `official.pickles`.
"""

import math
import sys
from pathlib import Path

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.errors import UserError
from tf_outfit_gan.sizes import format_size


def add_arguments(parser):
    parser.add_argument("network", metavar="NETWORK.pkl", help="an official StyleGAN network, (G, D, Gs)")
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="the snapshot folder to write")


def run(args):
    if Path(args.snapshot).exists():
        raise UserError(f"{args.snapshot}: is already there; choose a new name or delete it")
    try:
        snapshot, ignored = convert(args.network)
    except UserError as error:
        raise UserError(f"{args.network}: {error}") from None
    except OSError as error:
        raise UserError(f"{args.network}: does not read ({error.strerror})") from None
    if ignored:
        print(f"ignored, as the original does: {', '.join(ignored)}", file=sys.stderr)
    snapshots.save(args.snapshot, snapshot)
    count = [sum(math.prod(w.shape) for w in network.trainable_weights) for network in snapshot.training]
    print(f"{args.snapshot}: StyleGAN {format_size(snapshot.config.size)}, drawing {format_size(snapshot.size)}; "
          f"generator {count[0]:,} and discriminator {count[1]:,} parameters")


def convert(path):
    """(`Snapshot` of an official pickle, keywords that were ignored); raises `UserError` without the file's name."""
    from tf_outfit_gan.official import networks, variables

    # Read and check everything before TensorFlow loads and anything is built by the file's numbers.
    g, d, gs = networks.read_networks(path)
    config = networks.configuration(gs, d)
    if networks.configuration(g, d) != config:
        raise UserError("the generator and its average have different keywords")
    ignored = [networks.shown(key) for key in networks.unknown_keywords(gs, d)]
    level, alpha = networks.growth(gs, config)
    networks.growth(g, config)
    noise = networks.take_noise(gs, config)
    networks.take_noise(g, config)
    d.take("lod", ())
    tables = [networks.take_weights(network, entries(config)) for network, entries in (
        (g, variables.generator_entries), (d, variables.discriminator_entries), (gs, variables.generator_entries))]

    # Build, and hand over one variable after the other.
    from tf_outfit_gan.networks.build import build_generator, build_networks

    generator, discriminator = build_networks(config)
    average = build_generator(config)
    for network, table in zip((generator, discriminator, average), tables):
        for path in list(table):
            variables.find(network, path).assign(table.pop(path))
    return snapshots.Snapshot(config, average, level, alpha, 0, noise, (generator, discriminator)), ignored
