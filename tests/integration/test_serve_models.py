"""Several models, policies, labels, and the reload of a configuration, by gRPC and by a file, as TF Serving has them."""

import http.client
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_pb2
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.server.errors import StatusError
from serving.server.models import Models
from serving.server.versions import wanted_versions
from tests.helpers.serving_model import predict_request, request_arrays, running_server, stubs, wait_for, write_model
from tf_outfit_gan.cli.main import main


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    """Versions 1 and 2 of a model."""
    folder = tmp_path_factory.mktemp("models") / "gen"
    folder.mkdir()
    write_model(folder / "1")
    write_model(folder / "2", brightness=0.5)
    return folder


def config(base_path, versions, name="gen", **labels):
    """The `ModelServerConfig` of one model with these versions and labels."""
    found = ModelServerConfig()
    model = found.model_config_list.config.add(name=name, base_path=str(base_path), model_platform="tensorflow")
    model.model_version_policy.specific.versions.extend(versions)
    model.version_labels.update(labels)
    return found


@pytest.fixture
def server(base_path):
    """A server of the newest version, whose configuration every test changes."""
    with running_server(base_path) as running, stubs(running.port) as (predictions, models):
        running.predictions, running.model_service = predictions, models
        yield running


def reload(server, found):
    return server.model_service.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(config=found))


def refusal(call, *args):
    with pytest.raises(grpc.RpcError) as error:
        call(*args)
    return error.value.code().name, error.value.details()


def answering(server, label="", version=None, name="gen"):
    """The version that answers a prediction."""
    request = predict_request(request_arrays(), model_name=name)
    if label:
        request.model_spec.version_label = label
    elif version:
        request.model_spec.version.value = version
    return server.predictions.Predict(request).model_spec.version.value


def states(server, name="gen"):
    return {number: state for number, state, _ in server.models[name].states()}


def test_a_label_moves_between_versions_by_the_call(server, base_path):
    assert answering(server) == 2
    reload(server, config(base_path, [1, 2], stable=2))
    wait_for(lambda: states(server) == {1: "AVAILABLE", 2: "AVAILABLE"})
    assert answering(server, version=1) == 1 and answering(server, "stable") == 2
    assert refusal(answering, server, "canary") == ("INVALID_ARGUMENT", "Unrecognized servable version label: canary")
    reload(server, config(base_path, [1, 2], stable=1, canary=2))
    assert (answering(server, "stable"), answering(server, "canary"), answering(server)) == (1, 2, 2)
    reload(server, config(base_path, [1], stable=1))
    wait_for(lambda: states(server) == {1: "AVAILABLE", 2: "END"})
    assert answering(server) == 1


def test_labels_over_rest(server, base_path):
    reload(server, config(base_path, [2], stable=2))

    def get(path):
        connection = http.client.HTTPConnection("127.0.0.1", server.rest_port)
        connection.request("GET", path)
        response = connection.getresponse()
        body = json.loads(response.read())
        connection.close()
        return response.status, body

    status, answer = get("/v1/models/gen/labels/stable/metadata")
    assert status == 200 and answer["model_spec"]["version"] == "2"
    assert get("/v1/models/gen/labels/beta/metadata") == (400, {"error": "Unrecognized servable version label: beta"})


def test_a_label_goes_only_where_a_version_answers_and_a_refusal_changes_nothing(server, base_path):
    reload(server, config(base_path, [2], stable=2))
    refused = refusal(reload, server, config(base_path, [1, 2], stable=1))
    assert refused == (
        "FAILED_PRECONDITION",
        "Request to assign label to version 1 of model gen, which is not currently available for inference",
    )
    assert answering(server, "stable") == 2 and states(server) == {2: "AVAILABLE"}


def doubled(base_path):
    found = config(base_path, [2])
    found.model_config_list.config.append(found.model_config_list.config[0])
    return found


@pytest.mark.parametrize(
    "change, code, text",
    [
        (
            lambda base_path: ModelServerConfig(),
            "INVALID_ARGUMENT",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported",
        ),
        (doubled, "INVALID_ARGUMENT", "Illegal to list model gen multiple times in config list"),
        (
            lambda base_path: config("gen", [2]),
            "INVALID_ARGUMENT",
            "Expected model gen to have an absolute path or URI; got base_path()=gen",
        ),
        (
            lambda base_path: text_format.Parse(
                f'model_config_list {{ config {{ name: "gen" base_path: "{base_path}" model_platform: "jax" }} }}',
                ModelServerConfig(),
            ),
            "FAILED_PRECONDITION",
            "PlatformConfigMap has no entry for platform jax",
        ),
    ],
)
def test_a_configuration_that_is_none_is_refused_in_the_words_of_tf_serving(server, base_path, change, code, text):
    assert refusal(reload, server, change(base_path)) == (code, text)
    assert answering(server) == 2


def test_models_come_and_go_and_the_call_waits_for_them(server, base_path, tmp_path):
    both = config(base_path, [2])
    both.MergeFrom(config(base_path, [1], name="other"))
    reload(server, both)
    assert answering(server, name="other") == 1  # At once: the call has waited.
    reload(server, config(base_path, [1], name="other"))
    assert refusal(answering, server) == ("NOT_FOUND", "Servable not found for request: Latest(gen)")
    (tmp_path / "broken" / "3").mkdir(parents=True)
    (tmp_path / "broken" / "3" / "saved_model.pb").write_bytes(b"no model")
    both.MergeFrom(config(tmp_path / "broken", [3], name="broken"))
    code, text = refusal(reload, server, both)
    assert code == "UNKNOWN" and text.startswith(
        "1 model(s) did not become available: {{{name: broken version: 3} due to error: "
    )
    assert answering(server) == 2


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", {10}),
        ("latest { }", {10}),
        ("latest { num_versions: 2 }", {7, 10}),
        ("all { }", {2, 7, 10}),
        ("specific { versions: 2 versions: 3 }", {2}),
    ],
)
def test_the_policies(text, wanted):
    found = text_format.Parse(f"model_config_list {{ config {{ model_version_policy {{ {text} }} }} }}", ModelServerConfig())
    policy = found.model_config_list.config[0].model_version_policy
    assert wanted_versions(policy, {2: Path(), 10: Path(), 7: Path()}) == wanted


def test_a_label_may_come_early_where_that_is_allowed_but_not_move(tmp_path):
    for number in "12":
        (tmp_path / number).mkdir()
        (tmp_path / number / "saved_model.pb").touch()

    class Empty:
        def __init__(self, folder):
            pass

        def close(self):
            pass

    models = Models(Empty, lambda version: None, poll_sec=0.01, allow_labels_early=True)
    models.reload(config(tmp_path, [1], stable=1))
    with pytest.raises(StatusError, match="Request to assign label to version 2 of model gen"):
        models.reload(config(tmp_path, [1, 2], stable=2))
    models.reload(config(tmp_path, [1, 2], stable=1, canary=2))
    wait_for(lambda: models["gen"].current.number == 2)
    models.reload(config(tmp_path, [1, 2], stable=2))
    with models.borrow(model_pb2.ModelSpec(name="gen", version_label="stable")) as version:
        assert version.number == 2
    models.close()


def test_the_command_reads_the_file_again(base_path, tmp_path):
    path = tmp_path / "models.config"
    path.write_text(text_format.MessageToString(config(base_path, [1], stable=1)))
    serve = [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve", "--port", "0", "--rest_api_port", "0"]
    serve += ["--model_config_file", str(path), "--model_config_file_poll_wait_seconds", "1"]
    early = "--allow_version_labels_for_unavailable_models=true"
    process = subprocess.Popen([*serve, early], stdout=subprocess.PIPE, text=True)
    try:
        assert re.match("serving gen version 1: gRPC ", process.stdout.readline())
        path.write_text("model_config_list { conf }")
        assert re.match(f"{path} is not taken: {path}: expected a model_config_list", process.stdout.readline())
        path.write_text(text_format.MessageToString(config(base_path, [1, 2], stable=1)))
        assert any(re.match("serving gen version 2: gRPC ", process.stdout.readline()) for _ in range(5))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    path.write_text(text_format.MessageToString(config(base_path, [1], stable=1)))
    result = subprocess.run(serve, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert result.returncode == 2 and "Request to assign label to version 1 of model gen" in result.stderr


@pytest.mark.parametrize(
    "words, text",
    [
        (
            ("models", "--model_config_file", "x"),
            "expected one of MODEL_BASE_PATH, --model_base_path and --model_config_file, got more",
        ),
        (("--model_config_file", "missing"), "missing: No such file or directory; expected a model_config_list"),
    ],
)
def test_what_is_served_is_said_once(capsys, words, text):
    assert main(["serve", *words]) == 2
    assert text in capsys.readouterr().err
