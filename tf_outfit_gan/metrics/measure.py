"""Measures a model against photos, for `evaluate` and for a training that watches itself.

Each photo lends its conditions and a seed to one drawn picture, without truncation. Photos and pictures pass in
batches; what is kept of them are numbers, and of a few extreme cases the pictures.
"""

from dataclasses import dataclass

from tf_outfit_gan.metrics.cases import Cases
from tf_outfit_gan.metrics.condition_fidelity import ArticleFidelity, PictureError, PoseFidelity
from tf_outfit_gan.metrics.distribution import Distribution
from tf_outfit_gan.metrics.edit_locality import EditLocality
from tf_outfit_gan.metrics.features import choose_features
from tf_outfit_gan.metrics.figure import Figure
from tf_outfit_gan.metrics.garment_regions import GarmentRegions
from tf_outfit_gan.metrics.perceptual_path_length import PerceptualPathLength
from tf_outfit_gan.metrics.person import Diversity, Identity
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.metrics.samples import stream
from tf_outfit_gan.metrics.subject import open_subject
from tf_outfit_gan.metrics.transfer_sweep import TransferSweep
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress


@dataclass(frozen=True)
class Measurement:
    """What was found: `fields` says of what, `figures` are {name: `Figure`}, `cases` have rows of pictures to show."""

    fields: dict
    figures: dict
    cases: list

    @property
    def name(self):
        """What was measured: a folder, or HOST:PORT."""
        return self.fields[self.fields["kind"]]

    def to_dict(self):
        """The measurement as `--json` writes it."""
        return self.fields | {"figures": {name: figure.to_dict() for name, figure in self.figures.items()}}

    @classmethod
    def from_dict(cls, found):
        """What `to_dict` made, without its cases; raises `KeyError` or `TypeError` for anything else."""
        figures = {name: Figure(**figure) for name, figure in found["figures"].items()}
        return cls({name: value for name, value in found.items() if name != "figures"}, figures, [])


def evaluate(place, dataset, protocol=Protocol(), quiet=True, model_name=None):
    """Measures what `open_subject` opens at a place; the rest is as for `measure`."""
    subject = open_subject(place, model_name)
    with progress("evaluate", min(protocol.count, dataset.count(protocol.split)), "pictures", quiet) as advance:
        return measure(subject, dataset, protocol, advance)


def measure(subject, dataset, protocol, advance):
    """Measures a model.

    Args:
        subject: the `Subject`.
        dataset: a prepared `Dataset` that holds the model's size, slots and, if it is conditional, poses.
        protocol: the `Protocol`; what the subject lacks of it is left out, and named in the result.
        advance: called with the number of entries that were measured.

    Returns:
        A `Measurement`.

    Raises:
        UserError: for files that do not load, data that do not fit the model, a diverged model, or where nothing that was
            asked for can be measured.
    """
    protocol.check(subject, dataset)
    asked = [metric for metric in dict.fromkeys(protocol.metrics) if metric not in subject.lacks]
    left_out = {metric: subject.lacks[metric] for metric in protocol.metrics if metric in subject.lacks}
    if not asked:
        reasons = "; ".join(f"{metric}: {reason}" for metric, reason in left_out.items())
        raise UserError(f"{subject.name}: nothing to measure of this {subject.kind}: {reasons}; evaluate its snapshot")
    count = min(protocol.count, dataset.count(protocol.split))
    samples = stream(
        dataset,
        protocol.split,
        subject.size,
        subject.condition_size if subject.conditional else None,
        subject.slots,
        count,
        protocol.batch,
        protocol.seed,
    )

    # What is measured, each with its best and worst cases.
    metrics, features = _metrics(subject, asked, dataset, protocol, count)
    cases = {metric: Cases(*metric.cases) for metric in metrics if hasattr(metric, "cases")}

    # Stream photos and pictures through all of it.
    for batch in samples:
        own = batch.own
        drawn = subject.sampler(batch.seeds(), own.articles, own.keypoints)
        for metric in metrics:
            scored = metric.add(batch, drawn)
            if metric in cases:
                cases[metric].add(batch, *scored)
        advance(len(own.ids))

    figures = {name: figure for metric in metrics for name, figure in metric.figures().items()}
    fields = {
        "kind": subject.kind,
        subject.kind: subject.name,
        **subject.details,
        "cur_nimg": subject.cur_nimg,
        "size": format_size(subject.size),
        "alpha": subject.alpha,
        "conditional": subject.conditional,
        "data": str(dataset.path),
        "split": protocol.split,
        "count": count,
        "count_asked": protocol.count,
        "seed": protocol.seed,
        "metrics": asked,
        "left_out": left_out,
        "files": protocol.files,
    }
    if features:
        fields |= {"features": features.name, "num_features": features.num_features}
    if "distribution" in asked:
        fields |= {"metric": features.metric, "value": figures["distribution.frechet_distance"].value}
    sweeps = [metric for metric in metrics if isinstance(metric, TransferSweep)]
    for sweep in sweeps:
        fields["transfer_curve"] = sweep.curve()
    return Measurement(fields, figures, [*cases.values(), *sweeps])


def _metrics(subject, asked, dataset, protocol, count):
    """The metrics that are asked for, and the features of the distribution or None."""
    size, slots, sampler = subject.size, subject.slots, subject.sampler
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
        "transfer": lambda: TransferSweep(size, subject.num_layers, regions, estimator, sampler),
    }
    pictures = [PictureError()] if subject.conditional else []
    return [make[name]() for name in asked] + pictures, features
