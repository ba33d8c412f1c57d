"""`outfit-gan export`: writes a snapshot as the next version of a SavedModel that TF Serving takes as it is."""

import argparse
from pathlib import Path

from export.limits import MAX_ARTICLE_PIXELS, Limits
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import RemotePath, local_only

SERVING_IMAGE = "tensorflow/serving:2.20.0"  # The newest release; its runtime loads what this TensorFlow writes.

EXAMPLE = "runs/dolls models/outfit_gan"
REMOTE = ("snapshot", "models")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, a run folder (its newest snapshot), or 'shipped'")
    parser.add_argument(
        "models", metavar="MODELS/NAME", help="local folder of the versions of one model, named as clients ask for it"
    )
    main = parser.add_argument_group("main")
    main.add_argument(
        "--format",
        choices=("savedmodel", "onnx", "litert"),
        default="savedmodel",
        help="for TF Serving, or files for other runtimes in a new folder, without the options below (default: savedmodel)",
    )
    main.add_argument("--version", type=arguments.whole(1), metavar="N", help="number of the version (default: the next one)")
    main.add_argument(
        "--evaluation",
        metavar="FILE",
        type=Path,
        help="what `outfit-gan evaluate SNAPSHOT --json FILE` wrote: the version gets its figures and a model card",
    )
    limits = parser.add_argument_group("limits, which the model itself enforces")
    limits.add_argument(
        "--max-rows",
        type=arguments.whole(1),
        metavar="N",
        help="pictures of one request (default: 8 at 1024x768, more of smaller ones, 64 at most)",
    )
    limits.add_argument(
        "--max-article-pixels",
        type=arguments.whole(1000),
        default=MAX_ARTICLE_PIXELS,
        metavar="N",
        help="pixels of the articles of one picture together (default: %(default)s)",
    )
    server = parser.add_argument_group("server")
    server.add_argument(
        "--warmup-batch-sizes",
        type=_sizes,
        default=(1,),
        metavar="1,2,4",
        help="rows of the requests that a server warms up with: the allowed_batch_sizes of its batching (default: 1)",
    )


def _sizes(text: str) -> tuple[int, ...]:
    whole = arguments.whole(1)
    return tuple(whole(size) for size in text.split(","))


def run(args: argparse.Namespace) -> None:
    if args.format != "savedmodel":
        local_only(args.models, f"'--format {args.format}'")
    from tf_outfit_gan import snapshot as snapshots

    snapshot = snapshots.load(args.snapshot)
    from export.evaluation import read_evaluation
    from export.savedmodel import write_savedmodel
    from tf_outfit_gan.sizes import format_size

    if args.format != "savedmodel":
        given = (args.version, args.evaluation, args.max_rows, args.max_article_pixels, args.warmup_batch_sizes)
        if given != (None, None, None, MAX_ARTICLE_PIXELS, (1,)):
            raise UserError(f"--format {args.format}: takes no other option; those are for savedmodel")
        from export.portable import write_portable

        files = write_portable(snapshot, args.models, args.format)
        print(f"exported {files}: {', '.join(sorted(path.name for path in files.iterdir()))}; the files draw the same pictures")
        return
    limits = Limits.of_size(snapshot.size, args.max_rows, args.max_article_pixels)
    evaluation = read_evaluation(args.evaluation, snapshot) if args.evaluation else None
    folder = write_savedmodel(snapshot, args.models, limits, args.version, args.warmup_batch_sizes, evaluation)
    base = folder.parent
    name = base.resolve().name
    if isinstance(folder, RemotePath):
        print(f"exported {name} version {folder.name} to {folder}; point TF Serving at {base}")
        return
    megabytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    print(
        f"exported {name} version {folder.name} to {folder}: {megabytes:.1f} MB, "
        f"{format_size(snapshot.size)} pictures after {snapshot.cur_nimg / 1000:g} kimg; all signatures answer"
    )
    print(f"serve it: outfit-gan serve {base}")
    print(
        f"or:       docker run -p 8500:8500 -p 8501:8501 -v {base.resolve()}:/models/{name} -e MODEL_NAME={name} {SERVING_IMAGE}"
    )
