"""Which devices train: those of this machine, or those of several machines, each with a process of its own.

All workers of a cluster run the same loop on shares of the same batches, and hold the same weights; what there is to
write, the first of them writes, the chief.
"""

import json
import zlib

import tensorflow as tf
from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2
from tensorflow.python.eager import context

from tf_outfit_gan.errors import UserError

# How replicas add their gradients up: on one machine, and in a cluster. None = as TensorFlow likes it best, which is
# NCCL where all replicas are GPUs.
CROSS_DEVICE = {
    "nccl": tf.distribute.NcclAllReduce,
    "hierarchical": tf.distribute.HierarchicalCopyAllReduce,
    "reduce-to-one": tf.distribute.ReductionToOneDevice,
}
COLLECTIVES = {None: "AUTO", "nccl": "NCCL", "ring": "RING"}

# A worker that has not been heard of for so long is lost.
HEARTBEAT_SEC = 20


def make_strategy(cluster=None, cross_device=None, assemble_sec=600):
    """The `tf.distribute.Strategy` of the visible devices; in a cluster, the first thing that TensorFlow is asked for.

    Devices are logical ones, so that a test can split a processor into replicas.

    Args:
        cluster: a `Cluster`; None = this process trains alone.
        cross_device: how gradients are added up; None = as TensorFlow does by itself.
        assemble_sec: how long the workers of a cluster wait for each other.

    Raises:
        UserError: when gradients cannot be added up in this way here.
        tf.errors.OpError: when the cluster does not assemble in time.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if cross_device == "nccl" and not gpus:
        raise UserError("--cross-device nccl: adds up on GPUs, of which TensorFlow finds none here; leave it out")
    if cluster:
        _expect("in a cluster", cross_device, COLLECTIVES)
        return _multi_worker(cluster, cross_device, len(gpus), assemble_sec)
    _expect("on one machine", cross_device, CROSS_DEVICE)
    devices = [device.name for device in tf.config.list_logical_devices("GPU" if gpus else "CPU")]
    if len(devices) == 1:
        return tf.distribute.OneDeviceStrategy(devices[0])
    return tf.distribute.MirroredStrategy(devices, CROSS_DEVICE[cross_device]() if cross_device else None)


def _expect(where, cross_device, known):
    if cross_device and cross_device not in known:
        raise UserError(f"--cross-device {cross_device}: expected {where} one of {', '.join(filter(None, known))}")


def _multi_worker(cluster, cross_device, gpus, assemble_sec):
    spec = tf.train.ClusterSpec({"worker": list(cluster.workers)})
    # TensorFlow itself would wait for an hour, and has no public way to say how long.
    context.context().configure_coordination_service(
        "standalone", "/job:worker/replica:0/task:0",
        cluster_register_timeout_in_ms=round(assemble_sec * 1000), heartbeat_timeout_in_ms=HEARTBEAT_SEC * 1000,
        coordinated_jobs=[coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=len(cluster.workers))],
    )
    return tf.distribute.MultiWorkerMirroredStrategy(
        tf.distribute.cluster_resolver.SimpleClusterResolver(
            spec, task_type="worker", task_id=cluster.index, num_accelerators={"GPU": gpus}, rpc_layer="grpc"
        ),
        tf.distribute.experimental.CommunicationOptions(implementation=COLLECTIVES[cross_device]),
    )


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
                raise UserError(f"worker {', '.join(others)}: {name} differs from worker 0's (worker {self.index} has "
                                f"{value}); expected the same command and the same run folder, shared, for all")
