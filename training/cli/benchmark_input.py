"""The program `outfit-gan benchmark input`: times reading and decoding, level by level, against decoding alone.

The limit is the decoding of the very same bytes, which lie in memory, by the very same operations, in one graph call.
Both are timed in turns in one process, in seconds of processor time: what a core feeds, also on a machine that is busy.
"""

import json
from pathlib import Path

from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.sizes import format_size, parse_size
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError


def add_arguments(parser):
    main = parser.add_argument_group("main")
    main.add_argument("data", metavar="DATA", help="a data set from 'outfit-gan prepare'")
    main.add_argument("--level", metavar="HxW", help="size of the photos (default: each level in turn)")
    main.add_argument("--condition-size", metavar="HxW", help="size of the articles, at most the photos' "
                      "(default: 128x96); none = photos alone")
    main.add_argument("--batch", type=int, default=16, help="entries a batch (default: %(default)s)")
    main.add_argument("--examples", type=int, default=512, help="entries a round (default: %(default)s)")
    main.add_argument("--repeats", type=int, default=5, help="rounds of pipeline and limit (default: %(default)s)")
    parser.add_argument("--data-service", metavar="ADDRESS", help="time a tf.data service at grpc://HOST:PORT, by the "
                        "clock: its processors are others")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and the machine here")


def run(args):
    dataset = open_dataset(args.data)
    split = "train" if dataset.count("train") else "test"
    levels = [_level(dataset, "--level", args.level)] if args.level else dataset.levels
    condition_size = None
    if args.condition_size != "none":
        wanted = args.condition_size or "128x96"
        condition_size = _level(dataset, "--condition-size", wanted, strict=args.condition_size)
    for name in ("batch", "examples", "repeats"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} {getattr(args, name)}: expected at least 1")
    if args.json and not args.json.absolute().parent.is_dir():
        raise UserError(f"--json {args.json}: its folder does not exist; create it first")
    if args.data_service:
        from training.data_service import check_address

        check_address(args.data_service)

    from training.benchmark.input import measure_input, show_input
    from training.distribute.devices import describe

    sizes = [(level, condition_size and min(level, condition_size)) for level in levels]
    figures = [measure_input(dataset, split, *pair, args.batch, args.examples, args.repeats, args.data_service)
               for pair in sizes]
    show_input(figures)
    if args.json:
        write_whole(args.json, json.dumps({"levels": figures, "machine": describe()}, indent=2) + "\n")


def _level(dataset, flag, text, strict=True):
    """The stored level that the user named; without `strict` the largest one, if it is smaller."""
    size = parse_size(text)
    if size in dataset.levels:
        return size
    if not strict and dataset.levels[-1] < size:
        return dataset.levels[-1]
    stored = ", ".join(map(format_size, dataset.levels))
    raise UserError(f"{flag} {text}: {dataset.path} holds {stored}; choose one of these")
