"""`outfit-gan pose`: finds the poses that a catalogue's manifest lacks; the same command resumes it."""

from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.preparation.missing_poses import fill_poses
from tf_outfit_gan.util.process_pool import available_cores

EXAMPLE = "catalogue --pose-model runs/pose/estimator"


def add_arguments(parser):
    parser.add_argument("catalogue", metavar="CATALOGUE", type=Path, help="folder with manifest.jsonl")
    main = parser.add_argument_group("main")
    main.add_argument(
        "--pose-model",
        metavar="FILE",
        required=True,
        help="a .tflite file (BlazePose's landmarks, MoveNet) or a SavedModel folder; see docs/pose.md",
    )
    performance = parser.add_argument_group("performance")
    performance.add_argument(
        "--workers", type=arguments.positive, default=available_cores(), metavar="N", help="processes (default: one a core)"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    fill_poses(args.catalogue, args.pose_model, args.workers, args.quiet)
