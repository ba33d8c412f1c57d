"""`outfit-gan verify`: checks an exported version, its files and its answers, before a server gets it."""

import argparse
import json
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.model_versions import model_versions

EXAMPLE = "models/outfit_gan --snapshot runs/dolls"
REMOTE = ("snapshot",)


class NotVerified(Exception):
    """An exported model is not as it should be."""

    exit_code = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", metavar="MODELS/NAME", type=Path, help="folder of the versions of one model")
    main = parser.add_argument_group("main")
    main.add_argument("--version", type=arguments.whole(1), metavar="N", help="which version (default: the newest)")
    main.add_argument(
        "--snapshot",
        metavar="SNAPSHOT",
        help="what the model was exported from: compare its pictures, beside the answers that were recorded at the export",
    )


def run(args: argparse.Namespace) -> None:
    """Raises `NotVerified` with what is wrong."""
    folder = _version_folder(args.models, args.version)
    from tf_outfit_gan import snapshot as snapshots

    snapshot = snapshots.load(args.snapshot) if args.snapshot else None
    from export.evaluation import MODEL_CARD
    from export.verification import CARD, verify

    problems = verify(folder, snapshot)
    if problems:
        print("\n".join(problems))
        raise NotVerified(f"FAIL: {folder}: {len(problems)} found, see above")
    source = f"the snapshot {args.snapshot}" if args.snapshot else "the answers recorded at the export"
    evaluation = json.loads((folder / CARD).read_text(encoding="utf-8")).get("evaluation")
    if evaluation:
        print(
            f"evaluated: {len(evaluation['figures'])} figures of {evaluation['count']} photos of {evaluation['split']}, "
            f"see {folder / MODEL_CARD}"
        )
    print(f"PASS: {folder}: files, graph, warmup, pictures as {source}, rows apart, limits")


def _version_folder(models: Path, version: int | None) -> Path:
    versions = model_versions(models)
    if not versions:
        raise UserError(f"{models}: no version here; expected the folder that `outfit-gan export` was given")
    if version is not None and version not in versions:
        raise UserError(f"{models}: no version {version}; there are {', '.join(map(str, sorted(versions)))}")
    return versions[version or max(versions)]
