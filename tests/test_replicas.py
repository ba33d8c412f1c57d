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


def test_the_probability_of_augmentation_follows_both_replicas(found):
    """Ten steps of 16 images each move it by 16 in 500,000, and an even number of them one way or the other."""
    moved = (found["ada_probability"] - 0.5) / (16 / 500_000)
    assert moved == pytest.approx(round(moved), abs=0.05) and 0 < abs(round(moved)) <= 10
