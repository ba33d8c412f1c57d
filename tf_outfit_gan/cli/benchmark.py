"""The verb `outfit-gan benchmark`: measures how fast a part is, each beside its limit. Every part has a program of its own."""

import argparse

from tf_outfit_gan.cli.program import load_program

PARTS = {
    "step": ("training.cli.benchmark_step", "time the training step, and its roofline, on random pictures"),
    "input": ("training.cli.benchmark_input", "time reading and decoding, against decoding alone"),
    "serve": ("serving.cli.benchmark_serve", "time a server under load, against the model alone"),
}
EXAMPLE = "step --preset 64x48 --batch 16 --json step.json"


def add_arguments(parser):
    parts = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, (module, summary) in PARTS.items():
        program = load_program(module)
        description = summary[0].upper() + summary[1:] + "."
        epilog = f"example:\n  outfit-gan benchmark {name} {program.EXAMPLE}"
        part = parts.add_parser(name, help=summary, description=description, epilog=epilog)
        # The flag of `outfit-gan` itself, also after WHAT; without a default here, the value given before WHAT stays.
        part.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error")
        part.set_defaults(run_part=program.run)
        program.add_arguments(part)


def run(args):
    args.run_part(args)
