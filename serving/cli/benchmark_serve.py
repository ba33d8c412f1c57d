"""`outfit-gan benchmark serve`: times a server by requests at a time and rows a request, against the model alone.

The model alone is its SavedModel, called one time after another in one process, before the server starts.
"""

import argparse
import json
import re
import subprocess
import time
from pathlib import Path

from serving.load import example_rows, put_load
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.command import OUTFIT_GAN
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.model_versions import model_versions

EXAMPLE = "models/outfit_gan --concurrency 1,4,16 --batch 1,4"
ROW = "{:>5} {:>11} {:>11} {:>12} {:>8} {:>8} {:>8} {:>8} {:>7}"
HEAD = ROW.format("batch", "concurrency", "pictures/s", "of the model", "50%, ms", "95%, ms", "99%, ms", "refused", "failed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    main = parser.add_argument_group("main")
    main.add_argument("models", metavar="MODEL_BASE_PATH", type=Path, help="folder of a model's versions; the newest is measured")
    main.add_argument(
        "--concurrency", type=_counts, default="1,4,16", metavar="N,N", help="requests at a time (default: %(default)s)"
    )
    main.add_argument("--batch", type=_counts, default="1", metavar="N,N", help="rows a request (default: %(default)s)")
    main.add_argument(
        "--seconds", type=arguments.positive, default=10, metavar="N", help="time of each measurement (default: %(default)s)"
    )
    main.add_argument(
        "--serve",
        default="",
        metavar="FLAGS",
        help="flags of 'outfit-gan serve', such as --serve='--max_running 4 --max_waiting 8'",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--json", type=arguments.output_file(), metavar="FILE", help="write all figures to this file")


def _counts(text: str) -> list[int]:
    return [arguments.positive(part) for part in text.split(",")]


def run(args: argparse.Namespace) -> None:
    """Raises `UserError` where there is no model, or no server."""
    versions = model_versions(args.models)
    if not versions:
        raise UserError(f"{args.models}: no versions of a model; expected what 'outfit-gan export' writes")
    import tensorflow as tf

    model = tf.saved_model.load(str(versions[max(versions)])).signatures["serving_default"]
    (_, specs) = model.structured_input_signature
    requests = {batch: example_rows(specs, batch) for batch in args.batch}
    alone = {batch: _alone_per_sec(model, rows, args.seconds) for batch, rows in requests.items()}
    figures = []
    command = [*OUTFIT_GAN, "serve", str(args.models), "--model_name", "model", "--port", "0", "--rest_api_port", "0"]
    with subprocess.Popen([*command, *args.serve.split()], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"REST http://([^/]+):(\d+)/", server.stdout.readline())
            if found is None:
                raise UserError("the server did not start; its message is above")
            print(HEAD)
            for batch, rows in requests.items():
                put_load(found[1], int(found[2]), "model", rows, 1, seconds=1)  # Its first requests are slower.
                for concurrency in args.concurrency:
                    load = put_load(found[1], int(found[2]), "model", rows, concurrency, args.seconds)
                    figure = {
                        "batch": batch,
                        "concurrency": concurrency,
                        "pictures_per_sec": load.per_sec(batch),
                        "of_the_model": load.per_sec(batch) / alone[batch],
                        **{f"p{percent}_ms": 1000 * load.percentile(percent) for percent in (50, 95, 99)},
                        "refused": load.refused,
                        "failed": load.failed,
                    }
                    figures.append(figure)
                    print(ROW.format(*(f"{value:.2f}" if isinstance(value, float) else value for value in figure.values())))
        finally:
            server.terminate()
    if args.json:
        write_whole(args.json, json.dumps({"model_per_sec": alone, "rows": figures}, indent=2) + "\n")


def _alone_per_sec(model: object, rows: dict, seconds: float) -> float:
    """Pictures a second of the SavedModel itself."""
    import tensorflow as tf

    assert callable(model)
    inputs = {name: tf.constant(array) for name, array in rows.items()}
    model(**inputs)
    calls, begin = 0, time.perf_counter()
    while time.perf_counter() < begin + seconds:
        model(**inputs)
        calls += 1
    return calls * len(rows["seed"]) / (time.perf_counter() - begin)
