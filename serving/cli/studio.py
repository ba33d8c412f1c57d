"""`outfit-gan studio`: writes the studio's page as files, for a web server in front of TF Serving."""

import argparse
import shutil
from pathlib import Path

from serving.studio import SETTINGS, STUDIO_FOLDERS, studio_settings
from tf_outfit_gan.util.atomic import whole_folder
from tf_outfit_gan.util.errors import UserError

EXAMPLE = "/var/www/studio --model_name outfit_gan"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "out", metavar="OUT", type=Path, help="folder to write, new or empty; docs/studio.md says how to serve it"
    )
    main = parser.add_argument_group("main")
    main.add_argument("--model_name", default="outfit_gan", help="the model that the page asks for (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Raises `UserError` where something else would be overwritten."""
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise UserError(f"{args.out}: expected a new or empty folder, found other content; choose another folder")
    (root, *_) = STUDIO_FOLDERS
    with whole_folder(args.out) as folder:
        for path, source in STUDIO_FOLDERS.items():
            ignored = shutil.ignore_patterns("__pycache__", "*.py")
            shutil.copytree(source, folder / path.removeprefix(root).strip("/"), ignore=ignored, dirs_exist_ok=True)
        (folder / SETTINGS).write_bytes(studio_settings(args.model_name))
    print(f"{args.out}: the studio of {args.model_name}; serve it beside /v1/ of TF Serving: docs/studio.md")
