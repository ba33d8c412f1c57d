"""A training run beside the reference: the same data, the same first weights, and what both come to.

    python -m tests.reference.comparison FOLDER REPLICAS KEY=VALUE...    with so many logical processors as replicas

prints the errors as JSON. It is a process of its own because devices must be made before TensorFlow starts.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from tests.helpers.catalogues import write_catalogue
from tests.reference.run import Run
from tests.reference.schedule import level_sizes, moment_at
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.pipeline import compact_batches
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.networks import build_networks
from training import checkpoint, loop
from training.checkpoint import named_weights
from training.run_options import RunOptions

NETWORKS = ("generator", "discriminator", "average")
SMALL = (
    "fmap_base=32",
    "size=8x6",
    "condition_size=8x6",
    "start_level=0",
    "stable_kimg=0.02",
    "fade_kimg=0.03",
    "learning_rate=0.002",
    "ema_halflife_kimg=0.05",
    "tick_kimg=0.016",
    "checkpoint_kimg=0.016",
    "seed=3",
)
# Statistics of a step besides losses: time, memory, place.
NOT_OF_THE_PAPERS = {
    "time",
    "cur_nimg",
    "sec_per_kimg",
    "memory_bytes",
    "images_per_sec",
    "left_sec",
    "warnings",
    "skipped_updates",
    "input_wait",
}


def write_data(folder, size, count=50):
    """A prepared data set whose pictures differ in every pixel: flat ones would hide what blurs, mirrors and fades.

    Articles lie on white paper, as wide and high as it happens.
    """
    write_catalogue(folder / "catalogue", count, size)
    rng = np.random.default_rng(1)
    for path in sorted((folder / "catalogue").glob("*.png")):
        pixels = rng.integers(0, 256, (*size, 3), np.uint8)
        if "_" in path.stem:  # An entry and a slot.
            top, left, bottom, right = rng.integers(0, [size[0] // 3, size[1] // 3] * 2)
            paper = np.full_like(pixels, 255)
            paper[top : size[0] - bottom, left : size[1] - right] = pixels[top : size[0] - bottom, left : size[1] - right]
            pixels = paper
        Image.fromarray(pixels).save(path)
    return prepare(folder / "catalogue", folder / "data", workers=1, quiet=True)


def write_start(path, model):
    """A snapshot to start from, all of whose weights are random: zeros and copies would hide mistakes.

    Returns {network: {name: array}}.
    """
    keras.utils.set_random_seed(2)
    rng, networks = np.random.default_rng(2), dict(zip(NETWORKS, (*build_networks(model), build_networks(model)[0])))
    for network in networks.values():
        for weight in network.weights:
            if weight.path.endswith("kernel"):
                continue
            # Noise as strong as features: a map that is positive everywhere has a bias without a gradient.
            weight.assign(rng.standard_normal(weight.shape) * (0.3 if weight.path.endswith("bias") else 1.0))
    training = networks["generator"], networks["discriminator"]
    snapshots.save(path, snapshots.Snapshot(model, networks["average"], 0, 1.0, 0, training=training))
    return {name: weights_of(network) for name, network in networks.items()}


def weights_of(network):
    return {name: weight.numpy() for name, weight in named_weights(network).items()}


def stored_entries(dataset, model):
    """The training entries in the order of the records, by size of the picture, as `data.entry` takes them."""
    found, condition_size = {}, model.condition_size if model.conditional else None
    for size in level_sizes(model.size):
        stream = compact_batches(dataset, "train", size, condition_size, dataset.count("train"))
        found[size] = {name: np.array(value) for name, value in next(iter(stream)).items()}
        if model.conditional:
            found[size]["articles"] = found[size]["articles"].swapaxes(0, 1)  # The slots come one by one.
    return found


def run_both(folder, settings, replicas=1):
    """Trains a run with `training`, in several calls into the graph, and the reference beside it.

    Args:
        settings: as for `from_preset`; total_kimg may be given several times: the run is then resumed.
        replicas: that there are in this process.

    Returns the errors by name: of statistics, of checkpoints by image count, and of snapshots.
    """
    model, training = from_preset("tiny", (*SMALL, *settings))
    dataset = write_data(folder, model.size)
    start = write_start(folder / "start", model)
    entries = [shard["entries"] for shard in dataset.splits["train"]]
    share = moment_at(model, training, replicas, 0).batch // replicas
    reference = Run(
        model,
        training,
        start,
        stored_entries(dataset, model),
        entries,
        sum(entries),
        replicas,
        share // (training.micro_batch or share),
    )
    steps, errors = {}, {}
    for total in [setting for setting in settings if setting.startswith("total_kimg=")]:
        _, training = from_preset("tiny", (*SMALL, *settings, total))
        options = RunOptions(quiet=True, init=str(folder / "start"))
        loop.train(folder / "run", dataset, model, training, options)
        states = {}
        while reference.cur_nimg < training.total_kimg * 1000:
            statistics = reference.step()
            steps[reference.cur_nimg] = statistics | reference.standing()
            states[reference.cur_nimg] = state_of(reference)
        for path in checkpoint.found(folder / "run" / "checkpoints"):
            cur_nimg = int(path.name.removesuffix("img"))
            if cur_nimg in states:
                errors |= errors_of(f"checkpoint {cur_nimg}", read_checkpoint(path), states[cur_nimg], start)
        snapshot = snapshots.load(folder / "run", training=True)
        written = dict(zip(NETWORKS, map(weights_of, (*snapshot.training, snapshot.generator))))
        state = {name: states[reference.cur_nimg][name] for name in NETWORKS}
        errors |= errors_of(f"snapshot {reference.cur_nimg}", written, state, start)
        expected = steps[reference.cur_nimg]
        assert (snapshot.cur_nimg, snapshot.size[0]) == (reference.cur_nimg, expected["height"])
        errors[f"snapshot {reference.cur_nimg}: alpha"] = abs(snapshot.alpha - expected["alpha"])
    return errors | statistic_errors(folder / "run", steps)


def state_of(reference):
    """All that training changes, in the layout of a checkpoint."""
    found = {name: dict(getattr(reference, name)) for name in NETWORKS}
    for name, network in zip(NETWORKS, build_networks(reference.model)):
        places = {id(weight): place for place, weight in named_weights(network).items()}
        moments = getattr(reference, f"{name}_adam").moments
        flat = [moments[places[id(weight)]].ravel() for weight in network.trainable_variables]
        found[f"{name}_optimizer"] = {"second_moment": np.concatenate(flat)}
    return found | {"ada_probability": {"": np.array(reference.ada_probability)}}


def errors_of(what, found, expected, start):
    """{name: error} of all that is expected, in the layout of a checkpoint."""
    errors = {}
    for name, values in expected.items():
        if name in NETWORKS:
            errors[name] = network_error(found[name], values, start[name])
        else:
            ((key, value),) = values.items()
            errors[name] = norm(found[name][key] - value) / (norm(value) or 1)
    return {f"{what}: {name}": float(error) for name, error in errors.items()}


def read_checkpoint(path):
    """{part: {name: array}}"""
    reader, found = tf.train.load_checkpoint(str(path / "state")), {}
    for key in reader.get_variable_to_shape_map():
        place = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE").replace(".S", "\0")
        if "_OBJECT_GRAPH" not in place:
            part, _, name = place.partition("/")
            found.setdefault(part, {})[name.replace("\0", "/")] = reader.get_tensor(key)
    return found


def network_error(found, expected, start):
    """How far apart two networks are: of each tensor the median error, in parts of how far it came; the largest.

    The median, because Adam without momentum makes a whole step of a gradient that is zero but for rounding, such as
    that of a bias whose feature map is positive everywhere: instance norm takes it out again.
    """
    assert found.keys() == expected.keys() == start.keys()
    errors = {}
    for name, value in expected.items():
        moved = norm(value - start[name]) / value.size**0.5
        errors[name] = np.median(abs(found[name] - value)) / (moved or 1.0)
    return max(errors.values())


def norm(vector):
    return np.linalg.norm(vector)


def statistic_errors(run, steps):
    """{name: the largest error} in the lines of stats.jsonl, of which each holds means over the steps of a tick."""
    errors, before = {}, 0
    for line in map(json.loads, (run / "stats.jsonl").read_text().splitlines()):
        ticked = [step for nimg, step in steps.items() if before < nimg <= line["cur_nimg"]]
        # R1 counts in the steps that had it.
        expected = {name: np.mean([step[name] for step in ticked if name in step]) for name in set().union(*ticked)}
        expected |= {name: ticked[-1][name] for name in ("height", "alpha")}
        assert line.keys() - NOT_OF_THE_PAPERS == expected.keys()
        for name, value in expected.items():
            errors[name] = max(errors.get(name, 0.0), abs(line[name] - value) / (0.01 + abs(value)))
        before = line["cur_nimg"]
    return {f"statistics: {name}": float(error) for name, error in errors.items()}


def main(folder, replicas, *settings):
    loop.CALL_SEC = 1e6  # As many steps in a call as there may be: a fade goes on inside a call.
    devices = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(devices[0], [tf.config.LogicalDeviceConfiguration()] * replicas)
    print(json.dumps(run_both(folder, settings, replicas)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
