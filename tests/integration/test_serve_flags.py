"""The flags of TF Serving that change how `outfit-gan serve` runs: TLS, UNIX socket, metrics, batching; and their files."""

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving import server_files
from serving.server.batching import BatchingParameters
from serving.server.errors import UserError
from tests.helpers.serving_model import predict_request, request_arrays, running_server, stubs, wait_for, write_model
from tf_outfit_gan.cli.main import main

KIT = Path(server_files.__file__).parent / "deploy"
PREDICT = "/v1/models/gen:predict"


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "gen"
    base_path.mkdir()
    write_model(base_path / "1")
    return base_path


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A folder with what the kit's script writes."""
    folder = tmp_path_factory.mktemp("kit")
    (folder / "config").mkdir()
    script = folder / "make_certificate.sh"
    script.write_text((KIT / "make_certificate.sh").read_text())
    subprocess.run(["sh", script], check=True, timeout=60)
    return folder


def post(port, body, tls=None):
    """(status, parsed answer)."""
    if tls is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=tls)
    connection.request("POST", PREDICT, json.dumps(body))
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_the_whole_command_line(base_path, certified, tmp_path):
    """One process with all of it: TLS on both ports, a UNIX socket, metrics, batching."""
    flags = [
        "--port=0",
        "--rest_api_port=0",
        "--model_name=gen",
        f"--model_base_path={base_path}",
        f"--ssl_config_file={certified}/config/ssl.config",
        f"--rest_api_ssl_config_file={certified}/config/ssl.config",
        f"--grpc_socket_path={tmp_path}/socket",
        f"--monitoring_config_file={KIT}/config/monitoring.config",
        "--enable_batching=true",
        f"--batching_parameters_file={KIT}/config/batching.config",
        "--rest_api_enable_cors_support=true",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve", *flags], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        port, rest_port = re.search(r"gRPC 127\.0\.0\.1:(\d+), REST https://127\.0\.0\.1:(\d+)/", line).groups()
        certificate = (certified / "tls" / "server.crt").read_bytes()
        assert (
            post(
                rest_port, {"signature_name": "numbers", "inputs": [10]}, ssl.create_default_context(cadata=certificate.decode())
            )[0]
            == 200
        )
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            post(rest_port, {})
        request = predict_request({"x": np.array([10], np.float32)}, "numbers")
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        secure = grpc.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(certificate))
        for channel in (secure, grpc.insecure_channel(f"unix:{tmp_path}/socket")):
            with channel:
                answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=30)
                assert list(answer.outputs["y"].float_val) == [1]
        connection = http.client.HTTPSConnection(
            "127.0.0.1", rest_port, context=ssl.create_default_context(cadata=certificate.decode())
        )
        connection.request("GET", "/monitoring/prometheus/metrics")
        assert b':tensorflow:serving:request_count{model_name="gen",status="OK"} 3.0' in connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_metrics_have_the_names_and_labels_of_tf_serving(base_path):
    with running_server(base_path, metrics_path="/metrics") as server, stubs(server.port) as (predictions, _):
        assert post(server.rest_port, {"signature_name": "numbers", "inputs": [10]})[0] == 200
        assert post(server.rest_port, {"inputs": 1})[0] == 400
        predictions.Predict(predict_request({"x": np.array([10], np.float32)}, "numbers"))
        with pytest.raises(grpc.RpcError):
            predictions.Predict(predict_request({}, model_name="made_up"))
        connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=20)
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        assert response.headers["Content-Type"].startswith("text/plain")
        families = text_string_to_metric_families(response.read().decode())
        connection.close()
    # The parser ends the names of all counters in "_total".
    samples = {(sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples}
    name = ":tensorflow:serving:"
    assert samples[f"{name}request_count_total", ("model_name", "gen"), ("status", "OK")] == 2
    assert samples[f"{name}request_count_total", ("model_name", "gen"), ("status", "INVALID_ARGUMENT")] == 1
    assert samples[f"{name}request_count_total", ("model_name", ""), ("status", "NOT_FOUND")] == 1
    for entrypoint in ("REST", "GRPC"):
        labels = ("API", "Predict"), ("entrypoint", entrypoint), ("model_name", "gen")
        assert samples[f"{name}request_latency_count", *labels] == 1
        assert 10 < samples[f"{name}request_latency_sum", *labels] < 60e6
    assert samples[f"{name}runtime_latency_count", ("API", "Predict"), ("model_name", "gen"), ("runtime", "TF1")] == 2


# Batching.

SIZES = BatchingParameters(max_batch_size=4, timeout_sec=30, max_enqueued_batches=1, threads=1, allowed_sizes=(2, 4))


def at_once(port, requests):
    """The answers to requests that are sent at the same time."""
    with stubs(port) as (predictions, _):
        calls = [predictions.Predict.future(request, timeout=60) for request in requests]
        for call in calls:
            call.exception()
        return calls


def test_requests_of_several_clients_become_one_run(base_path, monkeypatch):
    """With a time limit far beyond the test's, four requests of one row are answered when the fourth comes."""
    with running_server(base_path) as plain:
        seeds = [5, 6, 7, 8]
        expected = [call.result() for call in at_once(plain.port, [predict_request(request_arrays(seed=seed)) for seed in seeds])]
    with running_server(base_path, batching=SIZES) as server:
        sizes = []
        servable = server.models["gen"].current.loaded
        run = servable._run
        monkeypatch.setattr(
            servable, "_run", lambda feeds, *rest: (sizes.append(len(next(iter(feeds.values())))), run(feeds, *rest))[1]
        )
        answers = at_once(server.port, [predict_request(request_arrays(seed=seed)) for seed in seeds])
        assert [call.result().outputs for call in answers] == [answer.outputs for answer in expected]
        assert sizes == [4]
        # Of three rows, too: filled up, and the row that fills is not in the answer.
        monkeypatch.setattr(server._batcher, "parameters", BatchingParameters(4, 0.0, 1, 1, (2, 4)))
        (answer,) = at_once(server.port, [predict_request(request_arrays(3))])
        assert list(answer.result().outputs["seed"].int64_val) == [7, 8, 9]
        assert sizes == [4, 4]


def test_the_rules_of_batches_are_tf_servings(base_path):
    parameters = BatchingParameters(max_batch_size=2, timeout_sec=0.0, threads=1)
    with running_server(base_path, batching=parameters) as server:
        wrong = at_once(
            server.port,
            [
                predict_request(request_arrays(3)),
                predict_request(request_arrays(2) | {"seed": np.array([1])}),
                predict_request({"rounds": np.array([1], np.int32)}, "busy"),
                predict_request({"x": np.float32(1)}, "numbers"),
            ],
        )
        assert [(call.code().name, call.details()) for call in wrong] == [
            ("INVALID_ARGUMENT", "Task size 3 is larger than maximum input batch size 2"),
            ("INVALID_ARGUMENT", "Batching Run() input tensors must have equal 0th-dimension size"),
            ("FAILED_PRECONDITION", "Batched output tensor has 0 dimensions"),
            ("INVALID_ARGUMENT", "Batching Run() input tensors must have at least one dimension"),
        ]


def test_one_wrong_row_fails_its_batch_and_no_other(base_path):
    parameters = BatchingParameters(max_batch_size=2, timeout_sec=30, threads=1)
    with running_server(base_path, batching=parameters) as server:
        failed = at_once(server.port, [predict_request(request_arrays(psi=psi)) for psi in (9, 1)])
        assert [call.code().name for call in failed] == ["INVALID_ARGUMENT"] * 2
        good = at_once(server.port, [predict_request(request_arrays(psi=psi)) for psi in (0.5, 1)])
        assert all(call.result().outputs["image_bytes"].string_val for call in good)


def test_a_full_queue_of_batches_refuses(base_path):
    parameters = BatchingParameters(max_batch_size=1, timeout_sec=0.0, max_enqueued_batches=1, threads=1)
    with running_server(base_path, batching=parameters, rest_timeout_ms=3000) as server:
        busy = threading.Thread(target=post, args=[server.rest_port, {"signature_name": "busy", "inputs": [2**31 - 1]}])
        busy.start()
        wait_for(lambda: server._batcher._free._value == 0)
        with stubs(server.port) as (predictions, _):
            request = predict_request({"x": np.array([1], np.float32)}, "numbers")
            waits = predictions.Predict.future(request, timeout=60)
            wait_for(lambda: server._batcher._enqueued)
            with pytest.raises(grpc.RpcError) as error:
                predictions.Predict(request, timeout=60)
            assert error.value.code() == grpc.StatusCode.UNAVAILABLE
            assert error.value.details() == "The batch scheduling queue to which this task was submitted is full"
            assert waits.result().outputs["y"].float_val
        busy.join()


# The files.


@pytest.mark.parametrize(
    "flag, content, text",
    [
        ("--batching_parameters_file", "max_batch_size { value: 8 } allowed_batch_sizes: 4", "must match max_batch_size"),
        ("--batching_parameters_file", "allowed_batch_sizes: 4 allowed_batch_sizes: 2", "must be ascending"),
        ("--batching_parameters_file", "max_batch_size: 8", "expected batching parameters"),
        ("--batching_parameters_file", "enable_large_batch_splitting { value: true }", "of TensorFlow Serving alone"),
        ("--monitoring_config_file", "prometheus { }", "expected a prometheus_config"),
        ("--monitoring_config_file", 'prometheus_config { enable: true path: "metrics" }', "must begin with a slash"),
        ("--ssl_config_file", 'server_key: "/etc/key.pem" server_cert: "/etc/cert.pem"', "expected the text of a key"),
        ("--rest_api_ssl_config_file", "client_verify: true", "client_verify needs"),
        ("--ssl_config_file", None, "No such file"),
    ],
)
def test_a_wrong_file_is_one_line(base_path, tmp_path, capsys, flag, content, text):
    file = tmp_path / "file.config"
    if content is not None:
        file.write_text(content)
    assert main(["serve", str(base_path), "--enable_batching", flag, str(file)]) == 2
    error = capsys.readouterr().err
    assert text in error and str(file) in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "flags, text",
    [
        (["--model_base_path", "other"], "expected one of"),
        (["--batching_parameters_file", "some"], "needs --enable_batching"),
    ],
)
def test_flags_that_do_not_go_together(base_path, capsys, flags, text):
    assert main(["serve", str(base_path), *flags]) == 2
    assert text in capsys.readouterr().err


def test_metrics_that_are_off_have_no_path(tmp_path):
    file = tmp_path / "monitoring.config"
    file.write_text("prometheus_config { enable: false }")
    assert server_files.read_metrics_path(file) is None
    file.write_text("prometheus_config { enable: true }")
    assert server_files.read_metrics_path(file) == "/monitoring/prometheus/metrics"


def test_a_client_without_a_certificate_is_refused_where_one_is_wanted(base_path, certified):
    config = server_files.read_ssl(certified / "config" / "ssl.config")
    config.custom_ca, config.client_verify = config.server_cert, True
    tls = ssl.create_default_context(cadata=config.server_cert)
    with running_server(base_path, rest_tls=server_files.tls_context(config)) as server:
        with pytest.raises(OSError):
            post(server.rest_port, {}, tls)
        tls.load_cert_chain(certified / "tls" / "server.crt", certified / "tls" / "server.key")
        assert post(server.rest_port, {"signature_name": "numbers", "inputs": [10]}, tls)[0] == 200


def test_a_port_that_is_taken_meanwhile_is_one_line(base_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError, match="cannot listen"):
        with running_server(base_path, rest_port=taken.getsockname()[1]):
            pass
