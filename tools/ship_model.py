"""Makes a run's newest snapshot the model that comes with the package: float16 weights, and the recipe that made it.

    python tools/ship_model.py runs/dolls

The networks as training left them come along, so that `train --init shipped` goes on from it.
"""

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError

FOLDER = Path(snapshots.__file__).with_name("shipped_model")
MAX_BYTES = 8_000_000
RECIPE = ("version", "commit", "preset", "overrides", "model", "training", "data_checksum")  # Of a run's config.json.


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", metavar="RUN", type=Path, help="run folder, or a snapshot in it")
    ship(parser.parse_args().run)


def ship(run):
    """Writes the package's shipped_model/ from a run folder or a snapshot in one; raises `UserError` where it cannot be."""
    source = snapshots.newest(run)
    snapshot = snapshots.load(source, training=True)
    if snapshot.training is None:
        raise UserError(f"{source}: has no training/; choose one of the newest snapshots, which keep it")
    runs = recipe(source)
    snapshot = dataclasses.replace(snapshot, noise=None, cur_nimg=sum(run["images"] for run in runs))
    split = snapshots.transfer_split(source)

    target = FOLDER / "snapshot"
    shutil.rmtree(target, ignore_errors=True)
    snapshots.save(target, snapshot, half=True)
    if split is not None:
        snapshots.save_transfer_split(target, split)
    write_whole(FOLDER / "recipe.json", json.dumps(runs, indent=2) + "\n")

    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    if size > MAX_BYTES:
        raise UserError(f"{FOLDER}: {size / 1e6:.1f} MB, expected {MAX_BYTES / 1e6:g} MB at most")
    print(f"{FOLDER}: {size / 1e6:.1f} MB, {snapshot.name}, {snapshot.size[0]}x{snapshot.size[1]}")


def recipe(path):
    """The runs that made a snapshot, the first one first: their settings, and how many images each was shown."""
    if path == FOLDER / "snapshot":  # A run that started from the shipped model.
        return json.loads((FOLDER / "recipe.json").read_text())
    config = json.loads((path.parents[1] / "config.json").read_text())
    earlier = recipe(Path(config["init"])) if config["init"] else []
    # A run of an earlier version has no commit, and may have settings that this one does not know.
    images = json.loads((path / "state.json").read_text())["cur_nimg"]
    return [*earlier, {"images": images} | {key: config.get(key) for key in RECIPE}]


if __name__ == "__main__":
    main()
