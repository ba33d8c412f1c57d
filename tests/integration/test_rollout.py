"""`outfit-gan rollout` against real servers: a version takes over, or everything is as it was."""

import contextlib
import re
import signal
import subprocess
import sys

import pytest
from tensorflow_serving.apis import model_management_pb2

from serving.model_config import read_config, write_config
from serving.server.server import EmbeddedServer
from tests.helpers.serving_model import predict_request, request_arrays, stubs, wait_for, write_model
from tf_outfit_gan.cli import main as cli
from tf_outfit_gan.cli.main import main

CONFIG = """model_config_list {{
  config {{
    name: "gen" base_path: "{base_path}" model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 1 }} }}
    version_labels {{ key: "stable" value: 1 }}
    version_labels {{ key: "canary" value: 1 }}
  }}
}}
"""


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    """Versions: 1 and 2 are good, 3 does not load, 4 fails at the requests of a rollout."""
    folder = tmp_path_factory.mktemp("models") / "gen"
    folder.mkdir()
    write_model(folder / "1")
    write_model(folder / "2", brightness=0.5)
    write_model(folder / "3", warmup_psi=9)
    write_model(folder / "4", least_psi=0.5)
    return folder


@pytest.fixture
def path(base_path, tmp_path):
    """The servers' file."""
    path = tmp_path / "models.config"
    path.write_text(CONFIG.format(base_path=base_path))
    return path


@pytest.fixture
def servers(path):
    """Two servers that were started with the file."""
    running = [EmbeddedServer(read_config(path), lambda version: None, poll_sec=0.05, allow_labels_early=True) for _ in "12"]
    for server in running:
        server.start()
    wait_for(lambda: all(server.models["gen"].current for server in running))
    yield running
    for server in running:
        server.stop()


def rollout(servers, path, version, *options):
    places = [f"localhost:{server.port}" for server in servers]
    return main(
        ["rollout", *places, "--model_config_file", str(path), "--model_name", "gen", "--version", str(version)]
        + ["--watch-sec", "0", "--max-latency-ratio", "50", *options]
    )


def answering(server, label):
    request = predict_request(request_arrays())
    request.model_spec.version_label = label
    with stubs(server.port) as (predictions, _):
        return predictions.Predict(request).model_spec.version.value


def labels(server):
    return {label: answering(server, label) for label in ("stable", "canary")}


def loaded(server):
    return {number for number, state, _ in server.models["gen"].states() if state == "AVAILABLE"}


def test_a_version_takes_over_on_all_servers_and_in_the_file(servers, path, capsys):
    assert rollout(servers, path, 2) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(
        r"version 2 is loaded beside 1\n"
        r"canary is version 2\n"
        r"(localhost:\d+: 5 requests to canary, none failed, \S+ s each \(version 1: \S+ s\)\n){2}"
        r"stable is version 2\n"
        r"(localhost:\d+: 5 requests to stable, none failed, \S+ s each \(version 1: \S+ s\)\n){2}"
        rf"done: canary, stable at version 2, {path} is written\n",
        out,
    )
    for server in servers:
        assert labels(server) == {"stable": 2, "canary": 2}
        wait_for(lambda: loaded(server) == {2})
    (model,) = read_config(path).model_config_list.config
    assert dict(model.version_labels) == {"stable": 2, "canary": 2}
    assert list(model.model_version_policy.specific.versions) == [2]
    assert rollout(servers, path, 2) == 0
    assert capsys.readouterr().out == "canary, stable: at version 2 already\n"


def test_one_label_moves_first_and_the_other_in_a_second_call(servers, path):
    # What is compared with is the label that moves last: without a canary before it, "stable" of the same file.
    assert rollout(servers, path, 2, "--labels", "canary") == 0
    for server in servers:
        assert labels(server) == {"stable": 1, "canary": 2} and loaded(server) == {1, 2}
    assert rollout(servers, path, 2, "--labels", "stable") == 0
    for server in servers:
        assert labels(server) == {"stable": 2, "canary": 2}
        wait_for(lambda: loaded(server) == {2})


def assert_untouched(servers, path, before):
    assert path.read_text() == before
    for server in servers:
        assert labels(server) == {"stable": 1, "canary": 1}
        wait_for(lambda: loaded(server) == {1})


@pytest.mark.parametrize(
    "version, options, text",
    [
        (3, (), r"version 3 does not load: .*truncation_psi must be in \[0, 2\]"),
        (4, (), r"fails at a request to label canary: INVALID_ARGUMENT: .*truncation_psi must be"),
        (2, ("--max-latency-ratio", "0.001"), r"5 requests to canary, none failed, .*, more than 0.001 times as long"),
        (9, ("--timeout-sec", "1"), r"finds no version 9 of gen; is it in the base_path of "),
    ],
)
def test_a_version_that_is_not_good_takes_nothing_over(servers, path, capsys, version, options, text):
    before = path.read_text()
    assert rollout(servers, path, version, *options) == 1
    out, error = capsys.readouterr()
    assert re.match(rf"outfit-gan rollout: error: localhost:\d+:? {text}", error), error
    assert error.count("\n") == 1 and out.splitlines()[-1].startswith("going back: localhost:")
    assert_untouched(servers, path, before)


def test_a_server_that_is_not_there_brings_the_others_back(servers, path, capsys):
    before = path.read_text()
    servers[1].stop()
    assert rollout(servers, path, 2) == 1
    out, error = capsys.readouterr()
    assert re.search(r"refuses the configuration: UNAVAILABLE: .*; is this its gRPC port\?", error)
    assert "not back there: localhost:" in out
    assert_untouched(servers[:1], path, before)


def test_somebody_else_who_moves_labels_is_noticed(servers, path, monkeypatch):
    """At the moment when the label has moved, and with the versions loaded, so that a request to the label is answered."""
    before, config, lines = path.read_text(), read_config(path), []
    config.model_config_list.config[0].model_version_policy.specific.versions.append(2)

    def move_back(line, **_):
        lines.append(line)
        if line == "canary is version 2":
            with stubs(servers[0].port) as (_, models):
                models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(config=config))

    monkeypatch.setattr("builtins.print", move_back)
    assert rollout(servers, path, 2) == 1
    monkeypatch.undo()
    assert any("version 1 answers at label canary, not 2: does the server read its file again" in line for line in lines)
    assert_untouched(servers, path, before)


def test_whoever_ends_it_finds_everything_as_it_was(servers, path):
    before = path.read_text()
    command = [sys.executable, "-m", cli.__name__, "rollout", f"localhost:{servers[0].port}", "--model_config_file", str(path)]
    command += ["--model_name", "gen", "--version", "2", "--watch-sec", "100"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with contextlib.closing(process.stdout):
        try:
            assert any(line == "canary is version 2\n" for line in iter(process.stdout.readline, ""))
            assert labels(servers[0]) == {"stable": 1, "canary": 2}
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 130
        finally:
            process.kill()
            process.wait()
    assert_untouched(servers, path, before)


@pytest.mark.parametrize(
    "change, options, text",
    [
        (("stable", "live"), (), "models.config: gen has no label 'stable', which moves last; it has canary, live"),
        (('"gen"', '"other"'), (), "models.config: no model 'gen'; there are 'other'"),
        (("config {", "konfig {"), (), "models.config: expected a model_config_list"),
        (("", ""), ("--labels", "stable,stable"), "--labels: expected labels such as canary,stable, got 'stable,stable'"),
        (("", ""), ("--tls-ca", "missing.pem"), "--tls-ca missing.pem: No such file or directory; expected a PEM file"),
    ],
)
def test_wrong_input_is_one_line(path, capsys, change, options, text):
    path.write_text(path.read_text().replace(*change))
    assert rollout([], path, 2, "localhost:1", *options) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1


def test_other_models_of_the_file_are_left_alone(path, servers):
    config = read_config(path)
    config.model_config_list.config.add().CopyFrom(config.model_config_list.config[0])
    config.model_config_list.config[1].name = "other"
    write_config(path, config)
    for server in servers:
        server.models.reload(config)
    assert rollout(servers, path, 2) == 0
    gen, other = read_config(path).model_config_list.config
    assert (gen.version_labels["stable"], other.version_labels["stable"]) == (2, 1)
