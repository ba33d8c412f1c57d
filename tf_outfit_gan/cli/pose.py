"""`outfit-gan pose`: finds the pose of a photo, or the poses that a catalogue's manifest lacks.

For a catalogue the same command resumes it.
"""

import json
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.preparation.missing_poses import fill_poses, find_pose
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import available_cores

EXAMPLE = "catalogue --pose-model runs/pose/estimator"


def add_arguments(parser):
    parser.add_argument("source", metavar="CATALOGUE|PHOTO", type=Path, help="folder with manifest.jsonl, or one photo")
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
    output.add_argument(
        "--out", type=arguments.output_file(".json"), metavar="pose.json", help="of a photo: the file that `render --pose` takes"
    )
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    if args.source.is_dir():
        if args.out:
            raise UserError(f"{args.source}: the poses of a catalogue go into its manifest; --out is for one photo")
        fill_poses(args.source, args.pose_model, args.workers, args.quiet)
        return
    if not args.out:
        raise UserError(f"{args.source}: one photo needs --out pose.json")
    write_whole(args.out, json.dumps(find_pose(args.pose_model, args.source)) + "\n")
    print(args.out)
