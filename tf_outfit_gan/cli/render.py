"""`outfit-gan render`: pictures of outfits, of a snapshot or of a server, for one or many seeds and poses.

One outfit in many poses, and an outfit with an article added, are the paper's (arXiv 1908.08847, figure 5).
"""

import argparse
import functools
import os

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.picture_arguments import AskedModel, add_picture_arguments, add_server_arguments, read_plan, served_model
from tf_outfit_gan.cli.picture_output import draw_all, write_folder
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.viz.conditions import conditions
from tf_outfit_gan.viz.montage import montage, save_whole

EXAMPLE = "runs/dolls --outfits outfits.jsonl --poses poses --seeds 1,2 --out-dir pictures --sheet"
REMOTE = ("snapshot",)


def add_arguments(parser):
    parser.add_argument(
        "snapshot",
        metavar="SNAPSHOT",
        nargs="?",
        help="snapshot folder, or a run folder (its newest snapshot); without it and without --server the shipped model",
    )
    add_picture_arguments(parser, "what to write: the picture, or a grid with a row a pose of an outfit and a column a seed")
    server = parser.add_argument_group("server")
    server.add_argument("--server", metavar="HOST:PORT", help="let a server draw, as `outfit-gan request` does")
    add_server_arguments(server)
    performance = parser.add_argument_group("performance")
    performance.add_argument(
        "--beam",
        nargs=argparse.REMAINDER,
        metavar="OPTION",
        help="with --out-dir: let Apache Beam share out the work; all that follows are options of Beam's, "
        "such as --runner=FlinkRunner",
    )


def run(args):
    # Read and check: mistakes are reported before the model is loaded.
    if args.snapshot and args.server:
        raise UserError("expected SNAPSHOT or --server HOST:PORT, got both")
    if args.beam is not None:
        _check_beam(args)
    model = served_model(args, args.server) if args.server else _model_of_snapshot(args.snapshot or snapshots.SHIPPED)
    plan = read_plan(args, model)
    if args.out_dir:
        write_folder(args, model, plan, args.beam)
        return

    # Draw, and write.
    alone, columns = len(plan) == 1 and not args.show_conditions, len(args.seeds)
    drawn = draw_all(args, model, plan, smallest=alone)
    one_row = len(drawn) == columns
    rows = []
    for start in range(0, len(drawn), columns):
        row = drawn[start : start + columns]
        cells = [(image, f"seed {picture.seed}" if one_row else picture.caption) for picture, image in row]
        if args.show_conditions:
            picture, image = row[0]
            shown = conditions(picture.request, model.slots, (image.height, image.width))
            cells = [*zip(shown, ("articles", "pose")), *cells]
        rows.append(cells)
    save_whole(drawn[0][1] if alone else montage(rows), args.out)
    print(args.out)


def _model_of_snapshot(path):
    path = snapshots.newest(path)  # A run may write a newer one meanwhile.
    config = snapshots.read(path).config
    open_model = functools.partial(_open_snapshot, path.absolute())
    return AskedModel(str(path), config.conditional, open_model, config.slots, config.condition_size)


def _open_snapshot(path):
    from tf_outfit_gan.inference import Renderer

    return Renderer(snapshots.load(path))


def _check_beam(args):
    """Raises `UserError` where there is nothing to share out; makes the list of outfits known to workers in other folders."""
    if args.server:
        raise UserError("--beam: its workers load a snapshot; leave out --server")
    if args.out:
        raise UserError("--beam: its workers write a folder of pictures; give --out-dir DIR instead of --out")
    args.outfits = args.outfits and os.path.abspath(args.outfits)
