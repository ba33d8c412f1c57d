"""An official pickle of three networks becomes a snapshot.

Nothing of the pickle runs: see `safe_unpickler`.
"""

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.util.errors import UserError


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
