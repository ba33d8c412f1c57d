"""The graph of a training step is ready for a GPU, as far as a machine without one can see."""

import pytest
import tensorflow as tf

from tests.helpers.gpu_placement import Placement
from tf_outfit_gan.config import from_preset
from training.benchmark.step import random_batch
from training.distribute.strategy import device_type
from training.schedule import Stage
from training.step import NUMBERS, Steps

# Python in a graph, output for people, checks that stop a run, and results whose size depends on their values: each of them
# makes the device wait for the host, or the host for the device.
FORBIDDEN = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "Print", "PrintV2", "StringFormat", "Assert", "Where", "UniqueV2")

gpu_build = pytest.mark.skipif(not tf.test.is_built_with_cuda(), reason="this build of TensorFlow knows no GPU kernels")


@pytest.fixture(
    scope="module",
    params=["mixed_bfloat16", *(pytest.param(name, marks=pytest.mark.slow) for name in ("float32", "mixed_float16"))],
)
def traced(request):
    """(`Steps`, stage, iterator) with everything that a step may have: conditions as maps, a fade, micro-batches, ..."""
    settings = [
        "size=8x6",
        "condition_size=8x6",
        "r1_interval=2",
        "ada_target=0.6",
        "mismatch_weight=1",
        "mismatch=parts",
        "paired_weight=1",
    ]
    model_config, config = from_preset("tiny", [*settings, f"precision={request.param}"])
    stage = Stage(1, True, 8, 1, 4)
    steps = Steps(tf.distribute.get_strategy(), model_config, config)
    iterator = iter(tf.data.Dataset.from_tensors(random_batch(model_config, stage)).repeat())
    steps.trace(stage, iterator)
    return steps, stage, iterator


@pytest.fixture(scope="module")
def placement(traced):
    steps, stage, iterator = traced
    return Placement(steps.traced(stage).get_concrete_function(iterator, *NUMBERS).graph)


def test_nothing_in_it_needs_the_host(placement):
    assert placement.types["Conv2D"] > 50 and placement.types["StatelessRandomNormalV2"] > 10  # All of it was looked at.
    assert not [name for name in FORBIDDEN if placement.types[name]]


@gpu_build
def test_every_operation_has_a_gpu_kernel(placement):
    assert placement.without_kernel == []


@gpu_build
def test_the_host_waits_for_nothing_that_the_gpu_computes(placement):
    assert placement.waits == []


def test_all_sizes_are_known_before_it_runs(placement):
    assert placement.unknown_sizes == []


def test_a_stage_is_traced_once(traced):
    steps, stage, iterator = traced
    steps.run(stage, iterator, 2, 0, (0, 64))
    steps.run(stage, iterator, 1, 16, (0, 64))
    assert steps.traced(stage).experimental_get_tracing_count() == 1


class TestPlacement:
    """What the helper finds is there to be found."""

    def of(self, function, *specs):
        return Placement(tf.function(function).get_concrete_function(*specs).graph)

    x = tf.TensorSpec([4])

    @gpu_build
    def test_an_operation_without_a_gpu_kernel(self):
        (name,) = self.of(lambda x: tf.strings.length(tf.strings.as_string(x))[0], self.x).without_kernel[:1]
        assert name.startswith("AsString")

    @gpu_build
    @pytest.mark.parametrize("host", [False, True])
    def test_integers_that_a_gpu_computes_and_the_host_reshapes(self, host):
        def function(x):
            with tf.device("CPU:0" if host else None):
                return tf.reshape(tf.cast(x, tf.int32), [2, 2])

        waits = self.of(function, self.x).waits
        assert len(waits) == 1 and ("Placeholder" in waits[0] if host else "-> Reshape" in waits[0])

    @gpu_build
    @pytest.mark.parametrize(("dtype", "waits"), [(tf.int32, 0), (tf.int64, 1)])
    def test_a_loop_that_counts_on_the_gpu(self, dtype, waits):
        def function(end):
            return tf.while_loop(lambda i: i < end, lambda i: [i + 1], [tf.zeros([], dtype)])

        assert len(self.of(function, tf.TensorSpec([], dtype)).waits) == waits

    def test_a_size_that_values_decide(self):
        found = self.of(lambda x: tf.boolean_mask(x, x > 0), self.x)
        assert found.unknown_sizes and found.types["Where"]

    def test_python_in_a_function_that_is_called(self):
        inner = tf.function(lambda x: tf.py_function(lambda y: y, [x], tf.float32))
        assert self.of(lambda x: inner(x), self.x).types["EagerPyFunc"] == 1


@pytest.mark.parametrize("device", ["CPU", "GPU"])
def test_the_type_of_a_strategys_devices(device):
    assert device_type(tf.distribute.OneDeviceStrategy(f"{device}:0")) == device
    assert device_type(tf.distribute.get_strategy()) == "CPU"
