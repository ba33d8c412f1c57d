"""The life of versions: the newest serves, a swap drops no request, a broken one changes nothing."""

import gc
import shutil
import threading
import time
import weakref

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.config.file_system_storage_path_source_pb2 import FileSystemStoragePathSourceConfig

from serving.model_config import single_model
from serving.server.errors import UserError
from serving.server.server import EmbeddedServer
from serving.server.versions import Versions, newest_version
from tests.helpers.serving_model import predict_request, request_arrays, running_server, stubs, wait_for, write_model


class FakeServable:
    """Stands for what takes seconds to load; the life of versions does not depend on what they hold."""

    def __init__(self, folder):
        self.name = folder.name
        self.closed = False

    def close(self):
        self.closed = True


def publish(base_path, name):
    (base_path / name).mkdir(parents=True)
    (base_path / name / "saved_model.pb").touch()


def states(versions):
    return [(number, state) for number, state, _ in versions.states()]


@pytest.fixture
def versions(tmp_path):
    publish(tmp_path, "1")
    versions = Versions("gen", tmp_path, FakeServable, lambda version: None, poll_sec=0.01)
    versions.start()
    wait_for(lambda: versions.current)
    yield versions
    versions.close()


def test_the_highest_number_with_a_saved_model_is_the_newest(tmp_path):
    for name in ("9", "00000010", "tmp-11", ".12", "13.tmp", "-14", str(2**63)):
        publish(tmp_path, name)
    (tmp_path / "20").mkdir()
    assert newest_version(tmp_path) == (10, tmp_path / "00000010")


@pytest.mark.parametrize(
    "name, text",
    [
        ("missing", "no such folder"),
        ("empty", "no version to serve"),
        ("version/1", "is one version of a model"),
    ],
)
def test_a_path_without_versions_is_refused(tmp_path, name, text):
    (tmp_path / "empty").mkdir()
    publish(tmp_path / "version", "1")
    with pytest.raises(UserError, match=text) as error:
        newest_version(tmp_path / name)
    assert error.value.exit_code == 2 and name in str(error.value)


def test_a_request_under_way_keeps_the_old_version(versions, tmp_path):
    latest = model_pb2.ModelSpec(name="gen")
    with versions.borrow(latest) as old:
        publish(tmp_path, "2")
        wait_for(lambda: states(versions) == [(2, "AVAILABLE"), (1, "UNLOADING")])
        with versions.borrow(latest) as new:
            assert (old.servable.name, new.servable.name) == ("1", "2")
        old_servable = old.servable
        assert not old_servable.closed
    wait_for(lambda: old_servable.closed)
    assert states(versions) == [(2, "AVAILABLE"), (1, "END")]


def test_taking_the_newest_away_rolls_back(versions, tmp_path):
    publish(tmp_path, "2")
    wait_for(lambda: versions.current.number == 2)
    (tmp_path / "2").rename(tmp_path / "withdrawn")
    wait_for(lambda: versions.current.number == 1)
    wait_for(lambda: states(versions) == [(2, "END"), (1, "AVAILABLE")])


def test_what_is_loaded_keeps_serving_while_the_folder_is_empty(versions, tmp_path):
    loaded = versions.current.servable
    shutil.rmtree(tmp_path / "1")
    time.sleep(0.2)  # Some twenty looks at the folder.
    assert versions.current.servable is loaded and not loaded.closed
    publish(tmp_path, "2")
    wait_for(lambda: states(versions) == [(2, "AVAILABLE"), (1, "END")])


def test_status_shows_loading_while_it_loads(tmp_path):
    publish(tmp_path, "1")
    publish(tmp_path, "2")
    go_on = threading.Event()

    def load(folder):
        go_on.wait(10)
        return FakeServable(folder)

    both = text_format.Parse("all { }", FileSystemStoragePathSourceConfig.ServableVersionPolicy())
    versions = Versions("gen", tmp_path, load, lambda version: None, policy=both)
    versions.start()
    wait_for(lambda: states(versions) == [(2, "START"), (1, "LOADING")])
    go_on.set()
    wait_for(lambda: states(versions) == [(2, "AVAILABLE"), (1, "AVAILABLE")])
    versions.close()


def test_a_real_swap_and_a_version_that_does_not_load(tmp_path):
    write_model(tmp_path / "1")
    request = predict_request(request_arrays())
    with running_server(tmp_path) as server, stubs(server.port) as (predictions, _):

        def answer():
            response = predictions.Predict(request)
            return response.model_spec.version.value, response.outputs["image_bytes"].string_val[0]

        first = answer()
        write_model(tmp_path / "2", brightness=0.5, warmup_psi=9)  # Its warmup record is refused by the graph.
        wait_for(lambda: states(server.models["gen"]) == [(2, "END"), (1, "AVAILABLE")])
        assert "truncation_psi must be in [0, 2]" in str(server.models["gen"].states()[0][2])
        assert answer() == first
        write_model(tmp_path / "3", brightness=0.5, warmup_psi=1)
        wait_for(lambda: answer()[0] == 3)  # Every answer on the way there is a whole one: no call fails.
        assert answer()[1] != first[1]
        wait_for(lambda: states(server.models["gen"]) == [(3, "AVAILABLE"), (2, "END"), (1, "END")])


def test_stopping_lets_calls_finish_and_cancels_the_endless(tmp_path):
    write_model(tmp_path / "1")
    server = EmbeddedServer(single_model("gen", tmp_path), lambda version: None, running=2)
    server.start()
    with stubs(server.port) as (predictions, _):

        def work(rounds):
            return predictions.Predict.future(predict_request({"rounds": np.array([rounds], np.int32)}, "busy"))

        predictions.Predict(predict_request({"rounds": np.array([1], np.int32)}, "busy"))
        finite, endless = work(20_000), work(2**31 - 1)
        wait_for(lambda: server.models["gen"].current.users == 2)
        begin = time.monotonic()
        server.stop(grace_sec=4)
        assert time.monotonic() - begin < 7
        assert finite.result().outputs["total"].float_val
        assert endless.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        # The run itself has ended too: a thread that still worked would keep the process alive.
        wait_for(lambda: server.models["gen"].current.users == 0, timeout_sec=5)


def test_a_version_that_is_copied_into_place_is_tried_again(tmp_path):
    """A copy shows the graph first and the variables later: what cannot be loaded yet is, when it is whole."""
    write_model(tmp_path / "gen" / "1")
    write_model(tmp_path / "2", brightness=0.5)
    with running_server(tmp_path / "gen") as server:
        half = tmp_path / "gen" / "2"
        half.mkdir()
        shutil.copy(tmp_path / "2" / "saved_model.pb", half)
        wait_for(lambda: states(server.models["gen"]) == [(2, "END"), (1, "AVAILABLE")])
        shutil.copytree(tmp_path / "2", half, dirs_exist_ok=True)
        wait_for(lambda: states(server.models["gen"]) == [(2, "AVAILABLE"), (1, "END")])


def test_a_version_that_failed_is_left_alone_while_its_files_stay(tmp_path):
    publish(tmp_path, "1")
    tried = []

    def load(folder):
        tried.append(folder)
        raise ValueError("broken")

    versions = Versions("gen", tmp_path, load, lambda version: None, poll_sec=0.01)
    versions.start()
    versions.wait_settled()
    time.sleep(0.2)
    versions.close()
    assert len(tried) == 1


def test_a_retired_versions_graph_is_gone(tmp_path):
    write_model(tmp_path / "1")
    with running_server(tmp_path) as server:
        graph = weakref.ref(server.models["gen"].current.loaded._session.graph)
        gc.disable()  # Or it could go by chance.
        try:
            write_model(tmp_path / "2")
            wait_for(lambda: graph() is None)
        finally:
            gc.enable()
