"""Measures a snapshot against photos, for `evaluate` and for a training that watches itself: see `evaluate`."""

import tensorflow as tf

from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.inference import Painter
from tf_outfit_gan.metrics.features import InceptionFeatures, UntrainedFeatures
from tf_outfit_gan.metrics.frechet import Moments, frechet_distance
from tf_outfit_gan.pixels import to_float, to_uint8
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError


def measure(path, snapshot, dataset, split, count, inception, fidelity, seed, batch, advance):
    """Measures a snapshot in memory.

    Args:
        path: where it is saved, which the result and errors name.
        snapshot: the `Snapshot`.
        fidelity: a `Fidelity` for a conditional snapshot; None leaves it out.
        advance: called with the number of pictures that were measured.
        others: as for `evaluate`.

    Returns and raises what `evaluate` does.
    """
    # Photos that fit the snapshot.
    config = snapshot.config
    _check_fit(path, config, dataset)
    photos = batches(dataset, split, snapshot.size, config.condition_size if config.conditional else None, batch)
    available = dataset.count(split)
    if available < 2:
        raise UserError(f"{dataset.path}: {available} {split} entry; a distance needs 2 or more")

    # The networks, as one graph.
    features = InceptionFeatures(inception) if inception else UntrainedFeatures(snapshot.size)
    painter = Painter(snapshot)

    @tf.function(input_signature=[photos.element_spec, tf.TensorSpec([None], tf.int64)])
    def compare(entries, seeds):
        drawn = painter.picture(seeds, entries.get("articles"), entries.get("keypoints"))
        finite = tf.reduce_all(tf.math.is_finite(drawn))  # Rounding to 8 bits would hide what is not.
        drawn = to_uint8(drawn)
        return features(entries["image"]), features(to_float(drawn)), drawn, finite

    # Stream both sides through them.
    used = min(count, available)
    real, fake = Moments(features.num_features), Moments(features.num_features)
    for entries in photos:
        entries = {name: value[: used - real.count] for name, value in entries.items()}
        numbers = real.count + tf.range(len(entries["ids"]), dtype=tf.int64)
        of_photos, of_drawn, drawn, finite = compare(entries, seed * 2**32 + numbers)
        if not finite:
            raise UserError(f"{path}: draws pictures that are not finite; choose an earlier snapshot")
        real.add(of_photos)
        fake.add(of_drawn)
        if fidelity:
            ids = [entry.decode() for entry in entries["ids"].numpy()]
            fidelity.add(ids, to_uint8(entries["image"]), drawn, entries["keypoints"])
        advance(len(numbers))
        if real.count == used:
            break

    distance = frechet_distance(real.mean, real.covariance, fake.mean, fake.covariance)
    return {
        "metric": features.metric, "value": distance, "features": features.name, "num_features": features.num_features,
        "count": used, "count_asked": count, "split": split, "seed": seed, "size": format_size(snapshot.size),
        "snapshot": str(path), "cur_nimg": snapshot.cur_nimg, "alpha": snapshot.alpha,
        "conditional": config.conditional, "data": str(dataset.path),
        **(fidelity.result() if fidelity else {}),
    }


def _check_fit(path, config, dataset):
    """Refuses data that lack what a conditional snapshot draws from; the pipeline refuses sizes that are not there."""
    if config.conditional and tuple(dataset.slots) != tuple(config.slots):
        raise UserError(f"{dataset.path}: holds the slots {', '.join(dataset.slots)}, but {path} was trained with "
                        f"{', '.join(config.slots)}; choose the data that it was trained on")
    if config.conditional and not dataset.has_keypoints:
        raise UserError(f"{dataset.path}: not every entry has keypoints, which {path} needs; prepare data with poses")
