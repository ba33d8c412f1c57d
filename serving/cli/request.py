"""`outfit-gan request`: asks a server for pictures of an outfit and writes them as PNG files."""

import argparse
from pathlib import Path

from tf_outfit_gan import outfit_request
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.client import Client
from tf_outfit_gan.outfit_request import MAX_PSI, OUTFIT_HELP, POSE_HELP, PSI_HELP
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError

EXAMPLE = "localhost:8501 --outfit outfit.json --seed 1,2 --out picture.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "host_port", metavar="HOST:PORT", help="a server's REST or gRPC port, of 'outfit-gan serve' or TF Serving"
    )
    main = parser.add_argument_group("outfit")
    main.add_argument("--outfit", metavar="OUTFIT", help=OUTFIT_HELP + "; not for an unconditional model")
    main.add_argument("--pose", metavar="POSE", help=POSE_HELP + ", instead of the outfit's own")
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--seed", type=arguments.seeds, default="1", metavar="1,2,3", help="one picture each (default: %(default)s)"
    )
    sampling.add_argument("--psi", type=arguments.number(0, MAX_PSI), help=PSI_HELP)
    server = parser.add_argument_group("server")
    server.add_argument("--model_name", default="outfit_gan", help="the model's name (default: %(default)s)")
    server.add_argument(
        "--timeout_sec", type=arguments.above_zero, default=120, help="limit of one picture (default: %(default)s)"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        type=arguments.output_file(".png"),
        required=True,
        metavar="picture.png",
        help="where to write; several seeds are written to picture-SEED.png",
    )


def run(args: argparse.Namespace) -> None:
    """Reads everything first, so that a mistake costs no rendering."""
    client = Client(args.host_port, args.model_name, args.timeout_sec)
    paths = _output_paths(args.out, args.seed)
    if args.pose and not args.outfit:
        raise UserError("--pose is for an outfit: add --outfit, or for an unconditional model leave out both")
    outfit = outfit_request.read_request(args.outfit, pose=args.pose, slots=None).checked() if args.outfit else None
    for path, seed in zip(paths, args.seed):
        [picture] = client.render_png(outfit, seed, args.psi)
        write_whole(path, picture)
        print(path)


def _output_paths(out: Path, seeds: list[int]) -> list[Path]:
    """One path a seed: the given one, or with several seeds one with the seed in its name."""
    if len(set(seeds)) < len(seeds):
        raise UserError(f"--seed {','.join(map(str, seeds))}: a seed stands twice; both pictures would have one name")
    return [out] if len(seeds) == 1 else [out.with_stem(f"{out.stem}-{seed}") for seed in seeds]
