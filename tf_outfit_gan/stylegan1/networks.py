"""The official pickle's three networks, checked: what they are, as a `ModelConfig`, and every variable they need.

A pickle holds (G, D, Gs): the generator and the discriminator as training left them, and the generator's average.
"""

import math

import numpy as np

from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.stylegan1 import variable_map
from tf_outfit_gan.stylegan1.safe_unpickler import Array, Network, read_pickle, shown
from tf_outfit_gan.util.errors import UserError

SIDES = (8, 16, 32, 64, 128, 256, 512, 1024)
MAX_WIDTH = 2**16  # Of a layer; MAX_LAYERS of the mapping network. Far above any network, to stop nonsense early.
MAX_LAYERS = 64

# What the networks of other papers were built by.
_OTHERS = {
    "G_main": "a StyleGAN2",
    "D_stylegan2": "a StyleGAN2",
    "D_stylegan": "a StyleGAN2",
    "G_paper": "a Progressive GAN",
    "D_paper": "a Progressive GAN",
}
# Choices of the original that ours has made: the keywords of its networks, and their one value here.
_CHOSEN = {
    "label_size": 0,
    "num_channels": 3,
    "fmap_decay": 1,
    "use_wscale": True,
    "use_styles": True,
    "use_noise": True,
    "const_input_layer": True,
    "use_pixel_norm": False,
    "use_instance_norm": True,
    "normalize_latents": True,
    "nonlinearity": "lrelu",
    "mapping_nonlinearity": "lrelu",
    "blur_filter": [1, 2, 1],
    "mbstd_num_features": 1,
}
# Keywords that training reads, or that change no picture.
_FREE = {
    "truncation_psi",
    "truncation_cutoff",
    "truncation_psi_val",
    "truncation_cutoff_val",
    "dlatent_avg_beta",
    "style_mixing_prob",
    "randomize_noise",
    "dlatent_broadcast",
    "dtype",
    "is_training",
    "is_validation",
}
_SIZES = {
    "resolution",
    "fmap_base",
    "fmap_max",
    "latent_size",
    "dlatent_size",
    "mapping_fmaps",
    "mapping_layers",
    "mapping_lrmul",
    "mbstd_group_size",
    "fused_scale",
    "structure",
}


class OfficialNetwork:
    """One network of a pickle, with its components' keywords and variables among its own.

    Attributes:
        keywords: {name: value}, with which the original built it.
        variables: {official name: NumPy array}.
    """

    def __init__(self, network, function, components=()):
        state = network.state if isinstance(network, Network) else None
        if not isinstance(state, dict):
            raise UserError("the pickle does not hold (G, D, Gs), the three networks of an official StyleGAN")
        found = state.get("build_func_name")
        if found != function:
            what = _OTHERS.get(found, f"built by {shown(found)}") if isinstance(found, str) else "no whole network"
            raise UserError(f"the pickle's network is {what}; expected the StyleGAN of 2018 ({function})")
        own = _dict(state, "components")
        if set(own) != set(components):
            raise UserError(f"{function} has the components {shown(sorted(own))}, expected {shown(sorted(components))}")
        self.keywords, self.variables = {}, {}
        for name in components:
            component = OfficialNetwork(own[name], f"G_{name}")
            self.keywords |= component.keywords
            self.variables |= {f"G_{name}/{key}": value for key, value in component.variables.items()}
        # The original, too, gives a network's keywords to its components, above their own.
        self.keywords |= {key: _plain(value) for key, value in _dict(state, "static_kwargs").items()}
        self.variables |= _variables(state.get("variables"))

    def take(self, name, shape):
        """Takes a variable out, as float32."""
        value = self.variables.pop(name, None)
        if value is None:
            raise UserError(f"the pickle lacks the variable {name}")
        if value.shape != tuple(shape) or value.dtype.kind != "f":
            raise UserError(
                f"{name} is {value.dtype} {list(value.shape)}, expected floats {list(shape)} by the network's keywords"
            )
        with np.errstate(over="ignore"):  # What overflows is found in the next line.
            value = value.astype(np.float32, copy=False)
        if not np.isfinite(value).all():
            raise UserError(f"{name} holds values that are no finite numbers")
        return value


def read_networks(path):
    """(G, D, Gs) of a pickle, as `OfficialNetwork`; raises `UserError`, which does not name the file."""
    value = read_pickle(path)
    if not isinstance(value, tuple) or len(value) != 3:
        value = (value,) * 3  # A network alone says what it is; anything else says that it is none.
    components = ("synthesis", "mapping")
    g, d, gs = value
    return (OfficialNetwork(g, "G_style", components), OfficialNetwork(d, "D_basic"), OfficialNetwork(gs, "G_style", components))


def configuration(generator, discriminator):
    """The `ModelConfig` of a generator and a discriminator; refuses by name what ours cannot express."""
    for network in (generator, discriminator):
        for key, chosen in _CHOSEN.items():
            value = network.keywords.get(key, chosen)
            if value != chosen:
                raise UserError(f"{key} is {shown(value)}: this system's networks have {shown(chosen)} only")
        for key, default in (("resolution", None), ("fmap_base", 8192), ("fmap_max", 512)):
            ours, theirs = (n.keywords.get(key, default) for n in (generator, network))
            if ours != theirs:
                raise UserError(
                    f"{key} is {shown(ours)} in the generator and {shown(theirs)} in the discriminator: "
                    "this system has one for both"
                )
        _one_of("structure", network.keywords.get("structure", "auto"), ("auto", "linear", "recursive"))
    keywords = generator.keywords
    side = _one_of("resolution", keywords.get("resolution"), SIDES)
    style_dim = _whole(keywords, "dlatent_size", 512, MAX_WIDTH)
    if _whole(keywords, "mapping_fmaps", 512, MAX_WIDTH) != style_dim:
        raise UserError(
            f"mapping_fmaps is {keywords.get('mapping_fmaps', 512)} and dlatent_size {style_dim}: "
            "this system has one width for both"
        )
    lr_multiplier = keywords.get("mapping_lrmul", 0.01)
    if type(lr_multiplier) not in (int, float) or not 0 < lr_multiplier < math.inf:
        raise UserError(f"mapping_lrmul is {shown(lr_multiplier)}: expected a number above 0")
    fmap_base, fmap_max = (_whole(keywords, *sizes, MAX_WIDTH) for sizes in (("fmap_base", 8192), ("fmap_max", 512)))
    if fmap_base < 2 * fmap_max:  # The original's last layers are then wider than its base level.
        raise UserError(f"fmap_base is {fmap_base} and fmap_max {fmap_max}: this system needs at least twice as much")
    fused = _one_of("fused_scale", keywords.get("fused_scale", "auto"), ("auto", True, False))
    return ModelConfig(
        size=(side, side),
        conditional=False,
        style_dim=style_dim,
        latent_dim=_whole(keywords, "latent_size", 512, MAX_WIDTH),
        mapping_layers=_whole(keywords, "mapping_layers", 8, MAX_LAYERS),
        mapping_lr_multiplier=float(lr_multiplier),
        fmap_base=fmap_base,
        fmap_max=fmap_max,
        stddev_group=_whole(discriminator.keywords, "mbstd_group_size", 4, MAX_WIDTH, least=2),
        # The discriminator computes the same either way.
        fused_from={"auto": 128, True: 0, False: 2 * side}[fused],
    )


def unknown_keywords(*networks):
    """Keywords that the original does not know; it ignores them."""
    return sorted(set().union(*(network.keywords for network in networks)) - _CHOSEN.keys() - _FREE - _SIZES)


def take_growth(generator, config):
    """(level, alpha) at which the generator stands, from its level of detail `lod`: 0 = full size, + 1 a halving."""
    lod = float(generator.take("lod", ()))
    generator.take("G_synthesis/lod", ())  # What drew last; the generator's own is handed down to it.
    if not 0 <= lod <= config.num_levels - 1:
        raise UserError(f"lod is {lod:g}: expected 0 to {config.num_levels - 1}")
    below, fade = divmod(lod, 1)
    return config.num_levels - 1 - int(below), 1 - fade


def take_noise(generator, config):
    """The fixed noise maps, [1, H, W, 1] each."""
    maps = []
    for layer, name in enumerate(variable_map.noise_names(config)):
        maps.append(variable_map.to_ours(name, generator.take(name, (1, 1, *config.level_sizes[layer // 2]))))
    return maps


def take_weights(network, entries):
    """{path of ours: value} of all entries; nothing else may be left in the network."""
    values = {entry.path: variable_map.to_ours(entry.name, network.take(entry.name, entry.shape)) for entry in entries}
    if network.variables:
        raise UserError(f"the pickle has the variable {shown(min(network.variables))}, which no StyleGAN has: refused")
    return values


def _variables(pairs):
    """{name: array} of the original's list of pairs."""
    values = {}
    for pair in pairs if isinstance(pairs, list) else [None]:
        match pair:
            case (str(name), Array(value=np.ndarray() as value)):
                values[name] = value
            case _:
                raise UserError("the pickle's variables are no list of names and arrays")
    return values


def _dict(state, key):
    value = state.get(key, {})
    if not isinstance(value, dict):
        raise UserError(f"the pickle's {key} are {shown(value)}; expected names and values")
    return value


def _plain(value):
    """A keyword's value; NumPy's scalars become Python's, tuples lists.

    Networks have no keywords that hold lists in lists, and comparing such values may not end: they become a word.
    """
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    if any(isinstance(part, (list, tuple, dict)) for part in parts):
        return "nested lists"
    if isinstance(value, Array) and value.value is not None and value.value.ndim == 0:
        return value.value.item()
    return list(value) if isinstance(value, tuple) else value


def _whole(keywords, key, default, most, least=1):
    value = keywords.get(key, default)
    if type(value) is not int or not least <= value <= most:
        raise UserError(f"{key} is {shown(value)}: expected a whole number from {least} to {most}")
    return value


def _one_of(key, value, choices):
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return choice
    raise UserError(f"{key} is {shown(value)}: expected one of {', '.join(map(str, choices))}")
