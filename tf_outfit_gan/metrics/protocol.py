"""How a snapshot is measured: which metrics, on what, and with which files. Known before TensorFlow is imported."""

from dataclasses import dataclass
from pathlib import Path

from tf_outfit_gan.util.errors import UserError

# Each metric, and the files that it needs beside data.
NEEDS = {
    "distribution": (),
    "path_length": (),
    "pose": ("pose_model",),
    "articles": ("masks",),
    "edits": ("masks",),
    "identity": (),
    "diversity": (),
    "transfer": ("pose_model", "masks"),
}

# What is measured unless something else is asked for.
SPLIT, COUNT = "train", 50_000


@dataclass(frozen=True)
class Protocol:
    """What decides about the result, beside the snapshot and the data.

    Args:
        metrics: names of `NEEDS`.
        split: of the data.
        count: photos, from the first record on, and as many drawn pictures; all photos if there are fewer.
        seed: picture i is drawn from the seed 2^32 x seed + i, whatever the batch.
        batch: pictures a batch.
        inception: weights file for `InceptionFeatures`; None for other features.
        pose_model: file of a pose model; None leaves out what needs it.
        masks: folder for `GarmentRegions`; None leaves out what needs it.

    Raises:
        UserError: for an unknown metric, or one whose file is missing.
    """

    metrics: tuple = ("distribution",)
    split: str = SPLIT
    count: int = COUNT
    seed: int = 0
    batch: int = 16
    inception: Path | None = None
    pose_model: Path | None = None
    masks: Path | None = None

    def __post_init__(self):
        for metric in self.metrics:
            if metric not in NEEDS:
                raise UserError(f"--metrics {metric}: unknown; expected names out of {','.join(NEEDS)}")
            for file in NEEDS[metric]:
                if getattr(self, file) is None:
                    raise UserError(f"--metrics {metric}: needs --{file.replace('_', '-')}")

    @property
    def files(self):
        """The files that it uses, {option: path}."""
        options = {"inception": self.inception, "pose-model": self.pose_model, "masks": self.masks}
        return {option: str(path) for option, path in options.items() if path is not None}

    def check(self, subject, dataset):
        """Raises `UserError` where a `Subject` or the data cannot be measured so."""
        conditional = [metric for metric in self.metrics if metric not in ("distribution", "path_length")]
        if conditional and not subject.conditional:
            raise UserError(
                f"{subject.name}: an unconditional model has no conditions to follow; leave out {', '.join(conditional)}"
            )
        count = dataset.count(self.split)
        if count < 2:
            raise UserError(f"{dataset.path}: {count} {self.split} entry; a measurement needs 2 or more")
        if subject.conditional and tuple(dataset.slots) != tuple(subject.slots):
            raise UserError(
                f"{dataset.path}: holds the slots {', '.join(dataset.slots)}, but {subject.name} was trained with "
                f"{', '.join(subject.slots)}; choose the data that it was trained on"
            )
        if subject.conditional and not dataset.has_keypoints:
            raise UserError(f"{dataset.path}: not every entry has keypoints, which {subject.name} needs; prepare data with poses")
