"""A training run beside the reference: the same data, the same first weights, and what both come to.

    python -m tests.reference.comparison FOLDER REPLICAS KEY=VALUE...    with so many logical processors as replicas

prints the errors as JSON. It is a process of its own because devices must be made before TensorFlow starts.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from tests import runs
from tests.catalogues import write_catalogue
from tests.reference.run import Run
from tests.reference.schedule import level_sizes, moment_at
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.pipeline import compact_batches
from tf_outfit_gan.data.prepare import prepare
from tf_outfit_gan.networks.build import build_networks
from training import checkpoints, pace
from training.finetune import named_weights
from training.loop import train

NETWORKS = ("generator", "discriminator", "average")
# What is told of a step besides losses: time, memory, place.
NOT_OF_THE_PAPERS = {"time", "cur_nimg", "height", "alpha", "sec_per_kimg", "memory_bytes", "images_per_sec", "left_sec",
                     "warnings", "skipped_updates", "input_wait"}


def write_data(folder, size, count=50):
    """A prepared data set whose pictures differ in every pixel: flat ones would hide what blurs, mirrors and fades."""
    write_catalogue(folder / "catalogue", count, size)
    rng = np.random.default_rng(1)
    for path in sorted((folder / "catalogue").glob("*.png")):
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
    return prepare(folder / "catalogue", folder / "data", workers=1, quiet=True)


def write_start(path, model):
    """A snapshot to start from, all of whose weights are random: zeros and copies would hide mistakes.

    Returns {network: {name: array}}.
    """
    keras.utils.set_random_seed(2)
    rng, networks = np.random.default_rng(2), dict(zip(NETWORKS, (*build_networks(model), build_networks(model)[0])))
    for network in networks.values():
        for weight in network.weights:
            scale = 1 if "kernel" in weight.path else 0.3
            weight.assign(weight.numpy() * 0.5 + scale * rng.standard_normal(weight.shape))
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


def run_both(folder, dataset, settings, replicas=1, strategy=None):
    """Trains a run with `training`, in several calls into the graph, and the reference beside it.

    Returns what both found: the run's folder; its start; {image count: the reference's state} and its statistics.
    """
    model, training = from_preset("tiny", ("fmap_base=32", *settings))
    start = write_start(folder / "start", model)
    seconds, pace.CALL_SEC = pace.CALL_SEC, 1e6  # As many steps a call as there may be: a fade goes on inside a call.
    try:
        train(folder / "run", dataset, model, training, quiet=True, init=str(folder / "start"), strategy=strategy)
    finally:
        pace.CALL_SEC = seconds
    entries = [shard["entries"] for shard in dataset.splits["train"]]
    turns = moment_at(model, training, replicas, 0).batch // replicas // (training.micro_batch or 10**9) or 1
    reference = Run(model, training, start, stored_entries(dataset, model), entries, sum(entries), replicas, turns)
    states, steps = {}, {}
    while reference.cur_nimg < training.total_kimg * 1000:
        statistics = reference.step()
        steps[reference.cur_nimg] = statistics
        states[reference.cur_nimg] = {name: dict(getattr(reference, name)) for name in NETWORKS} | {
            "generator_optimizer": dict(reference.generator_adam.moments),
            "discriminator_optimizer": dict(reference.discriminator_adam.moments),
            "ada_probability": reference.ada_probability}
    return SimpleNamespace(folder=folder / "run", model=model, training=training, start=start, states=states,
                           steps=steps, replicas=replicas)


def checkpoint_errors(both):
    """{image count: {part: error}} of the checkpoints that the run has left."""
    found = {}
    for path in checkpoints.found(both.folder / "checkpoints"):
        cur_nimg = int(path.name.removesuffix("img"))
        memory, expected, errors = read_checkpoint(path), both.states[cur_nimg], {}
        for name, network in zip(NETWORKS, (*build_networks(both.model), build_networks(both.model)[0])):
            errors[name] = far(memory[name], expected[name], both.start[name])
            if name != "average":
                places = {id(weight): place for place, weight in named_weights(network).items()}
                order = [places[id(weight)] for weight in network.trainable_variables]
                moments = expected[f"{name}_optimizer"]
                flat = np.concatenate([moments[place].ravel() for place in order])
                second_moment = memory[f"{name}_optimizer"]["second_moment"]
                errors[f"{name}_optimizer"] = norm(second_moment - flat) / norm(flat)
        errors["w_avg"] = far(*({"w_avg": weights["mapping/w_avg"]} for weights in (
            memory["average"], expected["average"], both.start["average"])))
        errors["ada_probability"] = abs(memory["ada_probability"][""] - expected["ada_probability"])
        found[cur_nimg] = {name: float(error) for name, error in errors.items()}
    return found


def read_checkpoint(path):
    """{part: {name: array}}"""
    reader, found = tf.train.load_checkpoint(str(path / "state")), {}
    for key in reader.get_variable_to_shape_map():
        place = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE").replace(".S", "\0")
        if "_OBJECT_GRAPH" not in place:
            part, _, name = place.partition("/")
            found.setdefault(part, {})[name.replace("\0", "/")] = reader.get_tensor(key)
    return found


def far(found, expected, start):
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


def statistic_errors(both):
    """The errors of all lines of stats.jsonl, {name: the largest}, against the means of the reference's steps."""
    errors, before = {}, 0
    for line in map(json.loads, (both.folder / "stats.jsonl").read_text().splitlines()):
        of_tick = [step for nimg, step in both.steps.items() if before < nimg <= line["cur_nimg"]]
        means = {name: np.mean([step[name] for step in of_tick if name in step])
                 for name in set().union(*of_tick)}
        assert line.keys() - NOT_OF_THE_PAPERS == means.keys(), (line.keys() ^ means.keys())
        for name, mean in means.items():
            errors[name] = max(errors.get(name, 0), float(abs(line[name] - mean) / (1e-2 + abs(mean))))
        before = line["cur_nimg"]
    return errors


def main(folder, replicas, *settings):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * replicas)
    model, _ = from_preset("tiny", settings)
    both = run_both(folder, write_data(folder, model.size), settings, replicas)
    print(json.dumps({"checkpoints": checkpoint_errors(both), "statistics": statistic_errors(both)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
