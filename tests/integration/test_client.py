"""The client: what it asks, what it refuses, and that it gets the same pictures from every port of a server."""

import http.server
import io
import json
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from tests.helpers.serving_model import HEIGHT, WIDTH, running_server, write_model
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.client import Client, RefusedError, ServerError
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

POINTS = [[96.0, 64.0, 0.9]] * 14 + [[12.0, 8.0, 0.0], [float("nan"), 3.0, 1.0]]
KEYPOINTS = {"format": "mpii16", "points": POINTS, "size": [256, 192]}
POSE = [[0.5, 0.25, 1.0]] * 14 + [[0.0, 0.0, 0.0]] * 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("gen")
    write_model(base_path / "3")
    with running_server(base_path) as running:
        yield running


@pytest.fixture
def outfit(tmp_path):
    """The path of an outfit.json with one article beside it."""
    Image.new("RGB", (4, 4), "red").save(tmp_path / "top.jpg")
    path = tmp_path / "outfit.json"
    path.write_text(json.dumps({"articles": {"top": "top.jpg"}, "keypoints": KEYPOINTS}))
    return path


@pytest.mark.parametrize("port", ["rest_port", "port"])
def test_a_client_needs_no_tensorflow(server, outfit, port):
    code = (
        "import sys, tf_outfit_gan as og, serving.cli.request\n"
        "print(og.Client(sys.argv[1], 'gen').render(sys.argv[2], seeds=[1, 2]).shape)\n"
        "print({'tensorflow', 'keras', 'tensorflow_serving'} & {*sys.modules})\n"
    )
    address = f"localhost:{getattr(server, port)}"
    done = subprocess.run([sys.executable, "-c", code, address, outfit], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"(2, {HEIGHT}, {WIDTH}, 3)", "set()"]


@pytest.fixture(scope="module", params=["rest_port", "port"])
def client(server, request):
    return Client(f"127.0.0.1:{getattr(server, request.param)}", "gen", timeout_sec=30)


def test_render_gives_one_picture_a_seed(client, outfit):
    pictures = client.render(outfit, seeds=[1, 2, 1])
    assert pictures.shape == (3, HEIGHT, WIDTH, 3) and pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert (pictures[0] != pictures[1]).any()
    # The same as files, and alone.
    [png] = client.render_png(outfit, seeds=1)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), pictures[0])
    # Each part of the question reaches the model: an article's bytes, its slot, the pose, psi.
    image = (outfit.parent / "top.jpg").read_bytes()
    assert client.render_png({"top": image, "keypoints": KEYPOINTS}) == [png]
    assert client.render_png({"bag": image, "keypoints": KEYPOINTS}) != [png]
    assert client.render_png(outfit, pose=[[0.9, 0.9, 1.0]] * 16) != [png]
    assert client.render_png(outfit, psi=0.0) != [png]


def test_both_ports_give_the_same_picture(server, outfit):
    pictures = [Client(f"localhost:{port}", "gen").render_png(outfit) for port in (server.rest_port, server.port)]
    assert pictures[0] == pictures[1]


def test_status_and_metadata(client):
    assert client.status() == [{"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
    metadata = client.metadata()
    assert metadata["model_spec"]["version"] == "3"
    assert metadata["signature_def"]["serving_default"]["inputs"]["seed"]["dtype"] == "DT_INT64"


@pytest.mark.parametrize("count", [6, 7])
def test_slots_that_a_model_does_not_describe_are_the_standard_ones_or_unknown(monkeypatch, count):
    shape = {"dim": [{"size": "-1"}, {"size": str(count)}]}
    signature = {"inputs": {"article_images_bytes": {"tensor_shape": shape}}}
    client = Client("localhost:1")
    monkeypatch.setattr(client, "metadata", lambda: {"signature_def": {"serving_default": signature}})
    if count == 6:
        assert client.slots() == SLOTS
    else:
        with pytest.raises(UserError, match="has other slots than outerwear, .* and does not describe them: export it again"):
            client.slots()


def test_a_model_that_does_not_describe_itself_is_named(client):
    with pytest.raises(UserError, match="the model 'gen' at 127.0.0.1:[0-9]+ has no signature .describe.: export it again"):
        client.describe()


def test_what_the_server_refuses_is_the_users_mistake(client):
    with pytest.raises(UserError, match="answers INVALID_ARGUMENT: "):
        client.render(seeds=[1])  # As of an unconditional model.
    with pytest.raises(UserError, match="unknown slot 'hat': expected one of outerwear, "):
        client.render({"hat": np.zeros((8, 6, 3), np.uint8)}, pose=POSE)
    unknown = Client(client._connection.place, "nope")
    with pytest.raises(UserError, match="NOT_FOUND: Servable not found.*check that it serves a model named 'nope'"):
        unknown.render({}, pose=POSE)


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(outfit={}), "the outfit: has no keypoints"),
        (dict(outfit={}, pose=POSE[:15]), "must be an array .16, 3., got .*0.5, 0.25"),
        (dict(outfit={}, pose=POSE, seeds=[2**63]), "seeds .9223372036854775808.: expected one or more integers of 64 bits"),
        (dict(outfit={}, pose=POSE, psi=9), "psi 9: expected a number from 0 to 2"),
        (dict(pose=POSE), "a pose without an outfit"),
    ],
)
def test_wrong_arguments_are_refused_before_the_call(arguments, text):
    with pytest.raises(UserError, match=text):
        Client("localhost:1").render(**arguments)


@pytest.mark.parametrize(
    "address",
    ["localhost", "localhost:", "localhost:http", "localhost:99999", ":80", "a:1/b", "grpc://a", "ftp://a:1", "https://a?b=1"],
)
def test_a_wrong_address_is_refused(address):
    with pytest.raises(UserError, match="expected HOST:PORT"):
        Client(address)


@pytest.mark.parametrize(
    "options, text",
    [
        (dict(version=1, label="stable"), "version 1 and label 'stable': expected one of them"),
        (dict(timeout_sec=0), "timeout_sec 0, .*: expected a time above 0"),
        (dict(batch_size=0), "batch_size 0: expected .* a batch of one picture at least"),
        (dict(ca_file="missing.pem"), "missing.pem: no such file; expected certificates in PEM"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(UserError, match=text):
        Client("localhost:1", **options)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_client_asks_for_a_version_or_a_label(server, scheme):
    address = f"{scheme}://localhost:{server.rest_port if scheme == 'http' else server.port}"
    server.models["gen"].labels = {"stable": 3}
    pictures = [Client(address, "gen", **which).render_png({}, pose=POSE) for which in ({}, {"version": 3}, {"label": "stable"})]
    assert pictures[0] == pictures[1] == pictures[2]
    for which, code, text in [
        ({"version": 9}, "NOT_FOUND", r"Specific\(gen, 9\)"),
        ({"label": "beta"}, "INVALID_ARGUMENT", "Unrecognized servable version label: beta"),
    ]:
        with pytest.raises(RefusedError, match=text) as error:
            Client(address, "gen", **which).render({}, pose=POSE)
        assert error.value.code == code


@pytest.fixture
def scripted():
    """An HTTP server that answers with what its `answers` hold, (status, body), in turn; `asked` has what it was asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            listener.asked.append((self.path, self.headers.get("Authorization")))
            status, body = listener.answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    listener = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    listener.asked, listener.answers = [], []
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    yield listener
    listener.shutdown()
    thread.join()
    listener.server_close()


STATUS = (200, '{"model_version_status": []}')
METADATA = (200, '{"model_spec": {}, "metadata": {"signature_def": {"signature_def": {}}}}')


def test_prefix_and_headers_go_with_each_call(scripted):
    headers = {"Authorization": "Bearer abc"}
    client = Client(f"http://127.0.0.1:{scripted.server_port}/shop/", "gen", label="a b", headers=headers)
    scripted.answers += [STATUS, METADATA]
    client.status(), client.metadata()
    paths = ["/shop/v1/models/gen/labels/a%20b", "/shop/v1/models/gen/labels/a%20b/metadata"]
    assert scripted.asked == [(path, "Bearer abc") for path in paths]


@pytest.mark.parametrize(
    "answer, code",
    [
        ((503, '{"error": "no room"}'), "UNAVAILABLE"),
        ((429, "<html>of a proxy</html>"), "RESOURCE_EXHAUSTED"),
        ((401, "<html>of a proxy</html>"), "UNAUTHENTICATED"),
        ((500, '{"error": "broken"}'), "INTERNAL"),
    ],
)
def test_a_busy_server_is_asked_again_as_often_as_is_said_and_another_failure_is_final(scripted, answer, code):
    address, busy = f"http://127.0.0.1:{scripted.server_port}", code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
    for retries, answers in ((0, 1), (1, 2 if busy else 1)):
        scripted.answers[:] = [answer] * 3
        with pytest.raises(ServerError) as error:
            Client(address, "gen", retries=retries).status()
        assert error.value.code == code and len(scripted.answers) == 3 - answers
    if busy:
        scripted.answers[:] = [answer, STATUS]
        assert Client(address, "gen", retries=1).status() == []


@pytest.mark.parametrize("retries", [1, 10])
def test_further_tries_end_with_the_time_limit(scripted, retries):
    """After pauses of 0.5 and 1 s: within 1.2 s there is time for one further try."""
    scripted.answers[:] = [(503, "{}")] * 10
    client = Client(f"http://127.0.0.1:{scripted.server_port}", "gen", timeout_sec=1.2, retries=retries)
    with pytest.raises(ServerError, match="UNAVAILABLE"):
        client.status()
    assert len(scripted.asked) == 2


def test_an_answer_that_comes_in_drops_ends_with_the_time_limit():
    """Each drop comes within the limit, the whole does not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not given_up.wait(0.1):
                    connection.sendall(b" ")

        given_up, thread = threading.Event(), threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(ServerError, match="no answer from .* within 1 s") as error:
                Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "gen", timeout_sec=1).status()
            assert error.value.code == "DEADLINE_EXCEEDED"
        finally:
            given_up.set()
            thread.join()


def test_a_connection_is_kept_until_the_client_is_closed():
    accepted, answer = [], STATUS[1].encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            accepted.append(self.client_address)
            super().setup()

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        with Client(f"http://127.0.0.1:{listener.server_port}", "gen") as client:
            for _ in range(3):
                client.status()
            assert len(accepted) == 1
        client.status()  # A closed client opens a new one.
        assert len(accepted) == 2
        client.close()
        listener.shutdown()
        thread.join()


def test_a_client_waits_until_a_model_answers(scripted):
    address = f"http://127.0.0.1:{scripted.server_port}"
    missing = (404, '{"error": "Servable not found for request: Latest(gen)"}')
    scripted.answers += [missing, (503, "<html></html>"), METADATA]
    Client(address, "gen").wait_ready(timeout_sec=30)
    assert not scripted.answers
    scripted.answers += [missing] * 2
    with pytest.raises(ServerError, match="not ready after 0 s: .*Servable not found") as error:
        Client(address, "gen").wait_ready(timeout_sec=0)
    assert error.value.code == "NOT_FOUND"


def test_a_server_that_is_not_there_or_is_another_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServerError, match=f"no answer from 127.0.0.1:{port}: .*refused; is the server running there"):
        Client(f"127.0.0.1:{port}").status()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            listener.accept()[0].recv(1000)

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(ServerError, match="UNAVAILABLE|DEADLINE_EXCEEDED"):
            Client(f"127.0.0.1:{port}", timeout_sec=1).status()
        thread.join()


def test_the_command_writes_pictures(server, outfit, tmp_path, capsys):
    ask = ["request", f"localhost:{server.rest_port}", "--outfit", str(outfit), "--model_name", "gen"]
    assert main([*ask, "--out", str(tmp_path / "one.png"), "--seed", "2"]) == 0
    assert main([*ask, "--out", str(tmp_path / "many.png"), "--seed", "1,2"]) == 0
    assert (tmp_path / "many-2.png").read_bytes() == (tmp_path / "one.png").read_bytes()
    assert (tmp_path / "many-1.png").read_bytes() != (tmp_path / "one.png").read_bytes()
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in ("one.png", "many-1.png", "many-2.png")]
    # A pose of its own; and nothing but pictures is left, no temporary file.
    (tmp_path / "pose.json").write_text(json.dumps(KEYPOINTS | {"points": [[1, 2, 1]] * 16}))
    assert main([*ask, "--out", str(tmp_path / "posed.png"), "--seed", "2", "--pose", str(tmp_path / "pose.json")]) == 0
    assert (tmp_path / "posed.png").read_bytes() != (tmp_path / "one.png").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {
        "top.jpg",
        "outfit.json",
        "pose.json",
        "one.png",
        "many-1.png",
        "many-2.png",
        "posed.png",
    }


def test_many_pictures_of_a_server_are_those_that_it_gives_one_by_one(server, outfit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poses.jsonl").write_text("".join(json.dumps(KEYPOINTS | {"points": [[n, 2, 1]] * 16}) + "\n" for n in (1, 90)))
    address = f"localhost:{server.rest_port}"
    asked = ["--model_name", "gen", "--outfit", "outfit.json", "--poses", "poses.jsonl", "--seeds", "1,2", "--quiet"]
    assert main(["render", "--server", address, *asked, "--out-dir", "rendered"]) == 0
    assert main(["request", address, *asked, "--out-dir", "asked"]) == 0
    lines = [json.loads(line) for line in (tmp_path / "rendered" / "index.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == [f"outfit_{pose}_{seed}.png" for pose in ("0001", "0002") for seed in (1, 2)]
    assert {line["model"] for line in lines} == {f"{address}/gen/3"}
    client, poses = Client(address, "gen"), [json.loads(line) for line in (tmp_path / "poses.jsonl").read_text().splitlines()]
    for line in lines:
        expected = client.render(outfit, line["seed"], pose=poses[int(line["pose"]) - 1])[0]
        for folder in ("rendered", "asked"):
            np.testing.assert_array_equal(Image.open(tmp_path / folder / line["file"]), expected)
    assert main(["request", address, *asked, "--out", "out.png"]) == 2  # Of several poses, there is no one name.
    assert main(["render", "--server", address, *asked, "--out", "grid.png"]) == 0


@pytest.mark.parametrize(
    "arguments, code, text",
    [
        (["--out", "picture.jpg"], 2, "expected a name that ends in .png"),
        (["--out", "nowhere/picture.png"], 2, "no such folder nowhere"),
        (["--psi", "9"], 2, "--psi: expected a number from 0 to 2"),
        (["--pose", "missing.json"], 2, "missing.json: expected a file of keypoints, no such file"),
        (["--seed", "1,1"], 2, "--seed 1,1: a seed stands twice"),
        (["--seed", "one"], 2, "--seed/--seeds: expected integers"),
        (["--model_name", "nope"], 2, "check that it serves a model named 'nope'"),
    ],
)
def test_the_command_reports_mistakes_in_one_line(server, outfit, tmp_path, capsys, monkeypatch, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    assert (
        main(
            [
                "request",
                f"localhost:{server.rest_port}",
                "--outfit",
                str(outfit),
                "--out",
                "picture.png",
                "--model_name",
                "gen",
                *arguments,
            ]
        )
        == code
    )
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
    assert not (tmp_path / "picture.png").exists()
