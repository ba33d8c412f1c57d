"""A cluster that loses a worker: the others start again, wait until it is back, and all resume the last checkpoint.

TensorFlow tells the others within seconds, but a process that has been in a cluster cannot be in a second one. So each
of them replaces itself by a new process with the same command.
"""

import os
import signal
import sys
import time

import tensorflow as tf

# Survives the replacement: since when the workers wait for each other.
_SINCE = "OUTFIT_GAN_WAITS_SINCE"
# How the loss of a worker shows, here or in what another one tells.
_LOST = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)


class WorkersMissing(RuntimeError):
    """The workers of a cluster have waited for each other in vain."""


class Rejoin:
    """The context in which a cluster assembles and trains: an error that tells of a lost worker starts it again.

    Args:
        cluster: the `Cluster`; None = a process that trains alone, which has nobody to lose.
        wait_sec: how long the workers wait for each other, at the start and whenever one is lost.
        time_limit_sec, started: when the training has to stop, which starting again does not put off.

    Raises:
        WorkersMissing: when they are not complete in time.
    """

    def __init__(self, cluster, wait_sec, time_limit_sec, started):
        self._cluster, self._wait_sec = cluster, wait_sec
        self._time_limit_sec, self._started = time_limit_sec, started

    def __enter__(self):
        self._since = float(os.environ.get(_SINCE, time.time()))
        self._assembled = self._cluster is None
        if self._cluster:
            # TensorFlow waits without a look at Python's handlers, so Ctrl-C has to end the process by itself.
            self._on_interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)
        return self

    @property
    def left_sec(self):
        """How long to wait for the others from now on."""
        return max(self._since + self._wait_sec - time.time(), 1)

    def assembled(self):
        """Tells that all are there."""
        if not self._assembled:
            signal.signal(signal.SIGINT, self._on_interrupt)
            self._assembled = True

    def __exit__(self, kind, error, _):
        if self._cluster is None or kind is None or not (issubclass(kind, _LOST) or "NCCL: " in str(error)):
            return
        os.environ[_SINCE] = str(time.time() if self._assembled else self._since)
        if not self._assembled and self.left_sec <= 1:
            silent = ", ".join(self._cluster.silent()) or "none: do all have the same list of workers?"
            raise WorkersMissing(f"waited {self._wait_sec / 60:g} minutes for {len(self._cluster.workers)} workers; silent: "
                                 f"{silent}; run the same command on each of them to resume") from None
        print(f"worker {self._cluster.index}: lost another one, starts again from the last checkpoint and waits for it "
              f"({str(error.message).partition(chr(10))[0]})", file=sys.stderr, flush=True)
        self._start_again()

    def _start_again(self):
        time.sleep(1)  # Where it fails at once, again and again, it should not do so hundreds of times.
        arguments = sys.orig_argv[1:]
        if self._time_limit_sec is not None:
            left_sec = self._started + self._time_limit_sec - time.monotonic()
            arguments += ["--time-limit", f"{max(left_sec, 1) / 60:.3f}"]  # The last one counts.
        if sys.stderr.fileno() != 2:
            # The command line has moved the error stream, and does so again.
            os.dup2(sys.stderr.fileno(), 2)
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]
        os.execv(sys.executable, [sys.executable, *arguments])
