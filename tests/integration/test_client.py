"""The client: what it reads, what it refuses, and that it gets the same pictures from every port of a server."""

import io
import json
import socket
import subprocess
import sys
import threading

import pytest
from PIL import Image

from tests.helpers.serving_model import HEIGHT, WIDTH, running_server, write_model
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.client.client import OutfitClient
from tf_outfit_gan.client.errors import ServerError
from tf_outfit_gan.client.outfit_file import NUM_KEYPOINTS, normalize_keypoints, read_article, read_outfit, read_pose
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.util.errors import UserError

POINTS = [[96.0, 64.0, 0.9]] * 14 + [[12.0, 8.0, 0.0], [float("nan"), 3.0, 1.0]]
KEYPOINTS = {"format": "mpii16", "points": POINTS, "size": [256, 192]}
NORMALIZED = [[0.5, 0.25, 1.0]] * 14 + [[0.0, 0.0, 0.0]] * 2


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


def test_the_keypoints_are_as_many_as_the_models():
    assert NUM_KEYPOINTS == NUM_JOINTS


def test_the_rest_road_needs_neither_tensorflow_nor_numpy():
    code = "import sys, tf_outfit_gan.client, serving.cli.request; print({'tensorflow', 'numpy', 'grpc'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE).stdout == b"set()\n"


def test_an_outfit_is_read_and_normalized(outfit):
    assert read_outfit(outfit) == ({"top": outfit.parent / "top.jpg"}, NORMALIZED)


def test_a_pose_is_keypoints_alone_or_within_another_file(outfit, tmp_path):
    (tmp_path / "pose.json").write_text(json.dumps(KEYPOINTS))
    assert read_pose(tmp_path / "pose.json") == read_pose(outfit) == NORMALIZED


@pytest.mark.parametrize("content, text", [
    ("no JSON", "not a JSON file"),
    ("[]", "expected a JSON object"),
    ("{}", "expected \"articles\""),
    ('{"articles": {"hat": "hat.jpg"}}', "unknown slot 'hat'; expected one of outerwear, top,"),
    ('{"articles": {"top": 3}}', "article 'top': expected the path of an image file, found 3"),
    ('{"articles": {}, "keypoints": 3}', 'expected an object with "format", "points" and "size", found 3'),
])
def test_a_wrong_outfit_is_refused_by_name(tmp_path, content, text):
    path = tmp_path / "outfit.json"
    path.write_text(content)
    with pytest.raises(UserError) as error:
        read_outfit(path)
    assert str(error.value).startswith(str(path)) and text in str(error.value)


@pytest.mark.parametrize("change, text", [
    ({"format": "coco17"}, 'expected "format": "mpii16", found "coco17"; convert the keypoints first'),
    ({"points": POINTS[:15]}, "expected 16 points, found 15"),
    ({"points": [[1, 2]] * 16}, "point 0: expected [x, y, confidence], found [1, 2]"),
    ({"size": [256]}, 'expected "size": [height, width] in pixels, found [256]'),
    ({"size": [0, 192]}, 'expected "size": [height, width] in pixels, found [0, 192]'),
])
def test_wrong_keypoints_are_refused(change, text):
    with pytest.raises(UserError) as error:
        normalize_keypoints(KEYPOINTS | change, "pose.json")
    assert text in str(error.value) and str(error.value).startswith("pose.json: keypoints: ")


def test_only_png_and_jpeg_are_sent(tmp_path):
    (tmp_path / "note.png").write_text("this is a text file")
    with pytest.raises(UserError, match="note.png .top.: not a PNG or JPEG image .* convert it"):
        read_article(tmp_path / "note.png", "top")
    with pytest.raises(UserError, match="missing.png .top.: cannot be read: No such file"):
        read_article(tmp_path / "missing.png", "top")
    for kind in ("PNG", "JPEG"):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4)).save(buffer, kind)
        assert read_article(buffer.getvalue(), "top") == buffer.getvalue()


@pytest.fixture(scope="module", params=["rest_port", "port"])
def client(server, request):
    return OutfitClient(f"127.0.0.1:{getattr(server, request.param)}", "gen", timeout_sec=30)


def test_render_gives_one_picture_a_seed(client, outfit):
    articles, keypoints = read_outfit(outfit)
    pictures = client.render(articles, keypoints, seeds=[1, 2, 1])
    assert pictures[0] == pictures[2] != pictures[1]
    assert Image.open(io.BytesIO(pictures[0])).size == (WIDTH, HEIGHT)
    image = articles["top"].read_bytes()
    # Each part of the question reaches the model: an article's bytes, its slot, the pose, psi.
    assert client.render({"top": image}, keypoints) == pictures[:1]
    assert client.render({"bag": image}, keypoints) != pictures[:1]
    assert client.render(articles, [[0.9, 0.9, 1.0]] * 16) != pictures[:1]
    assert client.render(articles, keypoints, psi=0.0) != pictures[:1]


def test_both_roads_give_the_same_picture(server, outfit):
    pictures = [OutfitClient(f"localhost:{port}", "gen").render(*read_outfit(outfit))
                for port in (server.rest_port, server.port)]
    assert pictures[0] == pictures[1]


def test_status_and_metadata(client):
    assert client.status() == [
        {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]
    metadata = client.metadata()
    assert metadata["model_spec"]["version"] == "3"
    assert metadata["signature_def"]["serving_default"]["inputs"]["seed"]["dtype"] == "DT_INT64"


def test_what_the_server_refuses_is_the_users_mistake(client):
    with pytest.raises(UserError, match=r"answers INVALID_ARGUMENT: assertion failed: \[truncation_psi .*\[9\]$"):
        client.render({}, NORMALIZED, psi=9)
    unknown = OutfitClient(client._host_port, "nope")
    with pytest.raises(UserError, match="NOT_FOUND: Servable not found.*check that it serves a model named 'nope'"):
        unknown.render({}, NORMALIZED)


@pytest.mark.parametrize("arguments, text", [
    (({"hat": b""}, NORMALIZED), "unknown slot 'hat'"),
    (({}, NORMALIZED[:15]), "expected 16 points"),
    (({}, NORMALIZED, [2**63]), "seed 9223372036854775808: expected an integer of 64 bits"),
])
def test_wrong_arguments_are_refused_before_the_call(arguments, text):
    with pytest.raises(UserError, match=text):
        OutfitClient("localhost:1").render(*arguments)


@pytest.mark.parametrize("host_port", ["localhost", "localhost:", "localhost:http", "localhost:99999", ":80", "a:1/b"])
def test_a_wrong_address_is_refused(host_port):
    with pytest.raises(UserError, match="expected HOST:PORT"):
        OutfitClient(host_port)


def test_a_server_that_is_not_there_or_is_another_is_told():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServerError, match=f"no answer from 127.0.0.1:{port}: .*refused; is the server running there"):
        OutfitClient(f"127.0.0.1:{port}").status()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def hang_up():
            listener.accept()[0].recv(1000)
        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(ServerError, match="UNAVAILABLE|DEADLINE_EXCEEDED"):
            OutfitClient(f"127.0.0.1:{port}", timeout_sec=1).status()
        thread.join()


def test_the_command_writes_pictures(server, outfit, tmp_path, capsys):
    ask = ["request", f"localhost:{server.rest_port}", "--outfit", str(outfit), "--model_name", "gen"]
    assert main([*ask, "--out", str(tmp_path / "one.png"), "--seed", "2"]) == 0
    assert main([*ask, "--out", str(tmp_path / "many.png"), "--seed", "1,2"]) == 0
    assert (tmp_path / "many-2.png").read_bytes() == (tmp_path / "one.png").read_bytes()
    assert (tmp_path / "many-1.png").read_bytes() != (tmp_path / "one.png").read_bytes()
    assert capsys.readouterr().out.split() == [
        str(tmp_path / name) for name in ("one.png", "many-1.png", "many-2.png")]
    # A pose of its own; and nothing but pictures is left, no temporary file.
    (tmp_path / "pose.json").write_text(json.dumps(KEYPOINTS | {"points": [[1, 2, 1]] * 16}))
    assert main([*ask, "--out", str(tmp_path / "posed.png"), "--seed", "2", "--pose",
                     str(tmp_path / "pose.json")]) == 0
    assert (tmp_path / "posed.png").read_bytes() != (tmp_path / "one.png").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {
        "top.jpg", "outfit.json", "pose.json", "one.png", "many-1.png", "many-2.png", "posed.png"}


@pytest.mark.parametrize("arguments, code, text", [
    (["--out", "picture.jpg"], 2, "expected a name that ends in .png"),
    (["--out", "nowhere/picture.png"], 2, "there is no folder nowhere"),
    (["--psi", "9"], 2, "truncation_psi must be in [0, 2]"),
    (["--pose", "missing.json"], 2, "missing.json: cannot be read: No such file"),
    (["--model_name", "nope"], 2, "check that it serves a model named 'nope'"),
])
def test_the_command_tells_mistakes_in_one_line(server, outfit, tmp_path, capsys, monkeypatch, arguments, code, text):
    monkeypatch.chdir(tmp_path)
    assert main(["request", f"localhost:{server.rest_port}", "--outfit", str(outfit), "--out", "picture.png",
                     "--model_name", "gen", *arguments]) == code
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
    assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize("seeds", ["1,", "1,1", "one"])
def test_wrong_seeds_are_usage_errors(outfit, seeds):
    with pytest.raises(SystemExit) as error:
        main(["request", "localhost:1", "--outfit", str(outfit), "--out", "picture.png", "--seed", seeds])
    assert error.value.code == 2
