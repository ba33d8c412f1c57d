"""The program `outfit-gan benchmark step`: times the training step on random pictures, phase by phase, and its floor.

The floor is the step's own convolutions and matrix products, forward and backward, alone: see `training.benchmark.roofline`. Both
are timed in turns, so that what disturbs one disturbs the other, and their ratio says how much of the step is spent on
anything else.
"""

import dataclasses
import json
from pathlib import Path

from tf_outfit_gan.config import PRECISIONS, PRESETS, from_preset, to_dict
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError


def add_arguments(parser):
    main = parser.add_argument_group("main")
    main.add_argument("--preset", default="demo", help=f"one of {', '.join(PRESETS)} (default: %(default)s)")
    main.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the preset")
    main.add_argument("--level", metavar="HxW|INDEX", help="a level by its size, or counted from the base = 0 "
                      "(default: the highest)")
    main.add_argument("--batch", type=int, help="pictures a replica (default: the preset's)")
    main.add_argument("--precision", help=f"one of {', '.join(PRECISIONS)} (default: the preset's)")
    main.add_argument("--r1-interval", type=int, metavar="STEPS", help="R1 every so many steps (default: the preset's)")
    main.add_argument("--devices", help="cpu, gpu (all of them) or gpu:0,gpu:2 (default: the GPUs, if there are any)")
    main.add_argument("--repeats", type=int, default=5, help="rounds of step and floor (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="also tell what the step spends its time on (processors only)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, the settings and the machine here")


def run(args):
    # Configure; a mistake is told before TensorFlow's import, which takes seconds.
    model_config, config = from_preset(args.preset, args.set)
    changes = {"precision": args.precision, "r1_interval": args.r1_interval}
    config = dataclasses.replace(config, **{name: value for name, value in changes.items() if value is not None})
    level = _level(args.level, model_config)
    for name, least in (("batch", 1), ("repeats", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise UserError(f"--{name} {value}: expected at least {least}")
    if args.json and not args.json.absolute().parent.is_dir():
        raise UserError(f"--json {args.json}: its folder does not exist; create it first")

    from training.benchmark.step import measure_step, show_step
    from training.distribute.devices import choose_devices, describe

    choose_devices(args.devices)
    found = measure_step(model_config, config, level, args.batch, args.repeats, args.profile)
    found |= {"preset": args.preset, "model": to_dict(model_config), "training": to_dict(config), "machine": describe()}
    show_step(found)
    if args.json:
        write_whole(args.json, json.dumps(found, indent=2) + "\n")


def _level(text, model_config):
    """The index of the level that the user named by its size or index; the highest by default."""
    names = [format_size(size) for size in model_config.level_sizes]
    if text is None:
        return len(names) - 1
    for level, name in enumerate(names):
        if text.lower() in (name, str(level)):
            return level
    choices = ", ".join(f"{level} = {name}" for level, name in enumerate(names))
    raise UserError(f"--level {text}: the model has no such level; choose one of {choices}")
