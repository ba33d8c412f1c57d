"""`outfit-gan evaluate`: the Frechet inception distance of a snapshot's pictures from the photos (arXiv 1706.08500).

Each photo of the measured ones lends its articles and its pose to one drawn picture, so both sides wear and do the same
in all; an unconditional snapshot draws from seeds alone. Beside the distance, each picture is compared with its photo:
see `fidelity`. Pictures are drawn without truncation (psi 1), pass through 8
bits as the photos did, and are measured at the snapshot's size. Nothing is mirrored on either side.
"""

import json
from pathlib import Path

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import open_dataset, write_whole
from tf_outfit_gan.errors import UserError
from tf_outfit_gan.progress import progress
from tf_outfit_gan.sizes import format_size

# The least that the authors of the distance recommend; with fewer pictures it comes out too large.
ENOUGH = 10_000


def add_arguments(parser):
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder for its newest one")
    main = parser.add_argument_group("Main")
    main.add_argument("--data", metavar="DATA", required=True, help="folder that `outfit-gan prepare` wrote")
    main.add_argument("--split", choices=SPLITS, default="train", help="photos to compare with (default: %(default)s)")
    main.add_argument("--count", type=int, default=50_000, metavar="N",
                      help="photos and drawn pictures (default: %(default)s, or all photos if there are fewer)")
    main.add_argument("--inception", metavar="FILE",
                      help="weights of keras.applications.InceptionV3 without top, .h5 (default: untrained features, "
                           "which do not give the standard score)")
    main.add_argument("--pose-model", metavar="FILE",
                      help="also tell how far poses are from what was asked for; a pose estimator as for "
                           "`outfit-gan pose`")
    main.add_argument("--masks", metavar="FOLDER", type=Path,
                      help="also tell how far garments' colours are from the photos'; a gray picture ID.png a photo, of "
                           "the slot's number at each pixel, as in a paper doll catalogue's masks/")
    main.add_argument("--seed", type=int, default=0, help="another seed draws other pictures (default: %(default)s)")
    run_options = parser.add_argument_group("Performance")
    run_options.add_argument("--batch", type=int, default=16, metavar="N",
                             help="pictures at once; changes the time, not the result (default: %(default)s)")
    output = parser.add_argument_group("Output")
    output.add_argument("--json", metavar="FILE", type=Path, help="write the result to this file, too")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    for name, least in (("count", 2), ("batch", 1)):
        if getattr(args, name) < least:
            raise UserError(f"--{name} {getattr(args, name)}: expected {least} or more")
    if not 0 <= args.seed < 2**31:
        raise UserError(f"--seed {args.seed}: expected 0 to {2**31 - 1}")
    if args.json and (args.json.is_dir() or not args.json.parent.is_dir()):
        raise UserError(f"--json {args.json}: expected the name of a file in a folder that is there")
    result = evaluate(args.snapshot, open_dataset(args.data), args.split, args.count, inception=args.inception,
                      pose_model=args.pose_model, masks=args.masks, seed=args.seed, batch=args.batch, quiet=args.quiet)
    print(_report(result))
    if args.json:
        write_whole(args.json, json.dumps(result, indent=1) + "\n")


def evaluate(path, dataset, split="train", count=50_000, *, inception=None, pose_model=None, masks=None, seed=0,
             batch=16, quiet=False):
    """Measures a snapshot and returns the result as a dict, as `--json` writes it.

    Args:
        path: a snapshot folder, or a run folder for its newest snapshot.
        dataset: a prepared `Dataset` that holds the snapshot's size, slots and, if it is conditional, poses.
        count: photos, from the first record on, and as many drawn pictures; all photos if there are fewer.
        inception: weights file for `InceptionFeatures`; None for `UntrainedFeatures`.
        pose_model, masks: file and folder for `Fidelity`, for a conditional snapshot only.
        seed: picture i is drawn from the seed 2^32 x seed + i, whatever the batch.

    Raises:
        UserError: for a snapshot or weights that do not load, data that do not fit them, or a diverged snapshot.
    """
    import tensorflow as tf

    from tf_outfit_gan import snapshot as snapshots
    from tf_outfit_gan.data.pipeline import batches
    from tf_outfit_gan.metrics.features import InceptionFeatures, UntrainedFeatures
    from tf_outfit_gan.metrics.fidelity import Fidelity
    from tf_outfit_gan.metrics.frechet import Moments, frechet_distance
    from tf_outfit_gan.picture import Painter
    from tf_outfit_gan.pixels import to_float, to_uint8
    from tf_outfit_gan.pose.estimators import load_estimator

    # Load the snapshot, and photos that fit it.
    path = snapshots.newest(path)
    snapshot = snapshots.load(path)
    config = snapshot.config
    _check_fit(path, config, dataset)
    fidelity = None
    if config.conditional:
        fidelity = Fidelity(snapshot.size, load_estimator(pose_model) if pose_model else None, masks)
    elif pose_model or masks:
        raise UserError(f"{path}: an unconditional snapshot is asked for no poses and colours; leave out --pose-model "
                        "and --masks")
    photos = batches(dataset, split, snapshot.size, config.condition_size if config.conditional else None, batch)
    available = dataset.count(split)
    if available < 2:
        raise UserError(f"{dataset.path}: {available} {split} entry; a distance needs 2 or more")

    # The networks, as one graph.
    features = InceptionFeatures(inception) if inception else UntrainedFeatures(snapshot.size)
    painter = Painter(snapshot)

    @tf.function(input_signature=[photos.element_spec, tf.TensorSpec([None], tf.int64)])
    def measure(entries, seeds):
        drawn = painter.picture(seeds, entries.get("articles"), entries.get("keypoints"))
        finite = tf.reduce_all(tf.math.is_finite(drawn))  # Rounding to 8 bits would hide what is not.
        drawn = to_uint8(drawn)
        return features(entries["image"]), features(to_float(drawn)), drawn, finite

    # Stream both sides through them.
    used = min(count, available)
    real, fake = Moments(features.num_features), Moments(features.num_features)
    with progress("evaluate", used, "pictures", quiet) as advance:
        for entries in photos:
            entries = {name: value[: used - real.count] for name, value in entries.items()}
            numbers = real.count + tf.range(len(entries["ids"]), dtype=tf.int64)
            of_photos, of_drawn, drawn, finite = measure(entries, seed * 2**32 + numbers)
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


def _report(result):
    """The result as a table of two columns, with notes on what weakens the number."""
    conditions = "each with a photo's articles and pose" if result["conditional"] else "from seeds alone"
    fading = "" if result["alpha"] >= 1 else f", its last level faded in to {result['alpha']:.2f}"
    rows = [
        (result["metric"], f"{result['value']:.4f}"),
        *_fidelity_rows(result),
        ("features", result["features"]),
        ("pictures", f"{result['count']} photos of {result['split']} and {result['count']} drawn, {conditions}"),
        ("snapshot", f"{result['snapshot']}: {result['cur_nimg'] / 1000:.1f} kimg, {result['size']}{fading}"),
        ("data", result["data"]),
    ]
    if result["count"] < result["count_asked"]:
        few = f"all photos of {result['split']} are used, fewer than the {result['count_asked']} asked for"
        rows.append(("note", few))
    if result["count"] < ENOUGH:
        rows.append(("note", "fewer pictures give a larger distance: compare with distances of as many only"))
    return "\n".join(f"{name:18}{value}" for name, value in rows)


def _fidelity_rows(result):
    """What `Fidelity` found, where there was something to find."""
    rows = []
    for name in ("picture_error", "colour_error"):
        if result.get(name) is not None:
            rows.append((name.replace("_", " "), f"{result[name]:.1f} of 255"))
    if result.get("pck") is not None:
        for name, key, unit in (("PCK@0.1", "pck", ""), ("joint distance", "joint_distance", " torso lengths")):
            rows.append((name, f"{result[key]:.3f}{unit} (in the photos {result[key + '_of_photos']:.3f})"))
    return rows
