"""A program: trains the same model on one replica and on two, and prints how much they differ, as JSON.

    python -m tests.helpers.replicas FOLDER           two logical devices against one
    python -m tests.helpers.replicas FOLDER WORKER    one of the processes of the cluster in TF_CONFIG, against that one

It is a process of its own because devices must be made, and a cluster joined, before TensorFlow starts.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from training.distribute.cluster import resolve
from training.distribute.strategy import Workers, make_strategy
from training.schedule import Stage
from training.step import Steps

BATCH = 16
LEVEL = 1
CONFIG, TRAINING = from_preset("tiny", ["size=8x6", "condition_size=8x6", "r1_interval=2", "ada_target=0.6"])


def main(folder):
    # The first GPU, where there is one: NCCL does not add up within a device.
    gpus = tf.config.list_physical_devices("GPU")[:1]
    tf.config.set_visible_devices(gpus, "GPU")
    device, memory_mib = (gpus[0], 4096) if gpus else (tf.config.list_physical_devices("CPU")[0], None)
    tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration(memory_limit=memory_mib)] * 2)
    two = make_strategy(cross_device="reduce-to-one" if gpus else None)
    reductions = count_reductions()
    one = tf.distribute.OneDeviceStrategy(f"{device.device_type}:0")
    expected = trained(one)[0]
    reductions.clear()
    found, steps = trained(two)
    np.savez(folder / "expected.npz", **expected)
    networks = (steps.generator, steps.discriminator, steps.average)
    values = [variable.value for network in networks for variable in network.weights]
    values += [optimizer.second_moment for optimizer in (steps.generator_optimizer, steps.discriminator_optimizer)]
    pairs = [two.experimental_local_results(value) for value in (*values, steps.ada_probability)]
    differences = [np.abs(first.numpy() - second.numpy()).max() for first, second in pairs]
    print(
        json.dumps(
            {
                "replicas": two.num_replicas_in_sync,
                "errors": errors(found, expected),
                "moved": float(expected["moved"]),
                "replica_difference": float(max(differences)),
                "reductions": reductions,
                "ada_probability": float(steps.ada_probability.read_value()),
            }
        )
    )


def count_reductions():
    """The list to which every sum or mean over replicas adds its number of axes, as a graph is traced."""
    found = []
    operations = tf.distribute.CrossDeviceOps
    reduce, batch_reduce = operations.reduce, operations.batch_reduce

    def counted(self, reduce_op, value, *args, **kwargs):
        found.append(value.values[0].shape.rank)
        return reduce(self, reduce_op, value, *args, **kwargs)

    def counted_batch(self, reduce_op, pairs, *args, **kwargs):
        found.extend(value.values[0].shape.rank for value, _ in pairs)
        return batch_reduce(self, reduce_op, pairs, *args, **kwargs)

    operations.reduce, operations.batch_reduce = counted, counted_batch
    return found


def worker(folder):
    strategy = make_strategy(resolve())
    workers = Workers(strategy)
    found, steps = trained(strategy)
    mine = steps.ada_probability.numpy(), *(weights.sum() for weights in steps.generator.get_weights())
    same = workers.numbers(hash(mine) % 2**31)
    expected = np.load(folder / "expected.npz")
    print(json.dumps({"replicas": strategy.num_replicas_in_sync, "errors": errors(found, expected), "same": same}))


def trained(strategy):
    """Gradients at the start, and losses, weights and moments of ten steps. Returns (them, the `Steps`)."""
    steps = Steps(strategy, CONFIG, TRAINING)
    steps.ada_probability.assign(0.5)  # Some pictures are altered, and others not.
    batch, before = random_batch(CONFIG), steps.generator.get_weights()
    stage = Stage(LEVEL, True, BATCH // strategy.num_replicas_in_sync, strategy.num_replicas_in_sync)

    @tf.function
    def run(nimg):
        found = steps.step(stage, distributed(strategy, batch), nimg, tf.constant(0.5))
        # How much neighbors in a batch differ depends on who they are.
        return [value for name, (_, (value, _)) in found.items() if not name.startswith("spread")]

    def step(number):
        return np.array(run(tf.constant(number * BATCH, tf.int64)))

    def moments():
        names = ("discriminator_optimizer", "generator_optimizer")
        return {name: getattr(steps, name).second_moment.numpy() for name in names}

    # A step that changes no weight leaves its gradients' squares.
    step(0)
    found = {f"gradients of {name}": np.sqrt(moment) for name, moment in moments().items()}

    steps.reset_optimizers()
    steps.set_learning_rate(0.002)
    found["losses"] = np.array([step(number) for number in range(10)])
    found |= moments()
    for name in ("generator", "discriminator", "average"):
        found[name] = np.concatenate([weight.ravel() for weight in getattr(steps, name).get_weights()])
    found["moved"] = max(np.abs(a - b).max() for a, b in zip(steps.generator.get_weights(), before))
    return found, steps


def errors(found, expected):
    """How far apart two results of `trained` are, by name, in parts of their length."""
    norm = np.linalg.norm
    return {name: float(norm(found[name] - expected[name]) / norm(expected[name])) for name in found}


def random_batch(config):
    rng = np.random.default_rng(5)
    (height, width), (h, w) = config.level_sizes[LEVEL], config.condition_size
    return {
        "image": rng.uniform(-1, 1, (BATCH, height, width, 3)).astype(np.float32),
        "articles": rng.uniform(-1, 1, (BATCH, 6, h, w, 3)).astype(np.float32),
        "keypoints": np.concatenate([rng.uniform(0, 1, (BATCH, 16, 2)), np.ones((BATCH, 16, 1))], -1).astype(np.float32),
    }


def distributed(strategy, batch):
    """Replica r of R takes pictures r, r + R, ...: the minibatch-stddev groups are then those of the joint batch."""
    replicas = strategy.num_replicas_in_sync

    def share(context):
        return {name: tf.constant(value[context.replica_id_in_sync_group :: replicas]) for name, value in batch.items()}

    return strategy.experimental_distribute_values_from_function(share)


if __name__ == "__main__":
    (worker if sys.argv[2:] else main)(Path(sys.argv[1]))
