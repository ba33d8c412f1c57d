"""The configuration of a model and of its training, and the presets.

A configuration travels as JSON with everything that depends on it (run folder, snapshot, export), so that any weights
can rebuild their network. Sizes are (height, width).
"""

import dataclasses
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tf_outfit_gan.sizes import format_size, levels_of, parse_size
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

# The mixed ones convolve and multiply matrices in 16 bits. Weights, their gradients, the optimizers' state, averages,
# normalization statistics and losses are float32 in all of them.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """What the two networks are. Numbers without a note are StyleGAN's own (arXiv 1812.04948)."""

    size: tuple[int, int] = (1024, 768)  # (height, width) of the pictures, once they are fully grown.
    conditional: bool = True  # Whether articles and a pose are given; without them a picture comes from a latent alone.
    slots: tuple[str, ...] = SLOTS  # Kinds of articles, in the order of the data set, which decides.
    condition_size: tuple[int, int] = (128, 96)  # Articles and heatmaps enter the embedding networks at this size.
    heatmap_gain: float = 4.0  # Scales the heatmaps beside the articles where both enter the embedding networks.
    # How conditions enter besides through the embeddings, as measured in docs/measured.md. The first choice is the paper's.
    condition_norm: str = "joint"  # Latent and embedding are normalized as one vector, or "apart": each by itself.
    pose_path: str = "style"  # "style": the pose reaches the generator through w alone; "spatial": also as maps.
    article_path: str = "style"  # "style": articles through the embeddings; "worn": also laid over the body, in both networks.
    discriminator_pose: str = "embedding"  # "embedding": the pose in the projection alone; "spatial": also as maps.
    maps_to_rgb: bool = False  # The generator's maps also reach the picture past AdaIN, which normalizes them.
    composition: bool = False  # The generator chooses, pixel by pixel, between its own colors and the articles laid over it.
    article_differences: bool = False  # The discriminator also sees how far each pixel is from the articles laid over it.
    projection: str = "full"  # "full": Miyato & Koyama (1802.05637); "inner": the inner product alone.
    latent_dim: int = 512  # Z, numbers of a latent.
    style_dim: int = 512  # D, numbers of a style vector.
    embedding_dim: int = 512  # E, numbers that articles and pose become.
    mapping_layers: int = 8  # Of latent and embedding to the style vector.
    mapping_lr_multiplier: float = 0.01  # The mapping network's learning rate, as a part of the others'.
    fmap_base: int = 8192  # The level of 2^r pixels has min(fmap_base / 2^(r-1), fmap_max) feature maps.
    fmap_max: int = 512  # See `fmap_base`.
    fused_from: int = 128  # Levels of this many pixels (the shorter side) upsample as StyleGAN's "fused" ones do.
    noise_injection: bool = True  # Each style layer adds noise to its features; without, a latent decides all detail.
    skips: bool = False  # Every level adds to the picture, and sees it: StyleGAN2's skips (1912.04958, figure 7b).
    stddev_group: int = 4  # Pictures whose spread the discriminator sees together (minibatch stddev).

    def __post_init__(self) -> None:
        _one_of("condition_norm", self.condition_norm, ("joint", "apart"))
        _one_of("pose_path", self.pose_path, ("style", "spatial"))
        _one_of("article_path", self.article_path, ("style", "worn"))
        _one_of("discriminator_pose", self.discriminator_pose, ("embedding", "spatial"))
        _one_of("projection", self.projection, ("full", "inner"))
        if self.maps_to_rgb and not any(self.generator_maps.values()):
            raise UserError(
                "maps_to_rgb: no condition enters the generator as maps; set article_path to worn or pose_path to spatial"
            )
        if self.composition and not self.generator_maps["worn"]:
            raise UserError("composition: the generator has no maps of articles; set article_path to worn")
        if self.article_differences and not self.discriminator_maps["worn"]:
            raise UserError("article_differences: articles do not enter the discriminator as maps; set article_path to worn")
        if self.channels(self.num_levels - 1) < 1:
            raise UserError(
                f"fmap_base {self.fmap_base}: leaves no feature map at {format_size(self.size)}; expected "
                f"{2**self.num_levels} or more"
            )
        # A level of the picture is never above the picture's size.
        if self.conditional and self.condition_size not in self.level_sizes:
            raise UserError(
                f"condition_size {format_size(self.condition_size)} is no level of {format_size(self.size)}: "
                f"choose one of {', '.join(map(format_size, self.level_sizes))}"
            )

    @property
    def level_sizes(self) -> list[tuple[int, int]]:
        """The size of each level, from the base (4x3, or 4x4 for squares) to the full picture."""
        return levels_of(self.size)

    @property
    def num_levels(self) -> int:
        return len(self.level_sizes)

    @property
    def num_layers(self) -> int:
        """Style layers, two a level (18 at 1024x768)."""
        return 2 * self.num_levels

    @property
    def generator_maps(self) -> dict[str, bool]:
        """Which conditions enter the synthesis network as maps."""
        return self._maps(self.pose_path)

    @property
    def discriminator_maps(self) -> dict[str, bool]:
        """Which conditions enter the discriminator as maps."""
        return self._maps(self.discriminator_pose)

    @property
    def drawn_channels(self) -> int:
        """What a level draws: colors, and with `composition` each article's log odds against them."""
        return 3 + len(self.slots) * self.composition

    def _maps(self, pose: str) -> dict[str, bool]:
        return {"pose": self.conditional and pose == "spatial", "worn": self.conditional and self.article_path == "worn"}

    def channels(self, level: int) -> int:
        """Feature maps at a level; level 0 is the base."""
        return min(self.fmap_base >> (level + 1), self.fmap_max)


_KEPT = ("keep_snapshots", "keep_training", "keep_grids")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained. "kimg" = thousand real images shown to the discriminator: the one clock of a run."""

    total_kimg: float = 25000  # The run ends after so many.
    start_level: int = 1  # Training starts at 8 pixels height, as the original does.
    fade_kimg: float = 600  # Each level after the first fades in for this long ...
    stable_kimg: float = 600  # ... and every level but the last is then trained alone for this long.
    batch_size: int = 0  # In all, over all replicas. 0 = StyleGAN's own, by level and number of replicas.
    micro_batch: int = 0  # Pictures a micro-batch, of which a replica computes one after another. 0 = its whole share.
    learning_rate: float = 0  # 0 = StyleGAN's own, by level.
    adam_beta2: float = 0.99  # Adam's decay of second moments; the first moment's is 0.
    r1_gamma: float = 10.0  # Weight of the gradient penalty R1.
    r1_interval: int = 1  # R1 every so many steps, scaled to the same mean strength; 1 = every step.
    mismatch_weight: float = 0.0  # Of real photos under wrong conditions in the discriminator's loss; 0 = off.
    mismatch: str = "entry"  # What is wrong: all of an "entry", or one of its "parts": the pose or one article.
    paired_weight: float = 0.0  # Of the energy score of a photo under the pictures of its conditions, for the generator; 0 = off.
    ada_target: float = 0.0  # Mean sign of the reals' scores that adaptive augmentation holds: 0.6 in ADA; 0 = off.
    ada_kimg: float = 500  # Its probability goes from 0 to 1 in this long at most.
    mixing_probability: float = 0.9  # Of a picture with the styles of two latents.
    ema_halflife_kimg: float = 10.0  # Of the averaged generator, which snapshots hold.
    mirror: bool = True  # Half of the photos are shown mirrored, with their poses.
    precision: str = "float32"  # Or mixed_bfloat16, mixed_float16.
    # Speed on GPUs, see docs/speed.md. Results differ by rounding.
    xla: bool = False  # XLA compiles what a replica computes. For GPUs: on processors a step takes several times longer.
    tf32: bool = False  # GPUs may round the factors of float32 products to 11 bits. Off, as in StyleGAN2-ADA's code.
    deterministic: bool = False  # Only kernels that give the same result every time; slower on GPUs.
    recompute_from: int = 0  # Generator levels of this height and above take less memory, more time; 0 = none.
    nonfinite: str = "stop"  # "stop" ends the run at a value that is not finite, "skip" leaves that update out.
    stall_sec: float = 120  # The log reports a stall after this long without a step, if calls usually take far less.
    seed: int = 0  # Of all random draws and of the order of the data.
    steps_per_call: int = 8  # Steps in one call into the graph, which keeps Python out of the inner loop.
    tick_kimg: float = 4  # A line in the log, in stats.jsonl and in TensorBoard this often.
    snapshot_kimg: float = 200  # A snapshot and a grid of pictures this often, and at the end.
    checkpoint_kimg: float = 50  # A checkpoint this often, to resume from.
    keep_snapshots: int = 32  # The newest and a thinned history stay, and the best by metrics: `training.retention`. 0 = all.
    keep_training: int = 4  # The newest so many snapshots keep their training networks, and the best one; 0 = all.
    keep_grids: int = 64  # As of snapshots.
    metrics_kimg: float = 0  # The first snapshot after so many is measured as `evaluate` does, and the last; 0 = none.

    def __post_init__(self) -> None:
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("mismatch", self.mismatch, ("entry", "parts"))
        _one_of("nonfinite", self.nonfinite, ("stop", "skip"))
        if not 0 <= self.ada_target < 1 or not self.ada_kimg > 0:
            raise UserError(
                f"ada_target {self.ada_target:g}, ada_kimg {self.ada_kimg:g}: expected a target from 0 (off) to "
                "below 1, and thousands of images above 0"
            )
        for name in ("r1_interval", "steps_per_call", "stall_sec"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("start_level", "fade_kimg", "stable_kimg", "batch_size", "micro_batch", "learning_rate", *_KEPT):
            if not getattr(self, name) >= 0:
                raise UserError(f"{name} must not be negative, got {getattr(self, name)}")


# Each preset: (what differs from ModelConfig, what differs from TrainingConfig).
_SPATIAL = dict(condition_norm="apart", pose_path="spatial", article_path="worn", discriminator_pose="spatial")
_MISMATCH = dict(mismatch_weight=1, mismatch="parts")
_SMALL = dict(
    condition_size=(32, 24),
    fmap_base=512,
    fmap_max=64,
    latent_dim=128,
    style_dim=256,
    embedding_dim=256,
    mapping_layers=2,
    mapping_lr_multiplier=0.1,
    noise_injection=False,
    composition=True,
    **_SPATIAL,
)
_QUICK = dict(
    start_level=3,
    batch_size=32,
    learning_rate=0.004,
    r1_gamma=3,
    r1_interval=16,
    ema_halflife_kimg=2,
    precision="mixed_bfloat16",
    paired_weight=30,
    **_MISMATCH,
)
PRESETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # The paper's form, and its 115 and 160 epochs of 380,000 entries.
    "paper": (dict(), dict(total_kimg=43_700)),
    "paper-unconditional": (dict(conditional=False), dict(total_kimg=60_800)),
    "512x384": (dict(size=(512, 384), **_SPATIAL), dict(**_MISMATCH)),
    "256x192": (dict(size=(256, 192), condition_size=(64, 48), **_SPATIAL), dict(**_MISMATCH)),
    "128x96": (dict(size=(128, 96), condition_size=(64, 48), **_SPATIAL), dict(**_MISMATCH)),
    # What two cores train in hours and in minutes.
    "64x48": (dict(size=(64, 48), **_SMALL), dict(total_kimg=400, fade_kimg=40, stable_kimg=160, **_QUICK)),
    # The shipped model's, as its last run was, at 128x96. Its first run, from 32x24 on, had another rate, R1 and no skips:
    # `shipped_model/recipe.json` has all.
    "dolls": (
        dict(
            size=(128, 96),
            **{**_SMALL, "condition_size": (64, 48), "fmap_base": 1024, "fmap_max": 48},
            skips=True,
            maps_to_rgb=True,
            article_differences=True,
        ),
        {
            **_QUICK,
            **dict(
                total_kimg=3000,
                fade_kimg=16,
                stable_kimg=600,
                learning_rate=0.001,
                r1_gamma=1.5,
                mismatch_weight=3,
                ema_halflife_kimg=5,
                snapshot_kimg=40,
            ),
        },
    ),
    "demo": (dict(size=(32, 24), **_SMALL), dict(total_kimg=1000, **_QUICK)),
    "tiny": (
        dict(
            size=(16, 12),
            condition_size=(16, 12),
            fmap_base=64,
            fmap_max=8,
            latent_dim=8,
            style_dim=8,
            embedding_dim=8,
            mapping_layers=2,
            **_SPATIAL,
        ),
        dict(
            total_kimg=0.128,
            start_level=1,
            fade_kimg=0.032,
            stable_kimg=0.032,
            batch_size=8,
            steps_per_call=2,
            tick_kimg=0.032,
            snapshot_kimg=0.064,
            checkpoint_kimg=0.032,
        ),
    ),
}


Config = TypeVar("Config", ModelConfig, TrainingConfig)


def from_preset(name: str, overrides: Iterable[str] = ()) -> tuple[ModelConfig, TrainingConfig]:
    """Returns (ModelConfig, TrainingConfig) of a preset, changed by "key=value" strings.

    Raises:
        UserError: for an unknown preset or key, or a value of the wrong kind.
    """
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}: {suggestion(name, PRESETS)}")
    return with_overrides(*PRESETS[name], overrides)


def with_overrides(
    model: Mapping[str, Any], training: Mapping[str, Any], overrides: Iterable[str] = ()
) -> tuple[ModelConfig, TrainingConfig]:
    """Returns (ModelConfig, TrainingConfig) of {name: value} for each, changed by "key=value" strings.

    Raises:
        UserError: for an unknown key, or a value of the wrong kind.
    """
    parts: tuple[dict[str, Any], dict[str, Any]] = dict(model), dict(training)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise UserError(f"--set {override!r}: expected key=value")
        part = parts[key not in MODEL_FIELDS]
        if key not in FIELDS:
            raise UserError(f"--set: unknown key {key!r}: {suggestion(key, FIELDS)}")
        try:
            part[key] = parse_value(key, text)
        except UserError as error:
            raise UserError(f"--set {key}={text}: {error}") from None
    return ModelConfig(**parts[0]), TrainingConfig(**parts[1])


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name: names that look like it, or else all."""
    close = difflib.get_close_matches(name, known, cutoff=0.7)
    return f"did you mean {' or '.join(close)}?" if close else f"expected one of {', '.join(known)}"


def to_dict(config: ModelConfig | TrainingConfig) -> dict[str, Any]:
    """What `to_json` writes; tuples are lists, as in JSON."""
    return json.loads(to_json(config))


def to_json(config: ModelConfig | TrainingConfig) -> str:
    return json.dumps(dataclasses.asdict(config), indent=2)


def from_json(cls: type[Config], text: str) -> Config:
    """Rebuilds a configuration from `to_json`."""
    return from_dict(cls, json.loads(text))


def from_dict(cls: type[Config], values: Mapping[str, Any]) -> Config:
    """Rebuilds a configuration from `to_dict`; lists become tuples again."""
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return cls(**fields)


MODEL_FIELDS, TRAINING_FIELDS = (
    {field.name: field.type for field in dataclasses.fields(c)} for c in (ModelConfig, TrainingConfig)
)
FIELDS = MODEL_FIELDS | TRAINING_FIELDS  # The type of each setting; no name is in both.


def parse_value(key: str, text: str) -> object:
    """Reads the text of a setting's value; raises `UserError` for a value of another kind."""
    kind: Any = FIELDS[key]
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[text.lower()]
        if kind in (int, float, str):
            return kind(text)
        return tuple(text.split(",")) if key == "slots" else parse_size(text)
    except (KeyError, UserError, ValueError):
        raise UserError(f"expected a value such as {example(key)}") from None


def example(key: str) -> str:
    """A value of a setting's kind, for messages."""
    kind: Any = FIELDS[key]
    sizes_and_slots = "top,bottom" if key == "slots" else "128x96"
    return {bool: "true or false", int: "8", float: "0.5", str: "a word"}.get(kind, sizes_and_slots)


def _one_of(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UserError(f"{name} {value!r}: expected one of {', '.join(choices)}")
