"""`outfit-gan import-stylegan`: an official StyleGAN pickle (NVlabs, 2018, TensorFlow) becomes a snapshot."""

import math
import sys

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.stylegan1.conversion import convert
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path

EXAMPLE = "karras2019stylegan-ffhq-1024x1024.pkl imported"
REMOTE = ("snapshot",)


def add_arguments(parser):
    parser.add_argument("network", metavar="NETWORK.pkl", help="an official StyleGAN network, (G, D, Gs)")
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="the snapshot folder to write")


def run(args):
    if as_path(args.snapshot).exists():
        raise UserError(f"{args.snapshot}: is already there; choose a new name or delete it")
    try:
        snapshot, ignored = convert(args.network)
    except UserError as error:
        raise UserError(f"{args.network}: {error}") from None
    except OSError as error:
        raise UserError(f"{args.network}: cannot be read ({error.strerror})") from None
    if ignored:
        print(f"ignored, as the original does: {', '.join(ignored)}", file=sys.stderr)
    snapshots.save(args.snapshot, snapshot)
    count = [sum(math.prod(w.shape) for w in network.trainable_weights) for network in snapshot.training]
    print(
        f"{args.snapshot}: StyleGAN {format_size(snapshot.config.size)}, drawing {format_size(snapshot.size)}; "
        f"generator {count[0]:,} and discriminator {count[1]:,} parameters"
    )
