"""`outfit-gan paperdoll`: writes a synthetic catalogue with exact truth; the same command resumes it."""

from pathlib import Path

from tf_outfit_gan.data.paperdoll.catalogue import MANIFEST, write_catalogue
from tf_outfit_gan.sizes import parse_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import available_cores


def portrait_size(text):
    """Reads `1024x768`, height first; raises `UserError` unless it is a portrait of 4 to 3."""
    height, width = parse_size(text)
    if height < 16 or abs(3 * height - 4 * width) > 3:
        raise UserError(f"--size {text}: expected a portrait of 4 to 3, height first and at least 16, such as 256x192")
    return height, width


def add_arguments(parser):
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write, new or of the same command before")
    main = parser.add_argument_group("Main")
    main.add_argument("--count", type=int, required=True, help="number of entries")
    main.add_argument("--size", default="1024x768", help="height x width of every picture (default: %(default)s)")
    main.add_argument("--seed", type=int, default=0, help="decides, with its number, about every entry (default: 0)")
    run_options = parser.add_argument_group("Performance")
    run_options.add_argument("--workers", type=int, default=available_cores(), help="processes (default: all cores)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args):
    write_catalogue(args.out, args.count, portrait_size(args.size), args.seed, args.workers, args.quiet)
    if not args.quiet:
        print(f"{args.out / MANIFEST}: {args.count} entries at {args.size}")
