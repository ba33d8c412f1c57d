"""`outfit-gan export`: writes a snapshot as the next version of a SavedModel that TF Serving takes as it is."""

import argparse
import json
from pathlib import Path

from export.limits import MAX_ARTICLE_PIXELS, Limits
from tf_outfit_gan.util.errors import UserError

SERVING_IMAGE = "tensorflow/serving:2.20.0"  # The newest release; its runtime loads what this TensorFlow writes.


def add_arguments(parser):
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder (its newest snapshot)")
    parser.add_argument("models", metavar="MODELS/NAME",
                        help="local folder of the versions of one model, named as clients ask for it")
    parser.add_argument("--version", type=int, metavar="N", help="number of the version (default: the next one)")
    parser.add_argument("--evaluation", type=Path, metavar="FILE",
                        help="keep these figures of the snapshot with the model: what `outfit-gan evaluate --json` wrote")
    limits = parser.add_argument_group("Limits, which the model itself enforces")
    limits.add_argument("--max-rows", type=int, metavar="N",
                        help="pictures of one request (default: 8 at 1024x768, more of smaller ones, 64 at most)")
    limits.add_argument("--max-article-pixels", type=int, metavar="N",
                        help=f"pixels of the articles of one picture together (default: {MAX_ARTICLE_PIXELS})")
    limits.add_argument("--warmup-batch-sizes", type=_sizes, default=(1,), metavar="1,2,4",
                        help="rows of the requests that a server warms up with: the allowed_batch_sizes of its batching "
                             "(default: 1)")


def _sizes(text):
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers separated by commas, found {text!r}") from None


def run(args):
    from tf_outfit_gan import snapshot as snapshots

    found = snapshots.read(args.snapshot)
    figures = _read_figures(args.evaluation, found) if args.evaluation else None
    limits = Limits.of_size(found.size, args.max_rows, args.max_article_pixels)
    snapshot = snapshots.load(args.snapshot)
    from export.savedmodel import write_savedmodel
    from tf_outfit_gan.config import format_size

    folder = write_savedmodel(snapshot, args.models, limits, args.version, args.warmup_batch_sizes, figures)
    base = folder.parent
    name = base.resolve().name
    megabytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    print(f"exported {name} version {folder.name} to {folder}: {megabytes:.1f} MB, "
          f"{format_size(snapshot.size)} pictures after {snapshot.cur_nimg / 1000:g} kimg; all signatures answer")
    print(f"serve it: outfit-gan serve {base}")
    print(f"or:       docker run -p 8500:8500 -p 8501:8501 -v {base.resolve()}:/models/{name} -e MODEL_NAME={name} "
          f"{SERVING_IMAGE}")


def _read_figures(path, snapshot):
    """What `outfit-gan evaluate --json` wrote of one snapshot: of this one, as far as its count of images shows."""
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        cur_nimg = figures["cur_nimg"]
        figures["figures"]
    except OSError as error:
        raise UserError(f"--evaluation {path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise UserError(f"--evaluation {path}: expected what `outfit-gan evaluate SNAPSHOT --json` wrote of one "
                        "snapshot") from None
    if cur_nimg != snapshot.cur_nimg:
        raise UserError(f"--evaluation {path}: of another snapshot: it was measured after {cur_nimg} images, and this one "
                        f"has seen {snapshot.cur_nimg}")
    return figures
