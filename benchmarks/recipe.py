"""Compares forms of a model and of its training: each form with several seeds, all measured alike, as one table.

    python benchmarks/recipe.py RUNS --data DATA --test OTHER-DATA --masks OTHER/masks --pose-model ESTIMATOR \\
        --preset demo --kimg 40 --seeds 1,2,3 --form "paper: pose_path=style article_path=style" --form "spatial:"

A form is a name and settings as `--set` takes them. Runs are trained one after another and kept in RUNS: the same
command resumes where it was stopped, and another form or seed is added to what is there. All forms see the same images.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

# What the table shows: heading, name among the figures of `evaluate`, digits.
COLUMNS = (
    ("Frechet distance", "distribution.frechet_distance", 4),
    ("picture error", "picture.error", 1),
    ("color (CIEDE2000)", "articles.all.color", 1),
    ("PCK@0.1", "pose.pck", 3),
    ("spread of hair", "diversity.hair", 1),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUNS", type=Path, help="folder of the runs")
    parser.add_argument("--data", required=True, help="prepared data to train on")
    parser.add_argument("--test", required=True, help="prepared data to measure on, of another catalogue")
    parser.add_argument("--masks", required=True, help="masks of that catalogue")
    parser.add_argument("--pose-model", required=True, help="an estimator of `outfit-gan train-pose`")
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--kimg", type=float, default=40, help="images that each run sees (default: %(default)s thousand)")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--count", type=int, default=1000, help="pictures to measure (default: %(default)s)")
    parser.add_argument("--form", action="append", required=True, metavar="NAME: KEY=VALUE ...")
    args = parser.parse_args()

    results = {}
    for seed in args.seeds.split(","):
        for form in args.form:
            name, _, settings = form.partition(":")
            results.setdefault(name, []).append(result(args, name, settings.split(), seed))
            print(table(results), flush=True)


def result(args, name, settings, seed):
    """Trains and measures one run; what is there already is not done again.

    A result of an earlier version, which lacks what the table shows, is measured again; its run is not trained again.
    """
    run = args.runs / f"{name.replace(' ', '-')}-{seed}"
    path = run / "result.json"
    if not (path.exists() and is_complete(json.loads(path.read_text()))):
        settings = [f"total_kimg={args.kimg:g}", f"seed={seed}", f"snapshot_kimg={args.kimg:g}", *settings]
        outfit_gan("train", run, "--data", args.data, "--preset", args.preset, *(f"--set={text}" for text in settings))
        outfit_gan(
            "evaluate",
            run,
            "--data",
            args.test,
            "--count",
            args.count,
            "--pose-model",
            args.pose_model,
            "--masks",
            args.masks,
            "--metrics",
            "distribution,pose,articles,diversity",
            "--json",
            path,
        )
    return json.loads(path.read_text())


def is_complete(found):
    return all(figure in found.get("figures", {}) for _, figure, _ in COLUMNS)


def outfit_gan(*words):
    subprocess.run([sys.executable, "-m", "tf_outfit_gan.cli.main", *map(str, words), "--quiet"], check=True)


def table(results):
    """A row a form: the mean over its seeds, and the least and the most; below it what the distances are of."""
    lines = ["", "| form | seeds | " + " | ".join(heading for heading, _, _ in COLUMNS) + " |", "|---" * (2 + len(COLUMNS)) + "|"]
    for name, found in results.items():
        cells = [name, str(len(found))]
        for _, figure, digits in COLUMNS:
            values = [one["figures"][figure]["value"] for one in found]
            if None in values:  # Nothing could be measured, as no garment is large enough.
                cells.append("-")
                continue
            spread = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
            cells.append(f"{statistics.fmean(values):.{digits}f}{spread}")
        lines.append("| " + " | ".join(cells) + " |")
    # Distances of several features, or of more or fewer pictures, do not compare.
    kinds = dict.fromkeys(f"{one['count']} pictures, {one['features']}" for found in results.values() for one in found)
    return "\n".join([*lines, "", f"Frechet distance: {'; and '.join(kinds)}"])


if __name__ == "__main__":
    main()
