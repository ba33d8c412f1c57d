"""A program: measures the same snapshot on one processor and on two logical ones, and prints both results as JSON.

    python -m tests.helpers.sampled_on_two DATA

It is a process of its own because devices must be made before TensorFlow starts.
"""

import json
import sys

import numpy as np
import tensorflow as tf

from tests.helpers.exported import make_snapshot
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.metrics.measure import measure
from tf_outfit_gan.metrics.parallel_sampler import ParallelSampler
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.metrics.subject import of_snapshot


def main(data):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    snapshot, dataset, results = make_snapshot(), open_dataset(data), []
    for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
        used = set()

        class Watched(ParallelSampler):
            def _whole(self, pictures, finite):
                used.add(pictures.device[-5:])
                return super()._whole(pictures, finite)

        protocol = Protocol(("distribution", "identity", "diversity"), count=15, batch=7)
        subject = of_snapshot("x", snapshot, Watched("x", snapshot, devices))
        found = measure(subject, dataset, protocol, lambda count: None)
        figures = {name: figure.value for name, figure in found.figures.items()}
        finite = bool(np.isfinite(list(figures.values())).all())
        results.append({"devices": sorted(used), "figures": figures, "finite": finite})
    print(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1])
