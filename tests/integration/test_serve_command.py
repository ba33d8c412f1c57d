"""`outfit-gan serve` as a process: its one line, its end, and what it says when it cannot start."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.helpers.serving_model import write_model
from tf_outfit_gan.cli.main import main

SERVE = [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve"]
ANY_PORTS = ["--port", "0", "--rest_api_port", "0"]


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "outfit_gan"
    base_path.mkdir()
    write_model(base_path / "1")
    return base_path


def test_it_says_where_it_serves_and_ends_cleanly_on_sigterm(base_path):
    process = subprocess.Popen([*SERVE, str(base_path), *ANY_PORTS], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        ready = re.fullmatch(
            r"serving outfit_gan version 1: gRPC 127\.0\.0\.1:(\d+), "
            r"REST (http://127\.0\.0\.1:(\d+)/v1/models/outfit_gan), studio (http://127\.0\.0\.1:\3/studio)\n",
            line,
        )
        assert ready, line
        assert b'"AVAILABLE"' in urllib.request.urlopen(ready[2], timeout=10).read()
        assert b"<title>Studio</title>" in urllib.request.urlopen(ready[4], timeout=10).read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == ""
        for port in (ready[1], ready[3]):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(port)), timeout=5)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_model_that_does_not_load_ends_it(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "saved_model.pb").write_bytes(b"this is a text file")
    result = subprocess.run([*SERVE, str(tmp_path), *ANY_PORTS], stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert re.search(
        rf"^outfit-gan serve: error: {re.escape(str(tmp_path))}/7 does not load: .*; export it again$",
        result.stderr,
        re.MULTILINE,
    )


@pytest.mark.parametrize("flag", ["--port", "--rest_api_port"])
def test_a_busy_port_is_one_line(base_path, capsys, flag):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(base_path), *ANY_PORTS, flag, str(port)]) == 2
    assert capsys.readouterr().err == (
        f"outfit-gan serve: error: cannot listen on 127.0.0.1:{port}: Address already in use; choose another {flag} or --host\n"
    )


def test_a_wrong_path_is_one_line(tmp_path, capsys):
    assert main(["serve", str(tmp_path / "missing")]) == 2
    error = capsys.readouterr().err
    assert "no such folder" in error and error.count("\n") == 1
