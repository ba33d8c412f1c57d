"""`outfit-gan evaluate`: the Frechet inception distance of a snapshot's pictures from the photos (arXiv 1706.08500).

Each photo of the measured ones lends its articles and its pose to one drawn picture, so both sides wear and do the same
in all; an unconditional snapshot draws from seeds alone. Beside the distance, each picture is compared with its photo:
see `fidelity`. Pictures are drawn without truncation (psi 1), pass through 8 bits as the photos did, and are measured
at the snapshot's size. Nothing is mirrored on either side.
"""

import json
from pathlib import Path

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress

# The least that the authors of the distance recommend; with fewer pictures it comes out too large.
ENOUGH = 10_000

# What is measured unless something else is asked for.
SPLIT, COUNT = "train", 50_000


def add_arguments(parser):
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder for its newest one")
    main = parser.add_argument_group("Main")
    main.add_argument("--data", metavar="DATA", required=True, help="folder that `outfit-gan prepare` wrote")
    main.add_argument("--split", choices=SPLITS, default=SPLIT, help="photos to compare with (default: %(default)s)")
    main.add_argument("--count", type=int, default=COUNT, metavar="N",
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


def evaluate(path, dataset, split=SPLIT, count=COUNT, *, inception=None, pose_model=None, masks=None, seed=0,
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
    from tf_outfit_gan import snapshot as snapshots
    from tf_outfit_gan.metrics.fidelity import Fidelity
    from tf_outfit_gan.metrics.measure import measure
    from tf_outfit_gan.pose_estimation import load_estimator

    path = snapshots.newest(path)
    snapshot = snapshots.load(path)
    fidelity = None
    if snapshot.config.conditional:
        fidelity = Fidelity(snapshot.size, load_estimator(pose_model) if pose_model else None, masks)
    elif pose_model or masks:
        raise UserError(f"{path}: an unconditional snapshot is asked for no poses and colours; leave out --pose-model "
                        "and --masks")
    with progress("evaluate", min(count, dataset.count(split)), "pictures", quiet) as advance:
        return measure(path, snapshot, dataset, split, count, inception, fidelity, seed, batch, advance)


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
