"""Two replicas train as one: same gradients as the joint batch, equal variables on both."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def found():
    done = subprocess.run([sys.executable, "-m", "tests.replicas"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_there_are_two(found):
    assert found["replicas"] == 2


def test_gradients_are_those_of_the_joint_batch(found):
    for phase, error in found["gradient_error"].items():
        assert error < 1e-4, phase


def test_variables_are_equal_after_ten_steps(found):
    assert found["moved"] > 1e-3
    assert found["replica_difference"] == 0
