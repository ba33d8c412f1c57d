"""`outfit-gan render`: pictures of an outfit from a snapshot, for one or many seeds and poses.

One outfit in many poses, and an outfit with an article added, are the paper's (arXiv 1908.08847, figure 5).
"""

import dataclasses
from pathlib import Path

from PIL import Image

from tf_outfit_gan import outfit_request
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.outfit_request import OUTFIT_HELP, POSE_HELP, PSI_HELP
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress
from tf_outfit_gan.viz.montage import montage, picture, save_whole


def add_arguments(parser):
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder (its newest snapshot)")
    parser.add_argument("--outfit", metavar="OUTFIT", help=OUTFIT_HELP + "; not for an unconditional model")
    parser.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="[SLOT=]FILE",
        help="an article to put on, instead of what is in its slot; a word in the file's name, such as "
        "jacket, can tell the slot; may be given again",
    )
    parser.add_argument("--remove", action="append", default=[], metavar="SLOT", help="a slot to empty; may be given again")
    parser.add_argument(
        "--pose",
        action="append",
        default=[],
        metavar="POSE",
        help=POSE_HELP + ", instead of the outfit's own; may be given again",
    )
    parser.add_argument("--seed", default="1", metavar="1,2,3", help="one picture each (default: %(default)s)")
    parser.add_argument("--psi", type=float, help=PSI_HELP)
    parser.add_argument(
        "--out",
        required=True,
        metavar="picture.png",
        help="what to write: the picture, or a grid with a row a pose and a column a seed",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    # Read and check: mistakes are told before the model is loaded.
    out, seeds = outfit_request.check_out(args.out), outfit_request.parse_seeds(args.seed)
    config = snapshots.read(args.snapshot).config
    psi = outfit_request.check_psi(args.psi, config.conditional)
    requests = _requests(args, config)

    # Draw.
    from tf_outfit_gan.inference import Renderer

    renderer, rows = Renderer(snapshots.load(args.snapshot)), []
    with progress("render", len(requests) * len(seeds), "pictures", args.quiet) as advance:
        for request in requests:
            rows.append([])
            for seed in seeds:
                caption = f"seed {seed}" + (f", {request.name}" if len(requests) > 1 else "")
                pixels = renderer.picture(request, seed, psi)
                rows[-1].append((picture(pixels), caption))
                advance()

    # Write.
    alone = len(requests) == len(seeds) == 1
    save_whole(Image.fromarray(pixels) if alone else montage(rows), out)
    print(out)


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
        raise UserError(f"{args.snapshot} is a conditional model: say what to wear with --outfit")
    outfit = outfit_request.read_request(args.outfit, config.condition_size, slots=config.slots)
    outfit = outfit.edited(args.add, args.remove, config.slots)
    if not args.pose:
        return [outfit.checked()]
    return [dataclasses.replace(outfit, keypoints=outfit_request.read_pose(pose), name=Path(pose).name) for pose in args.pose]
