"""`outfit-gan benchmark input`: times reading and decoding, level by level, and its limits.

The limits are the decoding of the very same bytes, which lie in memory, by the very same operations, in one graph call, and the
same into batches. All are timed in alternation, in seconds of processor time: what a core feeds, also on a machine that is busy.
"""

import json

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from training.data_service import check_address

EXAMPLE = "data --level 256x192 --json input.json"
LARGEST_CONDITION_SIZE = (128, 96)  # Of a benchmark without --condition-size.


def add_arguments(parser):
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
        "--repeats", type=arguments.positive, default=5, metavar="N", help="rounds of pipeline and limits (default: %(default)s)"
    )
    measuring.add_argument(
        "--data-service",
        metavar="ADDRESS",
        help="time a tf.data service at grpc://HOST:PORT, by the clock: its processors are others",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", type=arguments.output_file(), metavar="FILE", help="write all figures, settings and the machine to this file"
    )


def _size_or_none(text):
    return text if text == "none" else arguments.size(text)


def run(args):
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
