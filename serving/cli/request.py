"""`outfit-gan request`: asks a server for pictures of an outfit and writes them as PNG files."""

import argparse
from pathlib import Path

from tf_outfit_gan import outfit_request
from tf_outfit_gan.client import Client
from tf_outfit_gan.outfit_request import OUTFIT_HELP, POSE_HELP, PSI_HELP
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Main arguments first, then how to ask."""
    parser.add_argument(
        "host_port", metavar="HOST:PORT", help="a server's REST or gRPC port, of 'outfit-gan serve' or TF Serving"
    )
    parser.add_argument("--outfit", metavar="OUTFIT", help=OUTFIT_HELP + "; not for an unconditional model")
    parser.add_argument(
        "--out", required=True, metavar="picture.png", help="where to write; several seeds are written to picture-SEED.png"
    )
    parser.add_argument("--seed", default="1", metavar="1,2,3", help="one picture each (default: %(default)s)")
    parser.add_argument("--psi", type=float, help=PSI_HELP)
    parser.add_argument("--pose", metavar="POSE", help=POSE_HELP + ", instead of the outfit's own")
    parser.add_argument("--model_name", default="outfit_gan", help="the model's name (default: %(default)s)")
    parser.add_argument("--timeout_sec", type=float, default=120.0, help="limit of one picture (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Reads everything first, so that a mistake costs no rendering."""
    client = Client(args.host_port, args.model_name, args.timeout_sec)
    seeds = outfit_request.parse_seeds(args.seed)
    paths = _output_paths(outfit_request.check_out(args.out), seeds)
    if args.pose and not args.outfit:
        raise UserError("--pose is for an outfit: add --outfit, or for an unconditional model leave out both")
    outfit = outfit_request.read_request(args.outfit, pose=args.pose, slots=None).checked() if args.outfit else None
    for path, seed in zip(paths, seeds):
        [picture] = client.render_png(outfit, seed, args.psi)
        write_whole(path, picture)
        print(path)


def _output_paths(out: Path, seeds: list[int]) -> list[Path]:
    """One path a seed: the given one, or with several seeds one with the seed in its name."""
    if len(set(seeds)) < len(seeds):
        raise UserError(f"--seed {','.join(map(str, seeds))}: a seed stands twice; both pictures would have one name")
    return [out] if len(seeds) == 1 else [out.with_stem(f"{out.stem}-{seed}") for seed in seeds]
