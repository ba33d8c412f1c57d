"""Messages of TF Serving's configuration files that its Python package does not have, for `text_format.Parse`."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

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


def _make_classes():
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
SSLConfig, MonitoringConfig, BatchingParameters = (
    _CLASSES[name] for name in ("SSLConfig", "MonitoringConfig", "BatchingParameters")
)
