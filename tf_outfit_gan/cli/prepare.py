"""`outfit-gan prepare`: a catalogue becomes training records at every level of resolution."""

import argparse

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.cli.catalogue_arguments import add_catalogue_arguments
from tf_outfit_gan.data.preparation.prepare import ARTICLE_SIZE, prepare
from tf_outfit_gan.images.framing import FRAMINGS
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError

EXAMPLE = "catalogue data --size 256x192"
REMOTE = ("source", "data")


def add_arguments(parser):
    parser.add_argument("source", metavar="SOURCE", help="catalogue folder")
    parser.add_argument("data", metavar="DATA", help="folder to write the records to")
    main = parser.add_argument_group("main")
    add_catalogue_arguments(main)
    main.add_argument(
        "--size",
        type=arguments.size,
        metavar="HEIGHTxWIDTH",
        help="largest level (default: the largest 4x3 or 4x4 doubled inside the median photo and 1024x768)",
    )
    main.add_argument(
        "--frame",
        choices=FRAMINGS,
        default="pad",
        help="of a photo with another aspect show all (pad), what fills the frame (crop), or the person (default: %(default)s)",
    )
    main.add_argument(
        "--article-size",
        type=arguments.size,
        default=format_size(ARTICLE_SIZE),
        metavar="HEIGHTxWIDTH",
        help="largest level that articles are stored at, at least a model's condition_size (default: %(default)s)",
    )
    main.add_argument(
        "--pose-model",
        metavar="FILE",
        help="finds the poses of entries without keypoints: a .tflite file or a SavedModel folder; see docs/pose.md",
    )
    main.add_argument(
        "--cmyk-profile",
        metavar="FILE.icc",
        help="ICC profile of CMYK pictures that come without one (default: the plain formula); see docs/data.md",
    )
    main.add_argument("--require-pose", action="store_true", help="set aside entries without a pose")
    main.add_argument(
        "--test-share",
        type=arguments.number(0.001, 0.5),
        metavar="SHARE",
        help="make a test split that shares no photo, article or person with training; for a catalogue without one",
    )
    main.add_argument(
        "--update",
        action="store_true",
        help="bring DATA up to date with its catalogue: add what is new or changed, retry what was set aside, remove what went",
    )
    main.add_argument("--strict", action="store_true", help="stop at the first bad entry instead of setting it aside")
    performance = parser.add_argument_group("performance")
    performance.add_argument(
        "--workers", type=arguments.positive, metavar="N", help="processes (default: one a core, fewer for a small catalogue)"
    )
    performance.add_argument(
        "--task-count",
        type=arguments.positive,
        metavar="N",
        help="tasks of a job array that share the folders and are started alike; see docs/data.md",
    )
    performance.add_argument("--task-index", type=arguments.whole(0), metavar="I", help="which of the tasks this is, from 0")
    performance.add_argument(
        "--beam",
        nargs=argparse.REMAINDER,
        metavar="OPTION",
        help="let Apache Beam share out the work; all that follows are options of Beam's, such as --runner=FlinkRunner",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    task = None
    if args.task_count is not None or args.task_index is not None:
        task = (args.task_index, args.task_count)
        if None in task or not 0 <= args.task_index < args.task_count:
            raise UserError(
                "--task-index and --task-count: expected an index from 0 to below the count, "
                f"got {args.task_index} and {args.task_count}"
            )
    if args.beam is not None and (task or args.workers):
        raise UserError("--beam: shares out the work itself; leave out --workers, --task-index and --task-count")
    if args.update and (task or args.beam is not None):
        raise UserError("--update: is done by the processes of one machine; leave out --task-index, --task-count and --beam")
    prepare(
        args.source,
        args.data,
        args.size,
        format=args.format,
        workers=args.workers,
        task=task,
        beam=args.beam,
        strict=args.strict,
        quiet=args.quiet,
        pose_model=args.pose_model,
        slots=args.slots,
        article_size=args.article_size,
        framing=args.frame,
        require_pose=args.require_pose,
        test_share=args.test_share,
        update=args.update,
        cmyk_profile=args.cmyk_profile,
        max_pixels=round(args.max_megapixels * 1e6),
    )
