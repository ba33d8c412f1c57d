"""What a signal does to a call that may be cut short, and to one that fails."""

import signal
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tf_outfit_gan.sizes import format_size
from training.stop import Stop

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
