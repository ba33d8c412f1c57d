"""A cluster that loses a worker: the others start again, wait until it is back, and all resume the last checkpoint.

TensorFlow reports it to the others within seconds, but a process that has been in a cluster cannot be in a second one.
So each of them replaces itself by a new process with the same command.
"""

import os
import signal
import sys
import time

import tensorflow as tf

from training.distribute.rendezvous import wait_for_workers

# How the loss of a worker shows, here or in another worker's message.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)
# All were there a moment ago: when TensorFlow takes so long to connect them, one has died, for which it waits for ever.
_CONNECT_SEC = 120


def is_worker_loss(error):
    """Whether an exception, or None, comes from the loss of another worker."""
    return isinstance(error, _LOST) or "NCCL: " in str(error)


class Restart:
    """The context in which a cluster assembles and trains: the loss of a worker starts it again.

    Args:
        cluster: the `Cluster`; None = a process that trains alone, without workers to wait for or to lose.
        wait_sec: how long the workers wait for each other, at the start and whenever one is lost.
        time_limit_sec, started: when the training has to stop, which starting again does not put off.

    Raises:
        WorkersMissing: when they wait in vain.
    """

    def __init__(self, cluster, wait_sec, time_limit_sec, started):
        self._cluster, self._wait_sec = cluster, wait_sec
        self._time_limit_sec, self._started = time_limit_sec, started

    def __enter__(self):
        if self._cluster:
            wait_for_workers(self._cluster, self._wait_sec)
            # No handler of Python's would run while TensorFlow connects them: the alarm and Ctrl-C end the process.
            self._on_interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.alarm(_CONNECT_SEC)
        return self

    def connected(self):
        """To be called when TensorFlow has connected all workers."""
        if self._cluster:
            signal.alarm(0)
            signal.signal(signal.SIGINT, self._on_interrupt)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # In a cluster, TensorFlow ignores it.

    def __exit__(self, kind, error, _):
        if self._cluster and is_worker_loss(error):
            reason = str(error).partition("\n")[0]
            print(
                f"worker {self._cluster.index}: lost connection to a peer; restarting from the last checkpoint and "
                f"waiting for it ({reason})",
                file=sys.stderr,
                flush=True,
            )
            self._start_again()

    def _start_again(self):
        time.sleep(1)  # A worker that fails immediately should not be started hundreds of times.
        arguments = sys.orig_argv[1:]
        if self._time_limit_sec is not None:
            left_sec = self._started + self._time_limit_sec - time.monotonic()
            arguments += ["--time-limit", f"{max(left_sec, 1) / 60:.3f}"]  # The last one counts.
        os.execv(sys.executable, [sys.executable, *arguments])
