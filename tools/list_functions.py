"""Lists the functions of a checkout that an `outfit-gan` command calls, by file: the way to follow through the code.

    python tools/list_functions.py render --outfit examples/outfits/office.json --out picture.png
    python tools/list_functions.py --checkout OTHER train RUN --data DATA --preset tiny

What runs in processes of its own, or while modules are imported, is not seen.
"""

import argparse
import collections
import importlib
import inspect
import sys
import threading
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, default=Path(__file__).parents[1], help="of another version (default: this one)")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="without outfit-gan")
    args = parser.parse_args()
    root = args.checkout.resolve()
    sys.path.insert(0, str(root))
    try:
        program = importlib.import_module("tf_outfit_gan.cli.main")
    except ModuleNotFoundError:  # As it was before each verb had a file.
        program = importlib.import_module("tf_outfit_gan.cli")
    found = called(root, program.main, args.words)
    for file, functions in sorted(found.items()):
        print(f"{file}: {', '.join(sorted(functions))}")
    print(f"{len(found)} files, {sum(map(len, found.values()))} functions")


def called(root, run, *arguments):
    """{file: names of its functions that run(*arguments) calls}, of the Python files below `root`."""
    found = collections.defaultdict(set)

    def note(frame, event, _):
        code = frame.f_code
        # Bodies of modules and classes are none: they have no local variables of their own.
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(f"{root}/"):
            file = code.co_filename.removeprefix(f"{root}/")
            if not file.startswith("."):
                found[file].add(code.co_qualname)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        run(*arguments)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found


if __name__ == "__main__":
    main()
