"""The verb `outfit-gan benchmark`: measures how fast a part of the training is.

`step` times the training step on random pictures, phase by phase, and its roofline: the step's own convolutions and
matrix products, forward and backward, alone (see `training.benchmark.roofline`).

`input` times reading and decoding, level by level, and its limit: the decoding of the very same bytes, which lie in
memory, by the very same operations, in one graph call. It counts seconds of processor time: what a core feeds, also on
a machine that is busy.

What is compared is timed in alternation, so that what disturbs one disturbs the other.
"""

import argparse
import dataclasses
import json
from pathlib import Path

from tf_outfit_gan.config import PRECISIONS, PRESETS, from_preset, to_dict
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.sizes import format_size, parse_size
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from training.data_service import check_address


def add_arguments(parser):
    parts = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    step = _add_part(parts, "step", "time the training step, and its roofline, on random pictures", _run_step)
    _add_step_arguments(step)
    read = _add_part(parts, "input", "time reading and decoding, against decoding alone", _run_input)
    _add_input_arguments(read)


def run(args):
    args.run_part(args)


def _add_part(parts, name, summary, run_part):
    parser = parts.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    # The flag of `outfit-gan` itself, also after WHAT; without a default here, the value given before WHAT stays.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error")
    parser.set_defaults(run_part=run_part)
    return parser


def _add_step_arguments(parser):
    main = parser.add_argument_group("main")
    main.add_argument("--preset", default="demo", help=f"one of {', '.join(PRESETS)} (default: %(default)s)")
    main.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the preset")
    main.add_argument(
        "--level", metavar="HxW|INDEX", help="a level by its size, or counted from the base = 0 (default: the highest)"
    )
    main.add_argument("--batch", type=int, help="pictures a replica (default: the preset's)")
    main.add_argument("--precision", help=f"one of {', '.join(PRECISIONS)} (default: the preset's)")
    main.add_argument("--r1-interval", type=int, metavar="STEPS", help="R1 every so many steps (default: the preset's)")
    main.add_argument("--devices", help="cpu, gpu (all of them) or gpu:0,gpu:2 (default: the GPUs, if there are any)")
    main.add_argument("--repeats", type=int, default=5, help="rounds of step and roofline (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="also profile the step by type of operation (processors only)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, the settings and the machine here")


def _run_step(args):
    # Configure; a mistake is reported before TensorFlow's import, which takes seconds.
    model_config, config = from_preset(args.preset, args.set)
    changes = {"precision": args.precision, "r1_interval": args.r1_interval}
    config = dataclasses.replace(config, **{name: value for name, value in changes.items() if value is not None})
    level = _level_of_model(args.level, model_config)
    for name, least in (("batch", 1), ("repeats", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise UserError(f"--{name} {value}: expected at least {least}")
    _check_json(args.json)

    from training.benchmark.step import measure_step, show_step
    from training.distribute.devices import choose_devices, describe

    choose_devices(args.devices)
    found = measure_step(model_config, config, level, args.batch, args.repeats, args.profile)
    found |= {"preset": args.preset, "model": to_dict(model_config), "training": to_dict(config), "machine": describe()}
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


def _add_input_arguments(parser):
    main = parser.add_argument_group("main")
    main.add_argument("data", metavar="DATA", help="a data set from 'outfit-gan prepare'")
    main.add_argument("--level", metavar="HxW", help="size of the photos (default: each level, one after another)")
    main.add_argument(
        "--condition-size", metavar="HxW", help="size of the articles, at most the photos' (default: 128x96); none = photos alone"
    )
    main.add_argument("--batch", type=int, default=16, help="entries a batch (default: %(default)s)")
    main.add_argument("--examples", type=int, default=512, help="entries a round (default: %(default)s)")
    main.add_argument("--repeats", type=int, default=5, help="rounds of pipeline and limit (default: %(default)s)")
    parser.add_argument(
        "--data-service",
        metavar="ADDRESS",
        help="time a tf.data service at grpc://HOST:PORT, by the clock: its processors are others",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and the machine here")


def _run_input(args):
    dataset = open_dataset(args.data)
    split = "train" if dataset.count("train") else "test"
    levels = [_level_of_data(dataset, "--level", args.level)] if args.level else dataset.levels
    condition_size = None
    if args.condition_size != "none":
        wanted = args.condition_size or "128x96"
        condition_size = _level_of_data(dataset, "--condition-size", wanted, strict=args.condition_size)
    for name in ("batch", "examples", "repeats"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} {getattr(args, name)}: expected at least 1")
    _check_json(args.json)
    if args.data_service:
        check_address(args.data_service)

    from training.benchmark.input import measure_input, show_input
    from training.distribute.devices import describe

    sizes = [(level, condition_size and min(level, condition_size)) for level in levels]
    figures = [measure_input(dataset, split, *pair, args.batch, args.examples, args.repeats, args.data_service) for pair in sizes]
    show_input(figures)
    if args.json:
        write_whole(args.json, json.dumps({"levels": figures, "machine": describe()}, indent=2) + "\n")


def _level_of_data(dataset, flag, text, strict=True):
    """The stored level that the user named; without `strict` the largest one, if it is smaller."""
    size = parse_size(text)
    if size in dataset.levels:
        return size
    if not strict and dataset.levels[-1] < size:
        return dataset.levels[-1]
    stored = ", ".join(map(format_size, dataset.levels))
    raise UserError(f"{flag} {text}: {dataset.path} holds {stored}; choose one of these")


def _check_json(path):
    if path and not path.absolute().parent.is_dir():
        raise UserError(f"--json {path}: its folder does not exist; create it first")
