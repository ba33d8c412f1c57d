"""Options of the verbs that read a catalogue."""

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data import importers
from tf_outfit_gan.images.open import MAX_PIXELS
from tf_outfit_gan.slots import SLOTS

MOST_MEGAPIXELS = 178  # Pillow's own limit.


def add_catalogue_arguments(group):
    """Adds how a catalogue is laid out, its slots, and the largest picture; `max_megapixels` is in millions."""
    group.add_argument(
        "--format",
        metavar="FORMAT",
        help=f"how the catalogue is laid out: {', '.join(importers.FORMATS)}, or MODULE:FUNCTION of an importer of your own "
        "(default: as its files say)",
    )
    group.add_argument(
        "--slots",
        type=arguments.slots,
        default=",".join(SLOTS),
        metavar="NAMES",
        help="the articles' slots, in the order in which models see them (default: %(default)s)",
    )
    group.add_argument(
        "--max-megapixels",
        type=arguments.number(1, MOST_MEGAPIXELS),
        default=round(MAX_PIXELS / 1e6, 1),
        metavar="N",
        help="set aside entries with larger pictures; to open one takes some 8 bytes a pixel (default: %(default)s)",
    )
