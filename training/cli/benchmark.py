"""The verb `outfit-gan benchmark`: measures how fast a part of the training is.

Each subcommand is a program of its own, imported only when it is asked for, as the verbs themselves are.
"""

import argparse
import importlib

# subcommand: (module of its program, one line of help)
SUBCOMMANDS = {
    "step": ("training.cli.benchmark_step", "time the training step, and its floor, on random pictures"),
    "input": ("training.cli.benchmark_input", "time reading and decoding, against decoding alone"),
}


def add_arguments(parser):
    subcommands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, (module, summary) in SUBCOMMANDS.items():
        program = importlib.import_module(module)
        subparser = subcommands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        # The front door's own flag, after WHAT too; left out here, what was said before WHAT stands.
        subparser.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
        )
        program.add_arguments(subparser)
        subparser.set_defaults(run_subcommand=program.run)


def run(args):
    args.run_subcommand(args)
