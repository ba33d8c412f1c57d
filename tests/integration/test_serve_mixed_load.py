"""Ten minutes of good and bad requests (MINUTES= others), while versions come, break and go, and SIGTERM at the end."""

import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import pytest

from tests.helpers.serving_model import predict_request, request_arrays, stubs, wait_for, write_model

PREDICT = "/v1/models/gen:predict"
SECONDS = 60 * float(os.environ.get("MINUTES", "10"))
DRAIN_SEC = 30
BAD = {
    b"": 400,
    b"{": 400,
    b'{"inputs": ' + b"[" * 100_000: 400,
    b'{"instances": [{"seed": ' + b"9" * 5000 + b"}]}": 400,
    b'{"signature_name": "nope", "inputs": []}': 400,
    b'{"signature_name": "numbers", "inputs": [' + b"[1,2]," * 10_000 + b"[1]]}": 400,
    b'{"signature_name": "numbers", "inputs": ["a"]}': 400,
}


class Clients:
    """Threads that ask until they are told to end, and note what is wrong."""

    def __init__(self, port, rest_port):
        self.port, self.rest_port = port, rest_port
        self.pictures = {}  # {seed: {version: picture}}, from gRPC, which says which version answered.
        self.by_rest = []  # (seed, picture).
        self.wrong = []
        self.stopping = threading.Event()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=ask) for ask in (self.grpc, self.grpc, self.rest, self.rest, self.bad, self.bomb)]
        for thread in self.threads:
            thread.start()

    def failed(self, error):
        if not self.stopping.is_set():
            self.wrong.append(error)
        time.sleep(0.05)

    def seeds(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            yield number % 20

    def grpc(self):
        with stubs(self.port) as (predictions, _):
            for seed in self.seeds():
                try:
                    answer = predictions.Predict(predict_request(request_arrays(seed=seed)), timeout=60)
                except grpc.RpcError as error:
                    self.failed(error)
                    continue
                (picture,) = answer.outputs["image_bytes"].string_val
                if self.pictures.setdefault(seed, {}).setdefault(answer.model_spec.version.value, picture) != picture:
                    self.wrong.append(f"another picture of seed {seed}")

    def rest(self):
        rows = {name: array.tolist() for name, array in request_arrays().items() if name != "article_images_bytes"}
        articles = [[item.decode() for item in row] for row in request_arrays()["article_images_bytes"]]
        connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=60)
        for seed in self.seeds():
            body = json.dumps({"inputs": rows | {"article_images_bytes": articles, "seed": [seed]}})
            try:
                connection.request("POST", PREDICT, body)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.failed(error)
                continue
            if response.status == 200:
                self.by_rest.append((seed, base64.b64decode(json.loads(content)["outputs"]["image_bytes"][0]["b64"])))
            else:
                self.failed(content)
        connection.close()

    def bad(self):
        bodies = list(BAD)
        for number in self.seeds():
            body = bodies[number % len(bodies)]
            connection = http.client.HTTPConnection("127.0.0.1", self.rest_port, timeout=60)
            try:
                connection.request("POST", PREDICT, body)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                self.failed(error)
                continue
            finally:
                connection.close()
            if status != BAD[body]:
                self.failed(f"{status} for {body[:60]}")

    def bomb(self):
        request = predict_request(request_arrays())
        request.inputs["seed"].tensor_shape.dim[0].size = 2**40
        with stubs(self.port) as (predictions, _):
            for _ in self.seeds():
                try:
                    predictions.Predict(request, timeout=60)
                    self.wrong.append("a bomb is answered")
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                        self.failed(error)


def resident_mb(process):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


@pytest.mark.slow
def test_a_server_lives_through_it(tmp_path):
    base = tmp_path / "gen"
    base.mkdir()
    write_model(base / "1")
    write_model(tmp_path / "2", brightness=0.5)
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve", str(base), "--port", "0", "--rest_api_port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    clients = None
    try:
        line = process.stdout.readline()
        clients = Clients(*map(int, re.search(r"gRPC 127\.0\.0\.1:(\d+), REST http://127\.0\.0\.1:(\d+)/", line).groups()))
        said = []
        threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()

        def seen(version):
            return any(version in pictures for pictures in list(clients.pictures.values()))

        part = SECONDS / 5
        time.sleep(part)
        begin_mb = resident_mb(process)
        shutil.copytree(tmp_path / "2", base / "2")  # In place, not renamed.
        wait_for(lambda: seen(2))
        time.sleep(part)
        (base / "3").mkdir()
        (base / "3" / "saved_model.pb").write_text("broken")
        wait_for(lambda: any("version 3 does not load, version 2 stays" in line for line in said))
        time.sleep(part)
        shutil.rmtree(base / "3")
        shutil.rmtree(base / "2")
        wait_for(lambda: any("serving gen version 1" in line for line in said))
        time.sleep(part)
        for round_ in range(5):  # Versions go on coming, for the memory's sake.
            write_model(base / str(10 + round_))
            wait_for(lambda: seen(10 + round_))
            time.sleep(part / 5)
        end_mb = resident_mb(process)
        clients.stopping.set()
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=DRAIN_SEC + 20) == 0
        assert time.monotonic() - begin < DRAIN_SEC
    finally:
        if clients:
            clients.stop.set()
            for thread in clients.threads:
                thread.join()
        process.kill()
        process.wait()
    assert not clients.wrong, clients.wrong[:5]
    assert all(picture in clients.pictures[seed].values() for seed, picture in clients.by_rest)
    assert len(clients.by_rest) > SECONDS
    print(f"{len(clients.by_rest)} pictures over REST in {SECONDS:.0f} s; memory {begin_mb:.0f} MB, then {end_mb:.0f} MB")
    assert end_mb < begin_mb + 100
