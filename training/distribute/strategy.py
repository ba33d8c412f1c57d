"""Which devices train: those of this machine, or those of several machines, each with a process of its own.

All workers of a cluster run the same loop on shares of the same batches, and hold the same weights; what there is to
write, the first of them writes, the chief.
"""

import json
import zlib

import tensorflow as tf

from tf_outfit_gan.util.errors import UserError

# Gradient all-reduce, on one machine and in a cluster. None = TensorFlow's default, which is NCCL where all replicas
# are GPUs.
CROSS_DEVICE = {
    "nccl": tf.distribute.NcclAllReduce,
    "hierarchical": tf.distribute.HierarchicalCopyAllReduce,
    "reduce-to-one": tf.distribute.ReductionToOneDevice,
}
COLLECTIVES = {None: "AUTO", "nccl": "NCCL", "ring": "RING"}


def make_strategy(cluster=None, cross_device=None):
    """The `tf.distribute.Strategy` of the visible devices; in a cluster, the first thing that TensorFlow is asked for.

    Devices are logical ones, so that a test can split a processor into replicas.

    Args:
        cluster: a `Cluster`; None = this process trains alone.
        cross_device: how gradients are added up; None = as TensorFlow does by itself.

    Raises:
        UserError: when gradients cannot be added up in this way here.
        tf.errors.OpError: when a worker of the cluster is lost before all are connected.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if cross_device == "nccl" and not gpus:
        raise UserError("--cross-device nccl: adds up on GPUs, of which TensorFlow finds none here; leave it out")
    if cluster:
        _expect("in a cluster", cross_device, COLLECTIVES)
        return _multi_worker(cluster, cross_device, len(gpus))
    _expect("on one machine", cross_device, CROSS_DEVICE)
    devices = [device.name for device in tf.config.list_logical_devices("GPU" if gpus else "CPU")]
    if len(devices) == 1:
        return tf.distribute.OneDeviceStrategy(devices[0])
    return tf.distribute.MirroredStrategy(devices, CROSS_DEVICE[cross_device]() if cross_device else None)


def device_type(strategy):
    """The type of the devices that the replicas of a strategy compute on: "GPU" or "CPU"."""
    try:
        return tf.DeviceSpec.from_string(strategy.extended.worker_devices[0]).device_type
    except RuntimeError:  # TensorFlow's default strategy names no devices.
        return "CPU"


def _expect(where, cross_device, known):
    if cross_device and cross_device not in known:
        raise UserError(f"--cross-device {cross_device}: expected {where} one of {', '.join(filter(None, known))}")


def _multi_worker(cluster, cross_device, gpus):
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.workers)}),
        task_type="worker",
        task_id=cluster.index,
        num_accelerators={"GPU": gpus},
        rpc_layer="grpc",
    )
    options = tf.distribute.experimental.CommunicationOptions(implementation=COLLECTIVES[cross_device])
    strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver, options)
    Workers(strategy).numbers(0)  # Which takes until all are there.
    return strategy


class Workers:
    """The processes that train together, of which this is one. Each calls the same methods in the same order.

    Args:
        strategy: from `make_strategy`.
    """

    def __init__(self, strategy):
        resolver = strategy.cluster_resolver
        self.index, self.count = (resolver.task_id, resolver.cluster_spec().num_tasks("worker")) if resolver else (0, 1)
        spec = tf.TensorSpec([self.count], tf.int64)
        self._sum = tf.function(lambda numbers: strategy.reduce("SUM", numbers, axis=None), input_signature=[spec])

    @property
    def chief(self):
        """Whether this is the one that writes."""
        return self.index == 0

    def numbers(self, number):
        """The integers that the workers give, one each."""
        if self.count == 1:
            return [number]
        own = [number if place == self.index else 0 for place in range(self.count)]
        return self._sum(tf.constant(own, tf.int64)).numpy().tolist()

    def any(self, asked):
        """Whether one of them asks: what only one decides, such as to stop, all have to do at the same step."""
        return any(self.numbers(int(asked)))

    def least(self, number):
        """The least of the integers that the workers give."""
        return min(self.numbers(number))

    def expect_same(self, **facts):
        """Raises `UserError`, on all of them, when a fact is not the same for all."""
        for name, value in facts.items():
            found = self.numbers(zlib.crc32(json.dumps(value, sort_keys=True).encode()))
            others = [str(place) for place, other in enumerate(found) if other != found[0]]
            if others:
                raise UserError(
                    f"worker {', '.join(others)}: {name} differs from worker 0's (worker {self.index} has "
                    f"{value}); expected the same command, the same data and the same run folder, shared, for all"
                )
