"""The program `outfit-gan benchmark step`: times the training step on random pictures, phase by phase, and its floor."""

from tf_outfit_gan.config import PRESETS


def add_arguments(parser):
    parser.add_argument("--preset", default="demo", help=f"one of {', '.join(PRESETS)} (default: %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the preset")


def run(args):
    raise NotImplementedError
