"""`outfit-gan`, the only entry point: each verb's program is imported only when it is called.

A program is a module with `EXAMPLE` (arguments of one call, for its help), `add_arguments(parser)` and `run(args)`, and
with `REMOTE`, if there are any, the names of the arguments that may be URLs of TensorFlow's file systems. Its
top level imports nothing heavy, so that help, usage errors and the shell's completion (argcomplete) answer immediately;
TensorFlow's import takes seconds and waits until `run` needs it.
"""
# PYTHON_ARGCOMPLETE_OK: what a shell with argcomplete for all commands looks for.

import argparse
import os
import sys
from pathlib import Path

from tf_outfit_gan import __version__
from tf_outfit_gan.cli.program import load_program
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.quiet_import import import_quietly
from tf_outfit_gan.util.storage import local_only

# verb: (module of its program, one line of help)
VERBS = {
    "paperdoll": ("tf_outfit_gan.cli.paperdoll", "draw a synthetic catalogue with exact truth"),
    "prepare": ("tf_outfit_gan.cli.prepare", "convert a catalogue to training records"),
    "pose": ("tf_outfit_gan.cli.pose", "find the pose of a photo, or those that a catalogue lacks"),
    "inspect": ("tf_outfit_gan.cli.inspect", "summarize a catalogue or data set and flag anomalies"),
    "train": ("training.cli.train", "train a model; the same command resumes it"),
    "report": ("training.cli.report", "show how a run is doing, on one page of HTML"),
    "train-pose": ("training.cli.train_pose", "train a pose estimator; the same command resumes it"),
    "import-stylegan": ("tf_outfit_gan.cli.import_stylegan", "convert an official StyleGAN pickle to a snapshot"),
    "render": ("tf_outfit_gan.cli.render", "render an outfit in one or many poses"),
    "transfer": ("tf_outfit_gan.cli.transfer", "copy the color or the pose of one picture to another"),
    "evaluate": ("tf_outfit_gan.cli.evaluate", "measure a model against photos, or compare two"),
    "figures": ("tf_outfit_gan.cli.figures", "draw the paper's figures and tables from a snapshot"),
    "export": ("export.cli.export", "write a SavedModel for TF Serving"),
    "verify": ("export.cli.verify", "check that an exported model is whole and answers as it should"),
    "serve": ("serving.cli.serve", "answer TF Serving's gRPC and REST calls from a SavedModel"),
    "request": ("serving.cli.request", "ask a server for a picture"),
    "studio": ("serving.cli.studio", "write the studio's page, for a web server in front of TF Serving"),
    "rollout": ("serving.cli.rollout", "let a version take over on running servers, or go back"),
    "benchmark": ("tf_outfit_gan.cli.benchmark", "measure how fast training, its input or a server is"),
    "demo": ("tf_outfit_gan.cli.demo", "run the whole pipeline end to end on synthetic data"),
}


class Parser(argparse.ArgumentParser):
    """Reports wrong usage as a `UserError`, so that every mistake is one line and exit code 2; keeps lines of examples."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message):
        raise UserError(f"{message.removeprefix('argument ')}; see '{self.prog} --help'")


def parser_of(verb):
    """Builds the parser; only the asked verb's program is imported and gets its arguments."""
    common = Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser = Parser(
        prog="outfit-gan",
        description="Pictures of people wearing outfits that nobody photographed.",
        epilog="'outfit-gan VERB --help' explains a verb.",
    )
    parser.add_argument("--version", action="version", version=f"outfit-gan {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (module, summary) in VERBS.items():
        subparser = verbs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".", parents=[common])
        if name == verb:
            program = load_program(module)
            program.add_arguments(subparser)
            subparser.set_defaults(run=program.run, remote=getattr(program, "REMOTE", ()))
            subparser.epilog = f"example:\n  outfit-gan {name} {program.EXAMPLE}"
    return parser


def _check_places(args):
    """Raises `UserError` for a URL in the place of a file that this verb reads or writes on the local disk."""
    for name, value in vars(args).items():
        for place in value if isinstance(value, list) else [value]:
            if isinstance(place, str | Path) and name not in args.remote:
                local_only(place, f"'{name}' of {args.verb}")


def _complete():
    """Answers the shell's request for completions of the line that is being typed, and ends the process."""
    import argcomplete

    words = os.environ["COMP_LINE"].split()
    argcomplete.autocomplete(parser_of(words[1] if len(words) > 1 else None))


def main(argv=None):
    """Runs one verb. Exit codes: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted."""
    argv = list(sys.argv[1:] if argv is None else argv)
    # The Keras code of this project runs on TensorFlow, whatever ~/.keras/keras.json says.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # A GPU's memory is taken as it is needed, so that pictures can be drawn beside a training.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    verb = argv[0] if argv else None
    name = f"outfit-gan {verb}" if verb in VERBS else "outfit-gan"
    try:
        args = parser_of(verb).parse_args(argv)
        _check_places(args)
        args.run(args)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to continue", file=sys.stderr)
        return 130
    except Exception as error:  # The last place that can make one clear line of an error.
        if "--debug" in argv:
            raise
        kind = "" if hasattr(error, "exit_code") else f"{type(error).__name__}: "
        print(f"{name}: error: {kind}{error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return 0


def entry():
    """The console command: `main`, without the notices of TensorFlow's C++ side unless TF_CPP_MIN_LOG_LEVEL is 0.

    Errors and what ends the process (CUDA, NCCL, an allocator) are written to the terminal as they come.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # Errors, but neither notices nor warnings.
    import_quietly()
    return main()


if __name__ == "__main__":
    sys.exit(entry())
