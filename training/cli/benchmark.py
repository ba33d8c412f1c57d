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

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.config import PRECISIONS, to_dict
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from training.cli.settings import add_settings, settings_of
from training.data_service import check_address

EXAMPLE = "step --preset 64x48 --batch 16 --json step.json"
LARGEST_CONDITION_SIZE = (128, 96)  # Of a benchmark without --condition-size.


def add_arguments(parser):
    parts = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    summary = "time the training step, and its roofline, on random pictures"
    _add_step_arguments(_add_part(parts, "step", summary, "--preset 64x48 --batch 16 --json step.json", _run_step))
    summary = "time reading and decoding, against decoding alone"
    _add_input_arguments(_add_part(parts, "input", summary, "data --level 256x192 --json input.json", _run_input))


def run(args):
    args.run_part(args)


def _add_part(parts, name, summary, example, run_part):
    description = summary[0].upper() + summary[1:] + "."
    epilog = f"example:\n  outfit-gan benchmark {name} {example}"
    parser = parts.add_parser(name, help=summary, description=description, epilog=epilog)
    # The flag of `outfit-gan` itself, also after WHAT; without a default here, the value given before WHAT stays.
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error")
    parser.set_defaults(run_part=run_part)
    return parser


def _add_step_arguments(parser):
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
    _add_output(parser)


def _run_step(args):
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


def _add_input_arguments(parser):
    main = parser.add_argument_group("main")
    main.add_argument("data", metavar="DATA", help="a data set from 'outfit-gan prepare'")
    main.add_argument(
        "--level", type=arguments.size, metavar="HxW", help="size of the photos (default: each level, one after another)"
    )
    main.add_argument(
        "--condition-size",
        type=_size_or_none,
        metavar="HxW",
        help="size of the articles, at most the photos' (default: the largest up to 128x96); none = photos alone",
    )
    main.add_argument("--batch", type=arguments.positive, default=16, metavar="N", help="entries a batch (default: %(default)s)")
    measuring = parser.add_argument_group("measuring")
    measuring.add_argument(
        "--examples", type=arguments.positive, default=512, metavar="N", help="entries a round (default: %(default)s)"
    )
    measuring.add_argument(
        "--repeats", type=arguments.positive, default=5, metavar="N", help="rounds of pipeline and limit (default: %(default)s)"
    )
    measuring.add_argument(
        "--data-service",
        metavar="ADDRESS",
        help="time a tf.data service at grpc://HOST:PORT, by the clock: its processors are others",
    )
    _add_output(parser)


def _size_or_none(text):
    return text if text == "none" else arguments.size(text)


def _add_output(parser):
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", type=arguments.output_file(), metavar="FILE", help="write all figures, settings and the machine to this file"
    )


def _run_input(args):
    dataset = open_dataset(args.data)
    split = "train" if dataset.count("train") else "test"
    levels = [_stored_level("--level", args.level, dataset, dataset.levels)] if args.level else dataset.levels
    if args.condition_size == "none":
        condition_size = None
    elif args.condition_size:
        condition_size = _stored_level("--condition-size", args.condition_size, dataset, dataset.article_levels)
    else:
        condition_size = max(level for level in dataset.article_levels if level <= LARGEST_CONDITION_SIZE)
    if args.data_service:
        check_address(args.data_service)

    from training.benchmark.input import measure_input, show_input
    from training.distribute.devices import describe

    sizes = [(level, condition_size and min(level, condition_size)) for level in levels]
    figures = [measure_input(dataset, split, *pair, args.batch, args.examples, args.repeats, args.data_service) for pair in sizes]
    show_input(figures)
    if args.json:
        write_whole(args.json, json.dumps({"levels": figures, "machine": describe()}, indent=2) + "\n")


def _stored_level(flag, size, dataset, levels):
    if size not in levels:
        stored = ", ".join(map(format_size, levels))
        raise UserError(f"{flag} {format_size(size)}: {dataset.path} holds {stored}; choose one of these")
    return size
