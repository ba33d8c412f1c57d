"""What a signal does to a run, also while it builds a graph, and where another worker is lost."""

import signal
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.helpers.catalogues import write_catalogue
from tests.helpers.runs import QUICK
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from training.loop import train
from training.monitor.preemption import Stop
from training.run_options import RunOptions
from training.step import Steps

ALONE, SECOND_OF_TWO = SimpleNamespace(index=0, count=1), SimpleNamespace(index=1, count=2)
LOST = tf.errors.UnavailableError(None, None, "Socket closed")


def test_the_first_signal_asks_and_the_second_one_interrupts():
    before = signal.getsignal(signal.SIGTERM)
    with Stop(ALONE) as stop:
        assert not stop.asked
        signal.raise_signal(signal.SIGTERM)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(SystemExit) as raised:
            stop.leave()
    assert raised.value.code == 128 + signal.SIGTERM and signal.getsignal(signal.SIGTERM) == before


def test_a_signal_while_a_graph_is_built_stops_the_run_before_a_step(tmp_path, monkeypatch):
    write_catalogue(tmp_path / "catalogue", 16, (16, 12))
    data = prepare(tmp_path / "catalogue", tmp_path / "data", quiet=True)
    plain = Steps.trace

    def trace(self, stage, iterator):
        signal.raise_signal(signal.SIGTERM)
        plain(self, stage, iterator)

    monkeypatch.setattr(Steps, "trace", trace)
    with pytest.raises(SystemExit) as raised:
        train(tmp_path / "run", data, *from_preset("tiny", QUICK), RunOptions(quiet=True))
    assert raised.value.code == 128 + signal.SIGTERM
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["000000000img"]
    assert train(tmp_path / "run", data, *from_preset("tiny", QUICK), RunOptions(quiet=True)) == 32


@pytest.mark.parametrize(
    "workers, asked, error, expected",
    [
        (SECOND_OF_TWO, True, LOST, SystemExit),
        (SECOND_OF_TWO, False, LOST, tf.errors.UnavailableError),
        (SECOND_OF_TWO, True, ValueError("nan"), ValueError),
        (ALONE, True, LOST, tf.errors.UnavailableError),
    ],
)
def test_only_a_lost_worker_is_no_error_of_a_run_that_is_to_stop(workers, asked, error, expected):
    with pytest.raises(expected) as raised, Stop(workers):
        if asked:
            signal.raise_signal(signal.SIGTERM)
        raise error
    if expected is SystemExit:
        assert raised.value.code == 128 + signal.SIGTERM
