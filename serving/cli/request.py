"""`outfit-gan request`: asks a server for pictures of an outfit and writes them as PNG files."""

import argparse
import os
import tempfile
from pathlib import Path

from tf_outfit_gan.client.client import OutfitClient
from tf_outfit_gan.client.outfit_file import read_outfit, read_pose
from tf_outfit_gan.util.errors import UserError


def add_arguments(parser):
    """Main arguments first, then how to ask."""
    parser.add_argument("host_port", metavar="HOST:PORT",
                        help="a server's REST or gRPC port, of 'outfit-gan serve' or TF Serving")
    parser.add_argument("--outfit", required=True, metavar="outfit.json",
                        help="articles by slot (image files, paths relative to this file) and keypoints")
    parser.add_argument("--out", required=True, metavar="picture.png",
                        help="where to write; several seeds are written to picture-SEED.png")
    parser.add_argument("--seed", type=_seeds, default=(1,), metavar="1,2,3", help="one picture each (default: 1)")
    parser.add_argument("--psi", type=float, default=1.0,
                        help="truncation: 0 = the average picture, 1 = full variety (default: %(default)s)")
    parser.add_argument("--pose", metavar="pose.json", help="keypoints to use instead of the outfit's own")
    parser.add_argument("--model_name", default="outfit_gan", help="the model's name (default: %(default)s)")
    parser.add_argument("--timeout_sec", type=float, default=120.0, help="limit of one picture (default: %(default)s)")


def run(args):
    """Reads everything first, so that a mistake costs no rendering."""
    client = OutfitClient(args.host_port, args.model_name, args.timeout_sec)
    paths = _output_paths(Path(args.out), args.seed)
    articles, keypoints = read_outfit(args.outfit)
    if args.pose:
        keypoints = read_pose(args.pose)
    if keypoints is None:
        raise UserError(f"{args.outfit}: has no keypoints; add them or give a file with --pose")
    for path, seed in zip(paths, args.seed):
        (picture,) = client.render(articles, keypoints, [seed], args.psi)
        _write_whole(path, picture)
        print(path)


def _seeds(text):
    try:
        seeds = tuple(int(seed) for seed in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected integers separated by commas, found {text!r}") from None
    if len(set(seeds)) < len(seeds):
        raise argparse.ArgumentTypeError(f"{text!r} asks for a seed twice")
    return seeds


def _output_paths(out, seeds):
    """One path a seed: the given one, or with several seeds one with the seed in its name."""
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: expected a name that ends in .png, for that is what the model draws")
    if not out.parent.is_dir():
        raise UserError(f"--out {out}: there is no folder {out.parent}")
    return [out] if len(seeds) == 1 else [out.with_stem(f"{out.stem}-{seed}") for seed in seeds]


def _write_whole(path, content):
    """Writes beside and renames, so that nobody ever sees half a picture."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=path.suffix, delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
