"""What a signal does to a call that may be cut short, and to one that fails."""

import os
import random
import signal
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from tf_outfit_gan.sizes import format_size
from training.benchmark.step import random_batch
from training.distribute.strategy import make_strategy
from training.monitor.preemption import Stop
from training.schedule import Stage
from training.step import Steps

ALONE, SECOND_OF_TWO = SimpleNamespace(index=0, count=1), SimpleNamespace(index=1, count=2)
LOST = tf.errors.UnavailableError(None, None, "Socket closed")


class _Signals:
    """Sends the signal while Python deletes it, where an exception goes nowhere."""

    def __del__(self):
        signal.raise_signal(signal.SIGTERM)


def test_a_call_is_cut_short_where_our_code_goes_on():
    done = []

    def call():
        _Signals()
        done.append("theirs")
        format_size((4, 3))
        done.append("ours")

    before = sys.gettrace()
    with Stop(ALONE) as stop:
        assert not stop.interruptible(call) and done == ["theirs"]
        assert not stop.interruptible(call) and done == ["theirs"]
    assert sys.gettrace() == before


@pytest.mark.parametrize("workers, asked, error, expected", [
    (SECOND_OF_TWO, True, LOST, SystemExit),
    (SECOND_OF_TWO, False, LOST, tf.errors.UnavailableError),
    (SECOND_OF_TWO, True, ValueError("nan"), ValueError),
    (ALONE, True, LOST, tf.errors.UnavailableError),
])
def test_only_a_lost_worker_is_no_error_of_a_run_that_is_to_stop(workers, asked, error, expected):
    with pytest.raises(expected) as raised, Stop(workers):
        if asked:
            signal.raise_signal(signal.SIGTERM)
        raise error
    if expected is SystemExit:
        assert raised.value.code == 128 + signal.SIGTERM


@pytest.mark.slow
@pytest.mark.parametrize("preset, count", [("tiny", 30), ("paper", 6)])
def test_a_graph_is_left_wherever_the_signal_comes(preset, count):
    """At random moments of its building. Afterwards it can be built, and trained on; with -s it tells what it saw."""
    model_config, config = from_preset(preset, ())
    steps = Steps(make_strategy(), model_config, config)

    def stage_and_data(batch):
        stage = Stage(model_config.num_levels - 1, False, batch, 1)
        data = tf.data.Dataset.from_tensors(random_batch(model_config, stage)).repeat()
        return stage, iter(steps.strategy.distribute_datasets_from_function(lambda _: data))

    begun = time.monotonic()
    steps.trace(*stage_and_data(8))
    whole_sec, moments, waits = time.monotonic() - begun, random.Random(1), []
    another = stage_and_data(4)

    def ask():
        waits.append(-time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    for _ in range(count):
        with Stop(ALONE) as stop:
            timer = threading.Timer(moments.uniform(0, 0.8 * whole_sec), ask)
            timer.start()
            assert not stop.interruptible(lambda: steps.trace(*another))
            waits[-1] += time.monotonic()
            assert stop.asked and tf.executing_eagerly()
            timer.join()
    print(f"{preset}: a graph that takes {whole_sec:.1f} s was left {count} times, {sum(waits) / count:.2f} s after the "
          f"signal on average, {max(waits):.2f} s at most")
    total, _ = steps.run(*another, 1, 0)["loss_generator"]
    assert total > 0
