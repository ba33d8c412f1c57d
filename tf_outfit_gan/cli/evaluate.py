"""`outfit-gan evaluate`: measures snapshots, exports and served models against photos; see docs/metrics.md."""

import json
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.metrics.gate import check_gate, read_gate
from tf_outfit_gan.metrics.model_card import model_card
from tf_outfit_gan.metrics.protocol import COUNT, NEEDS, SPLIT, Protocol
from tf_outfit_gan.metrics.report import compare, report
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError

EXAMPLE = "runs/dolls --data data --split test --metrics all --pose-model runs/pose/estimator --masks catalogue/masks"
REMOTE = ("models", "data")


def add_arguments(parser):
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="+",
        help="snapshot folder, or a run folder for its newest one; folder of exported versions for its newest one, or one "
        "of them; or HOST:PORT of a server; two of them are compared",
    )
    main = parser.add_argument_group("main")
    main.add_argument("--data", metavar="DATA", required=True, help="folder that `outfit-gan prepare` wrote")
    main.add_argument("--split", choices=SPLITS, default=SPLIT, help="photos to compare with (default: %(default)s)")
    main.add_argument(
        "--count",
        type=arguments.whole(2),
        default=COUNT,
        metavar="N",
        help="photos and drawn pictures (default: %(default)s, or all photos if there are fewer)",
    )
    main.add_argument(
        "--metrics",
        metavar="NAMES",
        help=f"what to measure, out of {','.join(NEEDS)}, or all (default: distribution, with "
        "--pose-model also pose, with --masks also articles)",
    )
    main.add_argument(
        "--inception",
        metavar="FILE",
        help="weights of keras.applications.InceptionV3 without top, .h5 (default: the encoder of "
        "--pose-model or untrained features, not comparable with published FID)",
    )
    main.add_argument(
        "--pose-model", metavar="FILE", help="finds the poses of pictures: a pose estimator as for `outfit-gan pose`"
    )
    main.add_argument(
        "--masks",
        metavar="FOLDER",
        type=Path,
        help="where garments are: a gray picture ID.png a photo, of the slot's number at each pixel, as "
        "in a paper doll catalogue's masks/",
    )
    main.add_argument("--seed", type=arguments.seed, default=0, help="another seed draws other pictures (default: %(default)s)")
    main.add_argument(
        "--model_name", default="outfit_gan", help="the model's name on a server, as for request (default: %(default)s)"
    )
    performance = parser.add_argument_group("performance")
    performance.add_argument(
        "--batch",
        type=arguments.positive,
        default=16,
        metavar="N",
        help="pictures a batch; changes the time, not the result (default: %(default)s)",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--json", metavar="FILE", type=arguments.output_file(), help="write the result to this file, too")
    output.add_argument(
        "--sheet", metavar="FILE", type=arguments.output_file(), help="write a PNG of the best and worst pictures"
    )
    output.add_argument("--card", metavar="FILE", type=arguments.output_file(), help="write a model card, in Markdown")
    output.add_argument(
        "--gate",
        metavar="FILE",
        type=Path,
        help="exit with 1 where a figure is not as good as this JSON file asks; see docs/metrics.md",
    )
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    # Check: mistakes are reported before TensorFlow is imported.
    if len(args.models) > 2:
        raise UserError(f"{' '.join(args.models)}: expected one model, or two to compare")
    for option in ("sheet", "card", "gate"):
        if getattr(args, option) and len(args.models) > 1:
            raise UserError(f"--{option}: expected one model, got two to compare")
    gate = read_gate(args.gate) if args.gate else {}
    protocol = Protocol(_names(args), args.split, args.count, args.seed, args.batch, args.inception, args.pose_model, args.masks)
    dataset = open_dataset(args.data)

    # Measure and show.
    from tf_outfit_gan.metrics.measure import evaluate

    found = [evaluate(model, dataset, protocol, args.quiet, args.model_name) for model in args.models]
    print(report(found[0]) if len(found) == 1 else compare(*found))
    if args.json:
        results = [measurement.to_dict() for measurement in found]
        write_whole(args.json, json.dumps(results[0] if len(found) == 1 else results, indent=1) + "\n")
    if args.sheet:
        from tf_outfit_gan.metrics.cases import draw_cases

        draw_cases(found[0].cases, args.sheet)
    if args.card:
        write_whole(args.card, model_card(found[0]))
    for measurement in found:
        _keep_split(measurement)
    check_gate(gate, found[0].figures)


def _keep_split(measurement):
    """Stores the best split point with a snapshot, where `outfit-gan transfer` looks for it."""
    from tf_outfit_gan.snapshot import save_transfer_split

    split = measurement.figures.get("transfer.split")
    if measurement.fields["kind"] == "snapshot" and split and split.value is not None:
        try:
            save_transfer_split(measurement.name, split.value)
        except (OSError, UserError) as error:
            print(f"{measurement.name}: the split point is not stored there: {getattr(error, 'strerror', error)}")


def _names(args):
    """The metrics to measure: those that were asked for, or those that there are files for."""
    if args.metrics == "all":
        return tuple(NEEDS)
    if args.metrics:
        return tuple(args.metrics.split(","))
    return ("distribution", *(("pose",) if args.pose_model else ()), *(("articles",) if args.masks else ()))
