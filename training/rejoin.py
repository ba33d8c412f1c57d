"""A cluster that loses a worker: the others start again, wait until it is back, and all resume the last checkpoint.

TensorFlow tells the others within seconds, but a process that has been in a cluster cannot be in a second one. So each
of them replaces itself by a new process with the same command.
"""

import os
import signal
import sys
import threading
import time

import tensorflow as tf

# Survives the replacement: since when the workers wait for each other.
_SINCE = "OUTFIT_GAN_WAITS_SINCE"
# How the loss of a worker shows, here or in what another one tells.
_LOST = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)


class Rejoin:
    """The context in which a cluster assembles and trains: an error that tells of a lost worker starts it again.

    Args:
        cluster: the `Cluster`; None = a process that trains alone, which has nobody to lose.
        wait_sec: how long the workers wait for each other, at the start and whenever one is lost; then they end.
        time_limit_sec, started: when the training has to stop, which starting again does not put off.
    """

    def __init__(self, cluster, wait_sec, time_limit_sec, started):
        self._cluster, self._wait_sec = cluster, wait_sec
        self._time_limit_sec, self._started = time_limit_sec, started
        self._assembled = False

    def __enter__(self):
        self._since = float(os.environ.get(_SINCE, time.time()))
        if self._cluster:
            # While TensorFlow waits, it looks neither at the time nor at Python's handlers of signals.
            self._timer = threading.Timer(self._since + self._wait_sec - time.time(), self._give_up)
            self._timer.daemon = True
            self._timer.start()
            self._on_interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)
        return self

    def assembled(self):
        """Tells that all are there."""
        if self._cluster:
            self._timer.cancel()
            signal.signal(signal.SIGINT, self._on_interrupt)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # In a cluster, TensorFlow lets it pass unheard.
            self._assembled = True

    def __exit__(self, kind, error, _):
        if self._cluster and kind and (issubclass(kind, _LOST) or "NCCL: " in str(error)):
            os.environ[_SINCE] = str(time.time() if self._assembled else self._since)
            print(f"worker {self._cluster.index}: lost another one, starts again from the last checkpoint and waits for it "
                  f"({str(error).partition(chr(10))[0]})", file=sys.stderr, flush=True)
            self._start_again()

    def _give_up(self):
        silent = ", ".join(self._cluster.silent()) or "none: do all have the same list of workers?"
        print(f"outfit-gan train: error: waited {self._wait_sec / 60:g} minutes for {len(self._cluster.workers)} workers; "
              f"silent: {silent}; run the same command on each of them to resume", file=sys.stderr, flush=True)
        os._exit(1)

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
