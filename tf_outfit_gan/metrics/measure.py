"""Measures a snapshot against photos, for `evaluate` and for a training that watches itself.

Each photo lends its conditions and a seed to one drawn picture, without truncation. Photos and pictures pass in
batches; what is kept of them are numbers, and of a few extreme cases the pictures.
"""

from dataclasses import dataclass

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.metrics.cases import Cases
from tf_outfit_gan.metrics.condition_fidelity import ArticleFidelity, PictureError, PoseFidelity
from tf_outfit_gan.metrics.distribution import Distribution
from tf_outfit_gan.metrics.edit_locality import EditLocality
from tf_outfit_gan.metrics.features import choose_features
from tf_outfit_gan.metrics.garment_regions import GarmentRegions
from tf_outfit_gan.metrics.parallel_sampler import ParallelSampler
from tf_outfit_gan.metrics.perceptual_path_length import PerceptualPathLength
from tf_outfit_gan.metrics.person import Diversity, Identity
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.metrics.samples import stream
from tf_outfit_gan.metrics.transfer_sweep import TransferSweep
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.progress import progress


@dataclass(frozen=True)
class Measurement:
    """What was found: `fields` says of what, `figures` are {name: `Figure`}, `cases` have rows of pictures to show."""

    fields: dict
    figures: dict
    cases: list

    def to_dict(self):
        """The measurement as `--json` writes it."""
        return self.fields | {"figures": {name: figure.to_dict() for name, figure in self.figures.items()}}


def evaluate(path, dataset, protocol=Protocol(), quiet=True):
    """Measures a snapshot folder, or the newest snapshot of a run folder; the rest is as for `measure`."""
    path = snapshots.newest(path)
    snapshot = snapshots.load(path)
    with progress("evaluate", min(protocol.count, dataset.count(protocol.split)), "pictures", quiet) as advance:
        return measure(path, snapshot, dataset, protocol, advance)


def measure(path, snapshot, dataset, protocol, advance, sampler=None):
    """Measures a snapshot in memory.

    Args:
        path: where it is saved, which the result and errors name.
        snapshot: the `Snapshot`.
        dataset: a prepared `Dataset` that holds the snapshot's size, slots and, if it is conditional, poses.
        protocol: the `Protocol`.
        advance: called with the number of entries that were measured.
        sampler: draws in the place of the snapshot's own `ParallelSampler`.

    Returns:
        A `Measurement`.

    Raises:
        UserError: for files that do not load, data that do not fit the snapshot, or a diverged snapshot.
    """
    config, size = snapshot.config, snapshot.size
    protocol.check(path, config, dataset)
    count = min(protocol.count, dataset.count(protocol.split))
    samples = stream(
        dataset,
        protocol.split,
        size,
        config.condition_size if config.conditional else None,
        config.slots,
        count,
        protocol.batch,
        protocol.seed,
    )

    # What is measured, each with its best and worst cases.
    sampler = sampler or ParallelSampler(path, snapshot)
    metrics, features = _metrics(snapshot, dataset, protocol, count, sampler)
    cases = {metric: Cases(*metric.cases) for metric in metrics if hasattr(metric, "cases")}

    # Stream photos and pictures through all of it.
    for batch in samples:
        own = batch.own
        drawn = sampler(batch.seeds(), own.articles, own.keypoints)
        for metric in metrics:
            scored = metric.add(batch, drawn)
            if metric in cases:
                cases[metric].add(batch, *scored)
        advance(len(own.ids))

    figures = {name: figure for metric in metrics for name, figure in metric.figures().items()}
    fields = {
        "snapshot": str(path),
        "cur_nimg": snapshot.cur_nimg,
        "size": format_size(size),
        "alpha": snapshot.alpha,
        "conditional": config.conditional,
        "data": str(dataset.path),
        "split": protocol.split,
        "count": count,
        "count_asked": protocol.count,
        "seed": protocol.seed,
        "metrics": list(protocol.metrics),
        "files": protocol.files,
    }
    if features:
        fields |= {"features": features.name, "num_features": features.num_features}
    if "distribution" in protocol.metrics:
        fields |= {"metric": features.metric, "value": figures["distribution.frechet_distance"].value}
    sweeps = [metric for metric in metrics if isinstance(metric, TransferSweep)]
    for sweep in sweeps:
        fields["transfer_curve"] = sweep.curve()
    return Measurement(fields, figures, [*cases.values(), *sweeps])


def _metrics(snapshot, dataset, protocol, count, sampler):
    """The metrics of a protocol, and the features of its distribution or None."""
    size, slots, asked = snapshot.size, snapshot.config.slots, protocol.metrics
    estimator = load_estimator(protocol.pose_model) if {"pose", "transfer"} & set(asked) else None
    regions = GarmentRegions(protocol.masks, size) if {"articles", "edits", "transfer"} & set(asked) else None
    features = None
    if {"distribution", "path_length"} & set(asked):
        features = choose_features(size, protocol.inception, protocol.pose_model)
    make = {
        "distribution": lambda: Distribution(dataset, protocol.split, size, count, features, protocol.seed),
        "path_length": lambda: PerceptualPathLength(sampler, features),
        "pose": lambda: PoseFidelity(size, estimator),
        "articles": lambda: ArticleFidelity(regions),
        "edits": lambda: EditLocality(regions, slots, sampler),
        "identity": lambda: Identity(sampler),
        "diversity": lambda: Diversity(sampler),
        "transfer": lambda: TransferSweep(size, snapshot.num_layers, regions, estimator, sampler),
    }
    pictures = [PictureError()] if snapshot.config.conditional else []
    return [make[name]() for name in dict.fromkeys(asked)] + pictures, features
