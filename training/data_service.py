"""Batches from a tf.data service: other machines read and decode, this one trains.

A cluster is a dispatcher and workers as TensorFlow has them (`tf.data.experimental.service`), which see the data under
the same path. Its workers share the groups of shards among them, so the order of a stream depends on their speed: a
resumed run continues at the right place in the data, but not with the very same batches.
"""

import socket

from tf_outfit_gan.util.errors import UserError

_PROTOCOL = "grpc://"


def check_address(address):
    """Raises `UserError` unless a server listens at `address`; TensorFlow itself would wait for an hour."""
    host, _, port = address.removeprefix(_PROTOCOL).rpartition(":")
    if not address.startswith(_PROTOCOL) or not host or not port.isdigit():
        raise UserError(f"--data-service {address}: expected the dispatcher's address, such as grpc://host:5050")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"--data-service {address}: cannot reach it ({error}); is the dispatcher running?") from None


def from_data_service(stream, address, job):
    """Lets the service at `address` compute a tf.data.Dataset; all that ask for the same `job` share its batches."""
    import tensorflow as tf

    service = tf.data.experimental.service
    return stream.apply(service.distribute(service.ShardingPolicy.DYNAMIC, address, job_name=job))
