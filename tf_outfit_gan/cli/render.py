"""`outfit-gan render`: pictures of an outfit from a snapshot, for one or many seeds and poses.

One outfit in many poses, and an outfit with an article added, are the paper's (arXiv 1908.08847, figure 5).
"""

import dataclasses
from pathlib import Path

from PIL import Image

from tf_outfit_gan import outfit_request
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.outfit_request import MAX_PSI, OUTFIT_HELP, POSE_HELP, PSI_HELP
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress
from tf_outfit_gan.viz.montage import montage, picture, save_whole

EXAMPLE = "runs/dolls --outfit outfit.json --add outerwear=jacket.jpg --seed 1,2,3 --out picture.png"


def add_arguments(parser):
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder (its newest snapshot)")
    outfit = parser.add_argument_group("outfit")
    outfit.add_argument("--outfit", metavar="OUTFIT", help=OUTFIT_HELP + "; not for an unconditional model")
    outfit.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="[SLOT=]FILE",
        help="an article to put on, instead of what is in its slot; a word in the file's name, such as "
        "jacket, can name the slot; may be given again",
    )
    outfit.add_argument("--remove", action="append", default=[], metavar="SLOT", help="a slot to empty; may be given again")
    outfit.add_argument(
        "--pose",
        action="append",
        default=[],
        metavar="POSE",
        help=POSE_HELP + ", instead of the outfit's own; may be given again",
    )
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--seed", type=arguments.seeds, default="1", metavar="1,2,3", help="one picture each (default: %(default)s)"
    )
    sampling.add_argument("--psi", type=arguments.number(0, MAX_PSI), help=PSI_HELP)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        type=arguments.output_file(".png"),
        required=True,
        metavar="picture.png",
        help="what to write: the picture, or a grid with a row a pose and a column a seed",
    )
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    # Read and check: mistakes are reported before the model is loaded.
    config = snapshots.read(args.snapshot).config
    psi = outfit_request.check_psi(args.psi, config.conditional)
    requests = _requests(args, config)

    # Draw.
    from tf_outfit_gan.inference import Renderer

    renderer, rows = Renderer(snapshots.load(args.snapshot)), []
    with progress("render", len(requests) * len(args.seed), "pictures", args.quiet) as advance:
        for request in requests:
            rows.append([])
            for seed in args.seed:
                caption = f"seed {seed}" + (f", {request.name}" if len(requests) > 1 else "")
                pixels = renderer.picture(request, seed, psi)
                rows[-1].append((picture(pixels), caption))
                advance()

    # Write.
    alone = len(requests) == len(args.seed) == 1
    save_whole(Image.fromarray(pixels) if alone else montage(rows), args.out)
    print(args.out)


def _requests(args, config):
    """One `Request` for each pose; [None] for an unconditional model."""
    if not config.conditional:
        if args.outfit or args.pose or args.add or args.remove:
            raise UserError(
                f"{args.snapshot} is an unconditional model: it draws from seeds alone; "
                "leave out --outfit, --pose, --add and --remove"
            )
        return [None]
    if not args.outfit:
        raise UserError(f"{args.snapshot} is a conditional model: --outfit is required")
    outfit = outfit_request.read_request(args.outfit, config.condition_size, slots=config.slots)
    outfit = outfit.edited(args.add, args.remove, config.slots)
    if not args.pose:
        return [outfit.checked()]
    return [dataclasses.replace(outfit, keypoints=outfit_request.read_pose(pose), name=Path(pose).name) for pose in args.pose]
