"""Settings that only move speed: they are heard, and what is learned stays the same up to rounding."""

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import config as framework_config  # Its public name does not say whether it is on.

from tf_outfit_gan import ops
from tf_outfit_gan.config import from_preset
from training.benchmark.step import random_batch
from training.schedule import Stage
from training.step import Steps

# Small, since XLA compiles for a while; with noise, mixing and two micro-batches, whose draws XLA must not change.
SETTINGS = ["size=4x3", "condition_size=4x3", "fmap_max=4", "paired_weight=1"]
STAGE = Stage(0, False, 8, 1, 4)


def made(*settings, strategy=None):
    model_config, config = from_preset("tiny", [*SETTINGS, *settings])
    return Steps(strategy or tf.distribute.get_strategy(), model_config, config)


def test_xla_computes_what_tensorflow_does():
    """At a learning rate of 0: an update would carry rounding on."""
    found, batch = [], random_batch(from_preset("tiny", SETTINGS)[0], STAGE)
    for setting in ("xla=false", "xla=true"):
        steps = made(setting)
        # The first weights are ones and zeros: features without variance, whose normalization magnifies rounding.
        rng = np.random.default_rng(1)
        steps.generator.set_weights([rng.normal(size=weight.shape) for weight in steps.generator.get_weights()])
        iterator = iter(tf.data.Dataset.from_tensors(batch).repeat())
        statistics = steps.run(STAGE, iterator, 2, 0)
        called = steps.traced(STAGE).get_concrete_function(iterator, *[tf.constant(0)] * 4).graph.as_graph_def()
        compiled = [body for body in called.library.function if "_XlaMustCompile" in body.attr]
        assert bool(compiled) == (setting == "xla=true")
        found.append({name: total for name, (total, _) in statistics.items() if name != "input_wait"})
        moments = (steps.generator_optimizer.second_moment, steps.discriminator_optimizer.second_moment)
        found[-1] |= {"moments": np.concatenate([moment.numpy() for moment in moments])}
    plain, compiled = found
    assert np.linalg.norm(plain["moments"]) > 0
    for name, expected in plain.items():
        np.testing.assert_allclose(compiled[name], expected, rtol=1e-3, atol=1e-5, err_msg=name)


def test_tf32_and_determinism_are_switches_of_tensorflow():
    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    made("tf32=true")
    assert enabled() and not framework_config.is_op_determinism_enabled()
    try:
        steps = made("deterministic=true")
        assert not enabled() and framework_config.is_op_determinism_enabled()
        # Some operations refuse to run then.
        iterator = iter(tf.data.Dataset.from_tensors(random_batch(steps.generator.config, STAGE)).repeat())
        assert "input_wait" not in steps.run(STAGE, iterator, 1, 0)
    finally:
        framework_config.disable_op_determinism()


def test_instance_norm_has_the_kernel_of_the_strategys_devices():
    for device, xla, kernel in (("CPU", "false", "batch_norm"), ("CPU", "true", "moments"), ("GPU", "false", "moments")):
        steps = made(f"xla={xla}", strategy=tf.distribute.OneDeviceStrategy(f"{device}:0"))
        for generator in (steps.generator, steps.average):
            used = {level.first_style.adain.norm_kernel for level in generator.synthesis.levels}
            assert used == {kernel} <= set(ops.NORM_KERNELS)
