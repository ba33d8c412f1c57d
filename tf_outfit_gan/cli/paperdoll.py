"""`outfit-gan paperdoll`: writes a synthetic catalogue with exact truth; the same command resumes it."""

from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.paperdoll.catalogue import MANIFEST, write_catalogue
from tf_outfit_gan.data.paperdoll.variety import MIXED, VARIETIES
from tf_outfit_gan.sizes import format_size, parse_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import available_cores

EXAMPLE = "catalogue --count 20000 --size 256x192"


@arguments.argument_type
def portrait_size(text):
    """Reads `1024x768`, height first: a portrait of 4 to 3."""
    height, width = parse_size(text)
    if height < 16 or abs(3 * height - 4 * width) > 3:
        raise UserError(f"expected a portrait of 4 to 3, height first and at least 16, such as 256x192, got {text!r}")
    return height, width


@arguments.argument_type
def share(text):
    """Reads `backs=0.2`: a name of `variety` and a share."""
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if name not in MIXED or not 0 <= number <= 1:
        raise UserError(f"expected NAME=SHARE, a share of 0 to 1 of one of {', '.join(MIXED)}, got {text!r}")
    return name, number


def add_arguments(parser):
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write: a new one, or that of an interrupted call")
    main = parser.add_argument_group("main")
    main.add_argument("--count", type=arguments.positive, required=True, metavar="N", help="number of entries")
    main.add_argument(
        "--size",
        type=portrait_size,
        default="1024x768",
        metavar="HEIGHTxWIDTH",
        help="of every picture (default: %(default)s)",
    )
    main.add_argument(
        "--seed", type=arguments.whole(0), default=0, help="another seed draws other entries (default: %(default)s)"
    )
    variety = parser.add_argument_group(
        "variety",
        "what real catalogues have, and its share in mixed: "
        + "; ".join(f"{name} ({mixed:g}): {what}" for name, (mixed, what) in MIXED.items()),
    )
    variety.add_argument(
        "--variety",
        choices=VARIETIES,
        default="plain",
        help="plain: whole figures from the front, all articles listed; mixed: as real catalogues (default: %(default)s)",
    )
    variety.add_argument(
        "--share", type=share, action="append", default=[], metavar="NAME=SHARE", help="another share than the variety's"
    )
    performance = parser.add_argument_group("performance")
    performance.add_argument(
        "--workers", type=arguments.positive, default=available_cores(), metavar="N", help="processes (default: one a core)"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    shares = VARIETIES[args.variety] | dict(args.share)
    write_catalogue(args.out, args.count, args.size, args.seed, args.workers, args.quiet, shares)
    if not args.quiet:
        print(f"{args.out / MANIFEST}: {args.count} entries at {format_size(args.size)}")
