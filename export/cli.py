"""`outfit-gan export`: writes a snapshot as the next version of a SavedModel that TF Serving takes as it is."""

import argparse

SERVING_IMAGE = "tensorflow/serving:2.20.0"  # The newest release; its runtime loads what this TensorFlow writes.

EXAMPLE = "runs/dolls models/outfit_gan"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="snapshot folder, or a run folder (its newest snapshot)")
    parser.add_argument("models", metavar="MODELS/NAME", help="folder of the versions of one model, named as clients ask for it")


def run(args: argparse.Namespace) -> None:
    from tf_outfit_gan import snapshot as snapshots

    snapshot = snapshots.load(args.snapshot)
    from export.savedmodel import write_savedmodel
    from tf_outfit_gan.config import format_size

    folder = write_savedmodel(snapshot, args.models)
    base = folder.parent
    name = base.resolve().name
    megabytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    print(
        f"exported {name} version {folder.name} to {folder}: {megabytes:.1f} MB, "
        f"{format_size(snapshot.size)} pictures after {snapshot.cur_nimg / 1000:g} kimg; all signatures answer"
    )
    print(f"serve it: outfit-gan serve {base}")
    print(
        f"or:       docker run -p 8500:8500 -p 8501:8501 -v {base.resolve()}:/models/{name} -e MODEL_NAME={name} {SERVING_IMAGE}"
    )
