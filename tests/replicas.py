"""A program: trains the same model on one and on two logical processors and prints how much they differ, as JSON.

It is a process of its own because logical devices must be made before TensorFlow starts.
"""

import json

import numpy as np
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from tf_outfit_gan.randomness import BatchDraws
from training.distribution import make_strategy
from training.phases import Stage
from training.steps import Steps

BATCH = 16
LEVEL = 2


def main():
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    two = make_strategy()
    one = tf.distribute.MirroredStrategy(["CPU:0"])
    config, training = from_preset("tiny", ["r1_interval=1", "ada_target=0.6"])
    batch = random_batch(config)
    steps = {strategy: Steps(strategy, config, training) for strategy in (one, two)}
    for model in steps.values():
        model.ada_probability.assign(0.5)  # Some pictures are altered, and others not.
    found = {"replicas": two.num_replicas_in_sync, "gradient_error": {}}

    # The gradients of each phase, summed over replicas, are those of the joint batch.
    for phase in ("discriminator_phase", "r1_phase", "generator_phase"):
        joint, parts = (np.array(gradient(strategy, steps[strategy], phase, batch)) for strategy in (one, two))
        found["gradient_error"][phase] = float(np.linalg.norm(joint - parts) / np.linalg.norm(joint))

    # After ten steps both replicas hold the same variables, and have moved.
    before = steps[two].generator.get_weights()
    steps[two].set_learning_rate(0.002)
    stage = Stage(LEVEL, True, BATCH // 2, 2)
    run = tf.function(lambda nimg: steps[two].step(stage, distributed(two, batch), nimg, tf.constant(0.5)))
    for step in range(10):
        run(tf.constant(step * BATCH, tf.int64))
    networks = (steps[two].generator, steps[two].discriminator, steps[two].average)
    values = [variable.value for network in networks for variable in network.weights]
    values += [steps[two].generator_optimizer.second_moment, steps[two].discriminator_optimizer.second_moment]
    values.append(steps[two].ada_probability)
    differences = [np.abs(np.subtract(*(v.numpy() for v in two.experimental_local_results(value)))).max() for value in values]
    found["replica_difference"] = float(max(differences))
    after = steps[two].generator.get_weights()
    found["moved"] = float(max(np.abs(a - b).max() for a, b in zip(after, before)))
    found["ada_probability"] = float(steps[two].ada_probability.read_value())
    print(json.dumps(found))


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


def gradient(strategy, steps, phase, batch):
    replicas = strategy.num_replicas_in_sync
    stage = Stage(LEVEL, True, BATCH // replicas, replicas)
    optimizer = steps.generator_optimizer if phase == "generator_phase" else steps.discriminator_optimizer

    def on_replica(batch):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        draws = BatchDraws(tf.constant(7, tf.int64), BATCH // replicas, replica, replicas)
        _, gradients = getattr(steps.phases, phase)(stage, batch, draws, tf.constant(0.5))
        return optimizer.flatten(gradients)

    run = tf.function(lambda: strategy.reduce("SUM", strategy.run(on_replica, (distributed(strategy, batch),)), None))
    return run()


if __name__ == "__main__":
    main()
