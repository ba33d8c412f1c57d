"""Fine-tuning: a run that starts from another model, smaller or without conditions as it may be.

What both models have is taken, and what only the new one has, feature maps too, is made so that it changes no picture: the
run begins where the other one stands. Noise alone may be left out, which changes detail.
"""

import dataclasses
import re

import numpy as np

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from training.run_folder import read_config

# What two models have to share, and what two conditional ones have to: each of these says what the weights mean.
_SHARED = (
    "latent_dim",
    "style_dim",
    "mapping_layers",
    "mapping_lr_multiplier",
    "fused_from",
    "stddev_group",
)
_SHARED_CONDITIONS = ("conditional", "slots", "condition_size", "embedding_dim", "projection", "condition_norm")
# Each network's maps enter through one convolution, which has a kernel for all of them or none.
_SHARED_MAPS = (("generator_maps", ("pose_path", "article_path")), ("discriminator_maps", ("discriminator_pose", "article_path")))
# What a model may add to what the other one has, and must not leave out.
_ADDED = ("skips", "maps_to_rgb", "article_differences", "composition")
UNLIKELY = -4.0  # Log odds of an article that nearly does not show.
_JOINING = "mapping/hidden/0/kernel"
_DRAWS = re.compile(r"synthesis/levels/\d+/(to_rgb|maps_to_rgb/out)/")


def resolve_init(folder, init, model_config, config, chosen):
    """Resolves where a run starts, before TensorFlow is imported.

    Args:
        folder: of the run. What it has been started from counts: to resume, the other model need not be there any more.
        init: a snapshot or run folder, which means its newest snapshot; None = weights are fresh.
        model_config, config: the `ModelConfig` and `TrainingConfig`.
        chosen: whether the start level was; it is that of the other model otherwise.

    Returns:
        The path of the snapshot, None for fresh weights, and the `TrainingConfig` with the start level.

    Raises:
        UserError: when there is no such snapshot, or it does not fit the model.
    """
    if (folder / "config.json").exists():
        before = read_config(folder)
        origin, level = before.get("init"), before["training"]["start_level"]
        if init and not origin:
            raise UserError(
                f"{folder}: holds a run that did not start from another model; choose a new folder for one "
                f"that starts from {init}"
            )
    elif init:
        source = snapshots.read(init)
        origin, level = str(snapshots.newest(init).resolve()), _whole_level(source)
        _check(init, source.config, level, model_config)
        if model_config.skips and chosen and config.start_level != level:
            raise UserError(
                f"--init {init}: with skips the levels below add up to the picture of the level where it stands; "
                f"leave start_level out, or set {level}"
            )
    else:
        origin = None
    if origin and not chosen:
        config = dataclasses.replace(config, start_level=level)
    return origin, config


def _whole_level(source):
    """The level where a source stands: one that is still fading in is not yet one to stand on."""
    return source.level - (source.alpha < 1)


def _check(init, source, level, model):
    """Refuses a source whose weights would mean something else in the model."""
    names = _SHARED + (_SHARED_CONDITIONS if source.conditional else ())
    for maps, settings in _SHARED_MAPS:
        if any(getattr(source, maps).values()):
            names += settings
    names = tuple(dict.fromkeys(names)) + tuple(name for name in _ADDED if getattr(source, name))
    if not _holds_feature_maps(source, model):
        names += ("fmap_base", "fmap_max")
    if "slots" in names and source.slots != model.slots:
        raise UserError(
            f"--init {init}: has the slots {', '.join(source.slots)}, the data {', '.join(model.slots)}: prepare the data "
            f"with --slots {','.join(source.slots)}"
        )
    others = [name for name in names if getattr(source, name) != getattr(model, name)]
    if others:
        settings = " ".join(f"--set {name}={_shown(getattr(source, name))}" for name in others)
        asked = ", ".join(f"{name}={_shown(getattr(model, name))}" for name in others)
        raise UserError(f"--init {init}: made with other settings than {asked}; add {settings}")
    if source.level_sizes[0] != model.level_sizes[0]:
        ours, theirs = (format_size(config.level_sizes[0]) for config in (model, source))
        raise UserError(
            f"--init {init}: grows from {theirs}, this model from {ours}; choose a size that is "
            f"{format_size(source.size)} doubled or halved"
        )
    if level >= model.num_levels:
        raise UserError(
            f"--init {init}: draws {format_size(source.level_sizes[level])}, this model only "
            f"{format_size(model.size)}; choose that size or a larger one"
        )


def _holds_feature_maps(source, model):
    """Whether each level has the source's feature maps, and the base no more: the embedding is as wide as the base."""
    levels = range(1, min(source.num_levels, model.num_levels))
    return source.channels(0) == model.channels(0) and all(source.channels(i) <= model.channels(i) for i in levels)


def _shown(value):
    if isinstance(value, tuple):
        return format_size(value) if isinstance(value[0], int) else ",".join(value)
    return str(value).lower() if isinstance(value, bool) else value


def load_init(steps, path):
    """Gives fresh `Steps` the weights of a snapshot. Returns lines for the log: what was taken, and what is new."""
    source = snapshots.load(path, training=True)
    with steps.strategy.scope():
        _take(source, source.generator, steps.average)
        generator, discriminator = source.training or (source.generator, None)
        parts = [f"generator {_take(source, generator, steps.generator)}"]
        if discriminator:
            parts.append(f"discriminator {_take(source, discriminator, steps.discriminator)}")
        else:
            parts.append("the snapshot has no training/: the generator starts as the average, the discriminator afresh")
    where = f"{source.cur_nimg / 1000:.1f} kimg at {format_size(source.size)}"
    return [f"starting from {path}, {where}: {'; '.join(parts)}"]


def _take(source, theirs, ours):
    """Assigns what a network of the source has, and prepares the rest; says in words what is which."""
    from training.checkpoint import named_weights

    config = ours.config
    skips = config.skips and not source.config.skips
    theirs, ours, new, wider = named_weights(theirs), named_weights(ours), [], []
    for name, weight in ours.items():
        if skips and _adds(name, _whole_level(source)):
            weight.assign(np.zeros(weight.shape, np.float32))
        elif name == _JOINING and not source.config.conditional:
            # The embedding's rows join those of the latent, and the equalized layer scales more rows down. Normalizing
            # the joined vector makes up for that exactly, as long as the embedding is zero; otherwise the kernel does.
            rows = theirs[name].shape[0]
            scale = (weight.shape[0] / rows) ** 0.5 if config.condition_norm == "apart" else 1.0
            weight.assign(np.concatenate([theirs[name].numpy() * scale, weight.numpy()[rows:]]))
        elif name in theirs:
            taken = theirs[name].numpy()
            if _DRAWS.match(name) and taken.shape[-1] < weight.shape[-1]:
                # With skips the odds of all levels add up.
                decides = re.match(r"synthesis/levels/\d+/to_rgb/bias", name) and (not config.skips or "/levels/0/" in name)
                taken = _with_odds(taken, weight.shape[-1], UNLIKELY if decides else 0.0)
            if taken.shape != weight.shape:
                wider.append(_place(name))
                taken = _widened(taken, weight.numpy().copy(), groups=2 if "/adain/affine/" in name else 1)
            weight.assign(taken)
        else:
            new.append(_place(name))
            if _silent(name, source.config):
                weight.assign(np.zeros(weight.shape, np.float32))
    text = f"{len(ours) - len(new)} of {len(ours)} weights"
    for kind, places in (("with more feature maps", wider), ("new", new)):
        text += f", {kind}: {', '.join(dict.fromkeys(places))}" if places else ""
    return text


def _place(name):
    """The part of a network that a weight is in, a level where there are levels."""
    return re.match(r"\w+(/levels)?(/\d+)?", name)[0]


def _with_odds(colors, outputs, odds):
    """Weights that draw colors, and now the same odds of each article, too."""
    return np.concatenate([colors, np.full((*colors.shape[:-1], outputs - colors.shape[-1]), odds, np.float32)], axis=-1)


def _widened(theirs, fresh, groups):
    """The weights of a layer that has more feature maps now. Those that were there do not read the new ones yet.

    Args:
        theirs: a kernel [..., in, out] or a bias [out].
        fresh: the larger weights as they are initialized, which the new feature maps keep.
        groups: the parts of the outputs that have all feature maps each: scale and shift are two.
    """
    outputs = theirs.shape[-1] // groups
    wide, old = (weights.reshape(*weights.shape[:-1], groups, -1) for weights in (fresh, theirs))
    if theirs.ndim == 1:
        wide[:, :outputs] = old
    else:
        inputs = theirs.shape[-2]
        # The equalized layer scales more inputs down.
        wide[..., :inputs, :, :outputs] = old * (fresh.shape[-2] / inputs) ** 0.5
        wide[..., inputs:, :, :outputs] = 0
    return wide.reshape(fresh.shape)


def _silent(name, config):
    """Whether a new weight starts at zero: the last one on a way by which conditions come into trained layers."""
    if name.startswith("embedding/out/"):
        return not config.conditional
    if "maps_to_rgb/out/" in name or name.startswith("from_differences/"):
        return True
    maps = config.discriminator_maps if name.startswith("from_maps/") else config.generator_maps
    return "from_maps/" in name and not any(maps.values())


def _adds(name, level):
    """Whether a weight adds, with skips, to the picture that a level drew alone, or to what the discriminator saw of it."""
    to_rgb = re.match(r"synthesis/levels/(\d+)/to_rgb/", name)
    from_rgb = re.match(r"from_(?:rgb|maps)/(\d+)/", name)
    return bool(to_rgb and int(to_rgb[1]) != level or from_rgb and int(from_rgb[1]) < level)
