"""`outfit-gan pose`: finds the poses that a catalogue's manifest lacks; the same command resumes it."""

from pathlib import Path

from tf_outfit_gan.data.preparation.missing_poses import fill_poses
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import available_cores


def add_arguments(parser):
    parser.add_argument("catalogue", metavar="CATALOGUE", type=Path, help="folder with manifest.jsonl")
    parser.add_argument(
        "--pose-model",
        metavar="FILE",
        required=True,
        help="a .tflite file (BlazePose's landmarks, MoveNet) or a SavedModel folder; see docs/pose.md",
    )
    parser.add_argument("--workers", type=int, default=available_cores(), metavar="N", help="processes (default: one a core)")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    if args.workers < 1:
        raise UserError(f"--workers {args.workers}: expected 1 or more")
    fill_poses(args.catalogue, args.pose_model, args.workers, args.quiet)
