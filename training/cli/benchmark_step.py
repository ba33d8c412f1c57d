"""`outfit-gan benchmark step`: times the training step on random pictures, phase by phase, and its roofline.

The roofline is the step's own convolutions and matrix products, forward and backward, alone (see `training.benchmark.roofline`).
Both are timed in alternation, so that what disturbs one disturbs the other.
"""

import dataclasses
import json

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.config import PRECISIONS, to_dict
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from training.cli.settings import add_settings, settings_of

EXAMPLE = "--preset 64x48 --batch 16 --json step.json"


def add_arguments(parser):
    main = parser.add_argument_group("main")
    add_settings(main, "demo")
    main.add_argument(
        "--level", metavar="HxW|INDEX", help="a level by its size, or counted from the base = 0 (default: the highest)"
    )
    main.add_argument("--batch", type=arguments.positive, metavar="N", help="pictures a replica (default: the preset's)")
    main.add_argument("--precision", choices=PRECISIONS, help="of the networks (default: the preset's)")
    main.add_argument(
        "--r1-interval", type=arguments.positive, metavar="STEPS", help="R1 every so many steps (default: the preset's)"
    )
    measuring = parser.add_argument_group("measuring")
    measuring.add_argument(
        "--devices", metavar="NAMES", help="cpu, gpu (all) or gpu:0,gpu:2 (default: the GPUs, if there are any)"
    )
    measuring.add_argument(
        "--repeats", type=arguments.positive, default=5, metavar="N", help="rounds of step and roofline (default: %(default)s)"
    )
    measuring.add_argument("--profile", action="store_true", help="also profile the step by type of operation (processors only)")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", type=arguments.output_file(), metavar="FILE", help="write all figures, settings and the machine to this file"
    )


def run(args):
    # Configure; a mistake is reported before TensorFlow's import, which takes seconds.
    model_config, config, _ = settings_of(args)
    changes = {"precision": args.precision, "r1_interval": args.r1_interval}
    config = dataclasses.replace(config, **{name: value for name, value in changes.items() if value is not None})
    level = _level_of_model(args.level, model_config)

    from training.benchmark.step import measure_step, show_step
    from training.distribute.devices import choose_devices, describe

    choose_devices(args.devices)
    found = measure_step(model_config, config, level, args.batch, args.repeats, args.profile)
    found |= {
        "preset": str(args.config or args.preset),
        "model": to_dict(model_config),
        "training": to_dict(config),
        "machine": describe(),
    }
    show_step(found)
    if args.json:
        write_whole(args.json, json.dumps(found, indent=2) + "\n")


def _level_of_model(text, model_config):
    """The index of the level that the user named by its size or index; the highest by default."""
    names = [format_size(size) for size in model_config.level_sizes]
    if text is None:
        return len(names) - 1
    for level, name in enumerate(names):
        if text.lower() in (name, str(level)):
            return level
    choices = ", ".join(f"{level} = {name}" for level, name in enumerate(names))
    raise UserError(f"--level {text}: the model has no such level; choose one of {choices}")
