"""Divergence, memory, input wait and mode collapse, on real steps and real errors: each is reported by name."""

import time

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.config import TrainingConfig, from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from training.benchmark.step import random_batch
from training.loop import train
from training.monitor.diagnostics import Diagnostics
from training.monitor.divergence import MOST_SKIPPED, Diverged, OutOfMemory, complaint_about_memory, out_of_memory
from training.monitor.watchdog import Watchdog
from training.run_options import RunOptions
from training.schedule import Stage
from training.step import Steps
from training.step_statistics import means

STAGE = Stage(1, False, 8, 1)
SETTINGS = ("conditional=false", "size=8x6", "mixing_probability=0")


def iterator(model_config, pause_sec=0.0):
    """Endless random batches, each of which takes a while."""

    def wait(image):
        time.sleep(pause_sec)
        return image

    dataset = tf.data.Dataset.from_tensors(random_batch(model_config, STAGE)["image"]).repeat()
    shape = [STAGE.batch, *model_config.level_sizes[1], 3]
    return iter(dataset.map(lambda x: {"image": tf.ensure_shape(tf.numpy_function(wait, [x], tf.uint8), shape)}))


@pytest.fixture(scope="module")
def steps():
    found = Steps(tf.distribute.get_strategy(), *from_preset("tiny", SETTINGS))
    found.trace(STAGE, iterator(found.generator.config))
    return found


def test_the_input_wait_is_reported(steps):
    """In the statistics after a call, and by the watchdog while it lasts."""
    waited_sec, seconds = steps.run(STAGE, iterator(steps.generator.config), 4, 0)["input_wait"]
    assert waited_sec < 0.5 * seconds
    lines = []
    with Watchdog(lines.append, stall_sec=0.2) as watchdog, watchdog.watching(steps.doing):
        waited_sec, seconds = steps.run(STAGE, iterator(steps.generator.config, 0.5), 3, 0)["input_wait"]
    assert waited_sec > 0.5 * seconds
    assert any("waiting for data" in line for line in lines)
    assert "the step itself" in steps.doing()


def test_mode_collapse_is_reported(steps):
    """It ignores its latents: no style reaches a layer."""
    diagnostics, data = Diagnostics(), iterator(steps.generator.config)
    levels = steps.generator.synthesis.levels
    dense = [layer.adain.affine for level in levels for layer in (level.first_style, level.second_style)]
    healthy = means(steps.run(STAGE, data, 1, 0))
    kernels = [layer.kernel.numpy() for layer in dense]
    for layer in dense:
        layer.kernel.assign(np.zeros_like(layer.kernel))
    collapsed = means(steps.run(STAGE, data, 1, 8))
    for layer, kernel in zip(dense, kernels):
        layer.kernel.assign(kernel)
    assert collapsed["spread_fake"] < 0.05 * healthy["spread_fake"]
    assert healthy["spread_real"] == pytest.approx(collapsed["spread_real"]) and healthy["spread_real"] > 0.1
    news = [list(diagnostics.update(tick | {"input_wait": 0.0})[1]) for tick in (healthy, *[collapsed] * 3)]
    assert news == [[], [], [], ["collapsed"]]


def test_lazy_r1_is_averaged_over_the_steps_that_have_it():
    """Of the three steps after the first one it is the third."""
    steps = Steps(tf.distribute.get_strategy(), *from_preset("tiny", (*SETTINGS, "r1_interval=3")))
    data = iterator(steps.generator.config)
    total, count = steps.run(STAGE, data, 3, 8)["r1_penalty"]
    assert count == 1 and total > 0
    assert steps.run(STAGE, data, 2, 8)["r1_penalty"] == steps.run(STAGE, data, 2, 8)["r1_loss"] == (0, 0)


def test_a_weight_that_is_not_finite_stops_the_run_by_name(steps):
    """A generator's: its first victim is the score of its pictures. No update is made of it."""
    bias = steps.generator.synthesis.levels[1].to_rgb.bias
    before, weights = bias.numpy(), steps.discriminator.get_weights()
    bias.assign(np.full_like(before, np.nan))
    message = "^score_fake in the phase discriminator is not finite .* after 1,024 images:.*nonfinite=skip"
    with pytest.raises(Diverged, match=message):
        steps.run(STAGE, iterator(steps.generator.config), 2, 1024)
    bias.assign(before)
    for found, expected in zip(steps.discriminator.get_weights(), weights):
        np.testing.assert_array_equal(found, expected)


def scripted(config, failing, name):
    """Steps that compute nothing: the statistic `name` fails after `failing` images, a scalar tensor -> bool."""
    steps = Steps(tf.distribute.get_strategy(), *from_preset("tiny", (*SETTINGS, *config)))

    phases = {
        "loss_discriminator": "discriminator",
        "skipped_discriminator": "discriminator",
        "r1_penalty": "r1",
        "skipped_r1": "r1",
        "loss_generator": "generator",
        "skipped_generator": "generator",
    }

    def step(stage, batch, cur_nimg, alpha=None):
        found = {}
        for other, phase in phases.items():
            good, bad = (0.0, 1.0) if other.startswith("skipped") else (2.0, np.nan)
            found[other] = phase, (tf.where(failing(cur_nimg) & (other == name), bad, good), 1.0)
        return found

    steps.step = step
    return steps


@pytest.mark.parametrize(
    "name, message",
    [
        ("loss_generator", "^loss_generator in the phase generator"),
        ("skipped_discriminator", "^the gradient in the phase discriminator"),
        ("skipped_r1", "^the gradient in the phase r1"),
    ],
)
def test_the_first_step_that_failed_is_named(name, message):
    steps = scripted((), lambda nimg: nimg >= 24, name)
    data = iterator(steps.generator.config)
    assert steps.run(STAGE, data, 3, 0)["loss_discriminator"] == (6.0, 3)
    with pytest.raises(Diverged, match=f"{message} is not finite in the step after 32 images"):
        steps.run(STAGE, data, 4, 32)
    with pytest.raises(Diverged, match="after 24 images"):
        steps.run(STAGE, data, 8, 0)


def test_skipping_goes_on_and_counts_until_nothing_is_learned_any_more():
    """Every fourth step fails: means are of the others. Later all do."""
    steps = scripted(("nonfinite=skip",), lambda nimg: (nimg % 32 == 24) | (nimg >= 800), "skipped_generator")
    data = iterator(steps.generator.config)
    statistics = steps.run(STAGE, data, 8, 0)
    assert statistics["skipped_updates"] == (2, 8) and statistics["loss_generator"] == (16.0, 8)
    steps.run(STAGE, data, MOST_SKIPPED - 1, 800)
    with pytest.raises(Diverged, match=f"{MOST_SKIPPED} updates in a row had to be skipped") as raised:
        steps.run(STAGE, data, 1, 800 + 8 * (MOST_SKIPPED - 1))
    assert "nonfinite=skip" not in str(raised.value)


def test_what_is_never_finite_has_no_mean():
    steps = scripted(("nonfinite=skip",), lambda nimg: nimg >= 0, "r1_penalty")
    assert steps.run(STAGE, iterator(steps.generator.config), 2, 0)["r1_penalty"] == (0, 0)


def test_a_run_out_of_memory_says_what_helps_and_has_saved(tmp_path, monkeypatch):
    """The largest allocation that there is fails for real, in the first step of the second period."""
    write_catalogue(tmp_path / "catalogue", 24, (16, 12))
    data = prepare(tmp_path / "catalogue", tmp_path / "data", quiet=True)
    events, reset, run = [], Steps.reset_optimizers, Steps.run

    def run_and_note(self, stage, *rest):
        events.append(stage.level)
        return run(self, stage, *rest)

    def step(self, stage, batch, cur_nimg, alpha=None):
        value = tf.cast(tf.reduce_sum(tf.range(2**50 + tf.cast(cur_nimg, tf.int64))), tf.float32) if stage.fading else 0.0
        return {"loss_generator": ("generator", (value, 1.0))}

    monkeypatch.setattr(Steps, "step", step)
    monkeypatch.setattr(Steps, "reset_optimizers", lambda self: (events.append("reset"), reset(self)))
    monkeypatch.setattr(Steps, "run", run_and_note)
    with pytest.raises(OutOfMemory) as raised:
        train(tmp_path / "run", data, *from_preset("tiny", ("conditional=false",)), RunOptions(quiet=True))
    message = str(raised.value)
    assert "\n" not in message and raised.value.exit_code == 1
    assert "out of memory at 16x12 fading in with a micro-batch of 8 in float32 (OOM when allocating" in message
    assert "--set micro_batch=4 or --set recompute_from=16, which may change in a run" in message

    # Adam starts anew when a level begins; what was learned before is safe; the log knows why it ended.
    assert [event for index, event in enumerate(events) if event != events[index - 1]] == ["reset", 1, "reset", 2]
    checkpoint = max((tmp_path / "run").glob("checkpoints/**/*.index")).with_suffix("")
    assert tf.train.load_checkpoint(str(checkpoint)).get_tensor("cur_nimg/.ATTRIBUTES/VARIABLE_VALUE") == 32
    assert message in (tmp_path / "run" / "log.txt").read_text()


def test_the_advice_is_what_can_still_be_done():
    config = TrainingConfig(recompute_from=64)
    assert "micro_batch=8 " in str(out_of_memory("OOM", Stage(5, True, 16, 1), (32, 24), config, 4))
    message = str(out_of_memory("OOM", Stage(5, False, 16, 2, 4), (64, 48), config, 4))
    assert "with a micro-batch of 4" in message and "--set" not in message and "smaller batch_size" in message


def test_a_full_disk_is_no_lack_of_memory():
    full = tf.errors.ResourceExhaustedError(None, None, "/run/checkpoints/ckpt.data; No space left on device")
    assert complaint_about_memory(full) is None
    gpu = tf.errors.InternalError(None, None, "Graph execution error:\nFailed to allocate 3 GB\non GPU:0")
    assert complaint_about_memory(gpu) == "Failed to allocate 3 GB"
