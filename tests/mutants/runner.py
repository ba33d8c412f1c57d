"""Runs pytest again and again: a process that has imported TensorFlow forks one for each call, which saves most of the time."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

# What pytest returns when tests failed; other codes say that it could not run them.
TESTS_FAILED = 1


class Runner:
    """Runs tests of a copy of the project. A context manager: its process ends with the block.

    Args:
        folder: the copy, whose modules come before the installed ones, in the processes that tests start, too.
    """

    def __init__(self, folder):
        self._output = Path(folder) / "pytest.log"
        env = {
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "KERAS_BACKEND": "tensorflow",
        }
        # -P: this file's folder is no place to import from.
        command = [sys.executable, "-P", __file__]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=folder, env=os.environ | env, stdin=pipe, stdout=pipe, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.communicate()

    def run(self, tests, limit_sec):
        """Runs pytest with some arguments up to the first failure; returns (its exit code, what it printed).

        A test that takes too long counts as failed: some mistakes never end.
        """
        words = ["-x", "-q", "-p", "no:cacheprovider", *shlex.split(tests)]
        self._process.stdin.write(json.dumps([words, str(self._output), limit_sec]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()), self._output.read_text(errors="replace")


def serve():
    """The process: reads a call a line, answers with an exit code a line."""
    import keras  # noqa: F401
    import pytest
    import tensorflow  # noqa: F401

    for line in sys.stdin:
        words, output, limit_sec = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()  # What tests leave behind ends with it.
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(1, 2)
            code = pytest.main(words)
            sys.stdout.flush()
            os._exit(code)
        ends, ended = time.monotonic() + limit_sec, 0
        while not ended and time.monotonic() < ends:
            time.sleep(0.05)
            ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
        else:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            code = TESTS_FAILED
            with open(output, "a") as file:
                file.write(f"\ntook more than {limit_sec} s\n")
        print(code, flush=True)


if __name__ == "__main__":
    serve()
