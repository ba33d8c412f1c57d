"""`outfit-gan request`: asks a server for pictures of outfits and writes them as PNG files."""

import argparse
from pathlib import Path

from tf_outfit_gan.cli.picture_arguments import add_picture_arguments, add_server_arguments, read_plan, served_model
from tf_outfit_gan.cli.picture_output import draw_all, write_folder
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.viz.conditions import beside_conditions
from tf_outfit_gan.viz.montage import save_whole

EXAMPLE = "localhost:8501 --outfit outfit.json --seed 1,2 --out picture.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "host_port", metavar="HOST:PORT", help="a server's REST or gRPC port, of 'outfit-gan serve' or TF Serving"
    )
    add_picture_arguments(parser, "where to write; several seeds are written to picture-SEED.png")
    add_server_arguments(parser.add_argument_group("server"))


def run(args: argparse.Namespace) -> None:
    """Reads everything first, so that a mistake costs no rendering."""
    paths = _output_paths(args.out, args.seeds) if args.out else []
    model = served_model(args, args.host_port)
    plan = read_plan(args, model)
    if args.out_dir:
        write_folder(args, model, plan)
        return
    if len(plan) > len(paths):
        raise UserError(f"--out {args.out}: several outfits or poses; write them to a folder: --out-dir")
    for path, (picture, image) in zip(paths, draw_all(args, model, plan, smallest=True)):
        if args.show_conditions:
            image = beside_conditions(image, picture.request, model.slots)
        save_whole(image, path)
        print(path)


def _output_paths(out: Path, seeds: list[int]) -> list[Path]:
    """One path a seed: the given one, or with several seeds one with the seed in its name."""
    if len(set(seeds)) < len(seeds):
        raise UserError(f"--seed {','.join(map(str, seeds))}: a seed stands twice; both pictures would have one name")
    return [out] if len(seeds) == 1 else [out.with_stem(f"{out.stem}-{seed}") for seed in seeds]
