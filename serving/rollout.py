"""A version takes over step by step: it loads, label after label moves to it and is watched, or all goes back.

HandleReloadConfigRequest replaces the whole configuration of a server, and no call of TF Serving returns the current one. So a
rollout reads it from its file, changes it, sends it, and in the end writes the file. A server moves labels before it loads
versions, and only to versions that answer: loading and moving are two calls.
"""

import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.protobuf.message import Message
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.model_config import model_of, read_config, write_config
from tf_outfit_gan.util.errors import UserError

_REQUEST_SEC = 120  # Limit of one call.
_LISTED_SEC = 10  # In this time a server that is not busy finds a version under its base path.
_FAILED_SEC = 3  # A state that stays so long is not that of an earlier attempt.
_POLL_SEC = 0.2
_FIELDS = {types_pb2.DT_STRING: "string_val", types_pb2.DT_INT64: "int64_val", types_pb2.DT_FLOAT: "float_val"}
_LEAST_PAIRS = 5  # Of requests, the new version's and the old one's, even if the time is over before.


class RolloutError(RuntimeError):
    """A version that does not load, fails or is slow; what was before is there again."""

    exit_code = 1


@dataclass(frozen=True)
class Plan:
    """What moves, and what must hold meanwhile.

    Args:
        path: the file of the servers' configuration.
        model_name: of the model in it.
        version: the version that takes over.
        labels: the labels that move to it, in this order; the last one is compared with, so the file must have it.
        watch_sec: how long each label is watched after its move.
        max_latency_ratio: how many times the median time of a request to the version before may be taken.
        timeout_sec: limit of loading.
    """

    path: Path
    model_name: str
    version: int
    labels: Sequence[str]
    watch_sec: float
    max_latency_ratio: float
    timeout_sec: float


class ServerProcess:
    """One server's gRPC calls that a rollout makes.

    Args:
        host_port: of its gRPC port.
        certificates: PEM of those who signed the server's certificate; None = no TLS.
    """

    def __init__(self, host_port: str, certificates: bytes | None = None) -> None:
        self.host_port = host_port
        options = [("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)]
        if certificates is None:
            self._channel = grpc.insecure_channel(host_port, options)
        else:
            self._channel = grpc.secure_channel(host_port, grpc.ssl_channel_credentials(certificates), options)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def reload(self, config: ModelServerConfig) -> None:
        """Replaces the server's configuration."""
        with self._reported("refuses the configuration"):
            request = model_management_pb2.ReloadConfigRequest(config=config)
            self._models.HandleReloadConfigRequest(request, timeout=_REQUEST_SEC)

    def state(self, name: str, version: int) -> tuple[str, str]:
        """(state, error's text) of a version; the state is empty where the server does not list it."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(name, version))
        try:
            (status,) = self._models.GetModelStatus(request, timeout=_REQUEST_SEC).model_version_status
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return "", ""
            raise self._failure(f"does not give the state of {name}", error) from None
        return get_model_status_pb2.ModelVersionStatus.State.Name(status.state), status.status.error_message

    def sample_request(self, name: str, version: int) -> predict_pb2.PredictRequest:
        """A request of one row of zeros and empty texts, which is an outfit without articles and a pose without joints."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=_spec(name, version))
        request.metadata_field.append("signature_def")
        with self._reported(f"does not describe {name}"):
            answer = self._predictions.GetModelMetadata(request, timeout=_REQUEST_SEC)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        sample = predict_pb2.PredictRequest()
        for key, info in signatures.signature_def["serving_default"].inputs.items():
            sample.inputs[key].CopyFrom(_zeros(info))
        return sample

    def ask(self, request: Message, spec: ModelSpec, version: int) -> float:
        """The seconds of a request to a label or version, which that version must answer."""
        request.model_spec.CopyFrom(spec)
        asked = f"label {spec.version_label}" if spec.version_label else f"version {version}"
        begin = time.perf_counter()
        with self._reported(f"fails at a request to {asked}"):
            answer = self._predictions.Predict(request, timeout=_REQUEST_SEC)
        if answer.model_spec.version.value != version:
            raise RolloutError(
                f"{self.host_port}: version {answer.model_spec.version.value} answers at {asked}, not {version}: does the server "
                "read its file again (--model_config_file_poll_wait_seconds), or does somebody else move labels?"
            )
        return time.perf_counter() - begin

    @contextmanager
    def _reported(self, what: str) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            raise self._failure(what, error) from None

    def _failure(self, what: str, error: grpc.RpcError) -> RolloutError:
        text = (error.details() or "").partition("\n")[0]
        port = "; is this its gRPC port?" if error.code() is grpc.StatusCode.UNAVAILABLE else ""
        return RolloutError(f"{self.host_port} {what}: {error.code().name}: {text}{port}")


def roll_out(servers: Sequence[ServerProcess], plan: Plan, say: Callable[[str], object]) -> None:
    """Lets a version take over on all servers, and writes the file; an error or an interruption brings back what was.

    Args:
        servers: all that have this file; each step is made on all before the next one.
        plan: the `Plan`.
        say: is given a line for each step.

    Raises:
        UserError: for a file that does not fit the plan.
        RolloutError: for what ended the rollout.
    """
    before = read_config(plan.path)
    labels = dict(model_of(before, plan.model_name, plan.path).version_labels)
    if plan.labels[-1] not in labels:
        has = ", ".join(sorted(labels)) or "none"
        raise UserError(f"{plan.path}: {plan.model_name} has no label {plan.labels[-1]!r}, which moves last; it has {has}")
    if not os.access(plan.path.parent, os.W_OK):
        raise UserError(f"{plan.path.parent}: expected a folder to write to: the file in it takes the new configuration")
    old = labels[plan.labels[-1]]
    if all(labels.get(label) == plan.version for label in plan.labels):
        say(f"{', '.join(plan.labels)}: at version {plan.version} already")
        return

    def send(config: ModelServerConfig) -> None:
        for server in servers:
            server.reload(config)

    try:
        versions = {*labels.values(), plan.version}
        send(_changed(before, plan, versions, labels))
        for server in servers:
            _wait_available(server, plan, say)
        say(f"version {plan.version} is loaded beside {old}")
        for label in plan.labels:
            labels[label] = plan.version
            send(_changed(before, plan, versions, labels))
            say(f"{label} is version {plan.version}")
            for server in servers:
                say(_watch(server, plan, label, old))
        after = _changed(before, plan, set(labels.values()), labels)
        send(after)
    except BaseException as error:
        _roll_back(servers, before, error, say)
        raise
    write_config(plan.path, after)
    say(f"done: {', '.join(plan.labels)} at version {plan.version}, {plan.path} is written")


def _roll_back(
    servers: Sequence[ServerProcess], before: ModelServerConfig, cause: BaseException, say: Callable[[str], object]
) -> None:
    say(f"going back: {cause or type(cause).__name__}")
    for server in servers:
        try:
            server.reload(before)
        except RolloutError as error:
            say(f"not back there: {error}")


def _changed(before: ModelServerConfig, plan: Plan, versions: set[int], labels: Mapping[str, int]) -> ModelServerConfig:
    """A configuration with other versions and labels of one model."""
    config = ModelServerConfig()
    config.CopyFrom(before)
    model = model_of(config, plan.model_name, plan.path)
    model.model_version_policy.specific.versions[:] = sorted(versions)
    model.version_labels.clear()
    model.version_labels.update(labels)
    return config


def _wait_available(server: ServerProcess, plan: Plan, say: Callable[[str], object]) -> None:
    begin = seen = time.monotonic()
    hint = f"{server.host_port}: finds no version {plan.version} of {plan.model_name}; is it in the base_path of {plan.path}?"
    hinted = False
    while True:
        state, text = server.state(plan.model_name, plan.version)
        now = time.monotonic()
        if state == "AVAILABLE":
            return
        if state != "END" or not text:
            seen = now
        elif now - seen > _FAILED_SEC:
            raise RolloutError(f"{server.host_port}: version {plan.version} does not load: {text.partition(chr(10))[0]}")
        if now - begin > plan.timeout_sec:
            late = f"{server.host_port}: version {plan.version} is {state} after {plan.timeout_sec:g} s"
            raise RolloutError(late if state else hint)
        if not state and not hinted and now - begin > _LISTED_SEC:
            hinted = True
            say(hint)  # It may still be copied there.
        time.sleep(_POLL_SEC)


def _watch(server: ServerProcess, plan: Plan, label: str, old: int) -> str:
    """Asks the label and the old version in turn; returns what was found, or raises `RolloutError`."""
    name = plan.model_name
    request = server.sample_request(name, plan.version)
    before = server.sample_request(name, old)
    new_sec, old_sec = [], []
    end = time.monotonic() + plan.watch_sec
    for count in itertools.count():
        if count >= _LEAST_PAIRS and time.monotonic() > end:
            break
        new_sec.append(server.ask(request, ModelSpec(name=name, version_label=label), plan.version))
        old_sec.append(server.ask(before, _spec(name, old), old))
    new, usual = statistics.median(new_sec), statistics.median(old_sec)
    found = (
        f"{server.host_port}: {len(new_sec)} requests to {label}, none failed, {new:.3g} s each (version {old}: {usual:.3g} s)"
    )
    if new > plan.max_latency_ratio * usual:
        raise RolloutError(f"{found}, more than {plan.max_latency_ratio:g} times as long")
    return found


def _spec(name: str, version: int) -> ModelSpec:
    spec = ModelSpec(name=name)
    spec.version.value = version
    return spec


def _zeros(info: Message) -> tensor_pb2.TensorProto:
    """The tensor of one row for a `TensorInfo`; one value stands for all."""
    tensor = tensor_pb2.TensorProto(dtype=info.dtype)
    for dim in [1, *(dim.size for dim in info.tensor_shape.dim[1:])]:
        tensor.tensor_shape.dim.add(size=dim)
    getattr(tensor, _FIELDS[info.dtype]).append(b"" if info.dtype == types_pb2.DT_STRING else 0)
    return tensor
