"""`outfit-gan import-stylegan`: an official StyleGAN pickle (NVlabs, 2018, TensorFlow) becomes a snapshot.

Nothing of the pickle runs: see `stylegan1.safe_unpickler`.
"""

import math
import sys
from pathlib import Path

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError


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
    config, growth, noise, weights, ignored = read(path)

    from tf_outfit_gan.networks import build_generator, build_networks
    from tf_outfit_gan.stylegan1.variable_map import find

    generator, discriminator = build_networks(config)
    average = build_generator(config)
    for network, values in zip((generator, discriminator, average), weights):
        for place in list(values):
            find(network, place).assign(values.pop(place))  # One after the other: nothing is held twice.
    return snapshots.Snapshot(config, average, *growth, 0, noise, (generator, discriminator)), ignored


def read(path):
    """Reads and checks everything, before TensorFlow loads and before anything is built by the file's numbers.

    Returns:
        The configuration; (level, alpha); the fixed noise maps; {path of ours: value} of G, D and Gs; ignored keywords.
    """
    from tf_outfit_gan.stylegan1 import networks
    from tf_outfit_gan.stylegan1.variable_map import discriminator_entries, generator_entries

    g, d, gs = networks.read_networks(path)
    config = networks.configuration(gs, d)
    if networks.configuration(g, d) != config:
        raise UserError("the generator and its average have different keywords")
    ignored = [networks.shown(key) for key in networks.unknown_keywords(gs, d)]
    # What the training generator says of these is the average's, too.
    _, growth = networks.take_growth(g, config), networks.take_growth(gs, config)
    _, noise = networks.take_noise(g, config), networks.take_noise(gs, config)
    d.take("lod", ())
    weights = [
        networks.take_weights(g, generator_entries(config)),
        networks.take_weights(d, discriminator_entries(config)),
        networks.take_weights(gs, generator_entries(config)),
    ]
    return config, growth, noise, weights, ignored
