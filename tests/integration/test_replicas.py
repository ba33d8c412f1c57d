"""Two replicas train as one, in one process and in two: gradients, losses and weights of the joint batch."""

import json
import os
import socket
import subprocess
import sys

import pytest


def start(folder, **environment):
    command = [sys.executable, "-m", "tests.helpers.replicas", str(folder), *(["worker"] if environment else [])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=os.environ | environment, text=True, **pipes)


def result(process):
    output, errors = process.communicate(timeout=900)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("replicas")


@pytest.fixture(scope="module")
def found(folder):
    return result(start(folder))


@pytest.fixture(scope="module")
def processes(found, folder):
    """What both workers of a cluster on this machine found."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("localhost", 0)), second.bind(("localhost", 0))
        workers = [f"localhost:{free.getsockname()[1]}" for free in (first, second)]
    tasks = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}} for index in range(2)]
    started = [start(folder, TF_CONFIG=json.dumps(task)) for task in tasks]
    return [result(process) for process in started]


def close(errors):
    """Up to the rounding of float32, which ten steps carry on."""
    for name, error in errors.items():
        assert error < (1e-5 if name.startswith("gradients") else 1e-4), (name, error)


def test_there_are_two(found):
    assert found["replicas"] == 2


def test_two_replicas_learn_what_one_learns(found):
    assert found["moved"] > 1e-3
    close(found["errors"])


def test_both_hold_the_same_variables(found):
    assert found["replica_difference"] == 0


def test_a_phase_takes_one_sum_over_replicas_of_one_vector(found):
    """Of discriminator, R1 and generator: between machines every further one would take a round trip."""
    assert found["reductions"] == [1, 1, 1]


def test_the_probability_of_augmentation_follows_both_replicas(found):
    """Each of eleven steps of 16 images moves it by 16 in 500,000, up or down."""
    moved = (found["ada_probability"] - 0.5) / (16 / 500_000)
    assert moved == pytest.approx(round(moved), abs=0.05) and 0 < abs(round(moved)) <= 11


def test_two_processes_learn_what_one_learns(processes):
    for one in processes:
        assert one["replicas"] == 2
        close(one["errors"])
        assert one["same"][0] == one["same"][1]
