"""TF Serving's files for TLS, monitoring and batching, in its text format.

Its Python package does not have their messages: they are described here.
"""

import ssl
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from google.protobuf.message import Message

from tf_outfit_gan.util.errors import UserError

M = TypeVar("M", bound=Message)

_PACKAGE = "tensorflow.serving"
_KINDS = {"string": 9, "bool": 8, "int64": 3}  # Of `FieldDescriptorProto.Type`; all else are messages.

# Fields as in TF Serving 2.20.0: config/ssl_config.proto, config/monitoring_config.proto, and the batching parameters of
# servables/tensorflow/session_bundle_config.proto; [] marks a repeated one.
_FIELDS = {
    "SSLConfig": {
        "server_key": (1, "string"),
        "server_cert": (2, "string"),
        "custom_ca": (3, "string"),
        "client_verify": (4, "bool"),
    },
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, "PrometheusConfig")},
    "BatchingParameters": {
        "max_batch_size": (1, "Int64Value"),
        "batch_timeout_micros": (2, "Int64Value"),
        "max_enqueued_batches": (3, "Int64Value"),
        "num_batch_threads": (4, "Int64Value"),
        "thread_pool_name": (5, "StringValue"),
        "allowed_batch_sizes": (6, "int64[]"),
        "pad_variable_length_inputs": (7, "bool"),
        "enable_large_batch_splitting": (8, "BoolValue"),
        "max_execution_batch_size": (9, "Int64Value"),
    },
}


def _make_classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(name="server_files.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            kind, repeated, _ = kind.partition("[]")
            field = described.field.add(name=name, number=number, label=3 if repeated else 1)
            if kind in _KINDS:
                field.type = _KINDS[kind]
            else:
                field.type_name = f".{_PACKAGE}.{kind}" if kind in _FIELDS else f".google.protobuf.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _FIELDS}


_CLASSES = _make_classes()
SSLConfig, MonitoringConfig, BatchingConfig = (_CLASSES[name] for name in ("SSLConfig", "MonitoringConfig", "BatchingParameters"))

DEFAULT_METRICS_PATH = "/monitoring/prometheus/metrics"


def read_text_proto(path: Path, message: M, expected: str) -> M:
    """Reads a file into a message and returns it; raises `UserError` that says what was `expected`."""
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), message)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; expected {expected}") from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected {expected} ({error})") from None


def read_metrics_path(path: Path) -> str | None:
    """The path of the metrics that a `MonitoringConfig` asks for; None = none. Raises `UserError`."""
    expected = "a prometheus_config, as serving/deploy/config/monitoring.config has"
    config = read_text_proto(path, MonitoringConfig(), expected).prometheus_config
    if not config.enable:
        return None
    metrics_path = config.path or DEFAULT_METRICS_PATH
    if not metrics_path.startswith("/"):
        raise UserError(f"{path}: the path {metrics_path!r} must begin with a slash")
    return metrics_path


def read_batching(path: Path) -> dict[str, Any]:
    """TF Serving's batching parameters, as the server's `BatchingParameters` names them.

    Raises: `UserError`, also for those that this server does not have.
    """
    config = read_text_proto(path, BatchingConfig(), "batching parameters, as serving/deploy/config/batching.config has")
    for name in ("pad_variable_length_inputs", "enable_large_batch_splitting", "max_execution_batch_size"):
        if getattr(getattr(config, name), "value", getattr(config, name)):
            raise UserError(f"{path}: {name} is of TensorFlow Serving alone; leave it out")
    sizes = tuple(config.allowed_batch_sizes)
    if sizes != tuple(sorted(set(sizes))):
        raise UserError(f"{path}: allowed_batch_sizes must be ascending, got {', '.join(map(str, sizes))}")
    if sizes and sizes[-1] != config.max_batch_size.value:
        raise UserError(
            f"{path}: Last entry in allowed_batch_sizes must match max_batch_size; last entry was {sizes[-1]}; "
            f"expected {config.max_batch_size.value}"
        )
    given = {
        "max_batch_size": config.max_batch_size.value,
        "timeout_sec": config.batch_timeout_micros.value / 1e6,
        "max_enqueued_batches": config.max_enqueued_batches.value,
        "threads": config.num_batch_threads.value,
        "allowed_sizes": sizes,
    }
    return {name: value for name, value in given.items() if value}


def read_ssl(path: Path) -> Message:
    """An `SSLConfig`, whose key and certificate fit; raises `UserError`."""
    config = read_text_proto(path, SSLConfig(), "server_key and server_cert, as serving/deploy/make_certificate.sh writes")
    if config.client_verify and not config.custom_ca:
        raise UserError(f"{path}: client_verify needs the certificates of those who sign the clients' in custom_ca")
    try:
        tls_context(config)
    except (ssl.SSLError, ValueError) as error:
        raise UserError(f"{path}: expected the text of a key and of its certificate, in PEM ({error})") from None
    return config


def grpc_credentials(config: Message) -> grpc.ServerCredentials:
    """What an `SSLConfig` says, for a server of gRPC."""
    key_and_certificate = (config.server_key.encode(), config.server_cert.encode())
    return grpc.ssl_server_credentials([key_and_certificate], config.custom_ca.encode() or None, config.client_verify)


def tls_context(config: Message) -> ssl.SSLContext:
    """What an `SSLConfig` says, for a server of Python's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # Python reads keys from files only.
        file.write(f"{config.server_key}\n{config.server_cert}\n")
        file.flush()
        context.load_cert_chain(file.name)
    if config.custom_ca:
        context.load_verify_locations(cadata=config.custom_ca)
    if config.client_verify:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
