"""The embedded server from outside: what it costs, what bad requests and crowds do to it, what reloads leave behind.

    python benchmarks/serving.py MODELS/outfit_gan overhead     # REST and gRPC over calling the SavedModel directly
    python benchmarks/serving.py MODELS/outfit_gan bad          # bad requests, one by one: answer, time, memory
    python benchmarks/serving.py MODELS/outfit_gan crowd        # 64 requests at once
    python benchmarks/serving.py MODELS/outfit_gan reloads      # memory after each of 50 reloads of a version

MODELS/outfit_gan is what `outfit-gan export` wrote: a conditional model. Each part starts `outfit-gan serve` as a process of its
own. The overhead is paired: a direct call and a served one in turn, so that other work on the machine meets both. The ratio
changes by 1% to 2% from one run to the next: to see less than that, take the median of several runs.
"""

import argparse
import base64
import http.client
import io
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

SERVE = [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve", "--port", "0", "--rest_api_port", "0"]
PREDICT = "/v1/models/outfit_gan:predict"
MB = 2**20
PATIENCE_SEC = 120


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path)
    parser.add_argument("part", choices=("overhead", "bad", "crowd", "reloads"))
    parser.add_argument("--count", type=int, default=50, help="pairs, requests at once, or reloads (default: %(default)s)")
    args = parser.parse_args()
    globals()[args.part](args.models, args.count)


@contextmanager
def served(models, *options):
    """Yields (port of gRPC, port of REST, process id) of `outfit-gan serve`."""
    command = [*SERVE, str(models), "--model_name", "outfit_gan", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        ports = re.search(r"gRPC 127\.0\.0\.1:(\d+), REST http://127\.0\.0\.1:(\d+)", line)
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield int(ports[1]), int(ports[2]), process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def row(**changes):
    """One request without articles, as JSON has it."""
    pose = [[0.5, 0.05 + 0.06 * joint, 1.0] for joint in range(16)]
    return {"article_images_bytes": [""] * 6, "keypoints": pose, "seed": 1, "truncation_psi": 0.7} | changes


def post(port, body, patience_sec=PATIENCE_SEC):
    """(status, content) of a new connection's one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience_sec)
    try:
        connection.request("POST", PREDICT, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def overhead(models, count):
    """A served call's time by a direct one's: the median over pairs, and that of the processor, which other work slows less."""
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    version = max(models.iterdir(), key=lambda folder: int(folder.name))
    render = tf.saved_model.load(str(version)).signatures["serving_default"]
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "outfit_gan"
    tensors = {
        "article_images_bytes": tf.constant([[b""] * 6]),
        "keypoints": tf.constant([row()["keypoints"]], tf.float32),
        "seed": tf.constant([1], tf.int64),
        "truncation_psi": tf.constant([0.7], tf.float32),
    }
    for name, tensor in tensors.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(tensor))
    body = json.dumps({"instances": [row()]}).encode()
    with served(models) as (port, rest_port, process), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        connection = http.client.HTTPConnection("127.0.0.1", rest_port, timeout=PATIENCE_SEC)

        def by_rest():
            connection.request("POST", PREDICT, body)
            return base64.b64decode(json.loads(connection.getresponse().read())["predictions"][0]["image_bytes"]["b64"])

        ways = {
            "direct": lambda: render(**tensors)["image_bytes"].numpy()[0],
            "REST": by_rest,
            "gRPC": lambda: predict(request).outputs["image_bytes"].string_val[0],
        }
        pictures = {name: ask() for name, ask in ways.items()}
        assert len(set(pictures.values())) == 1, "the ways give other pictures"
        seconds, worked = {name: [] for name in ways}, dict.fromkeys(ways, 0.0)
        for _ in range(count):
            for name, ask in ways.items():
                ask()  # Not timed: it warms the caches after the turn of the other process.
                before = time.process_time() + processor_sec(process)
                begin = time.perf_counter()
                ask()
                seconds[name].append(time.perf_counter() - begin)
                worked[name] += time.process_time() + processor_sec(process) - before
        connection.close()
    direct = seconds.pop("direct")
    print(f"direct: {1000 * statistics.median(direct):.1f} ms, {1000 * worked['direct'] / count:.1f} ms of processor time")
    for name, times in seconds.items():
        ratio = statistics.median(served / plain for served, plain in zip(times, direct))
        less, more = min(times) - min(direct), worked[name] / worked["direct"]
        print(
            f"{name}: {ratio:.3f} of the direct call's time in {count} pairs, {more:.3f} of its processor time, "
            f"client and server together; {1000 * less:.2f} ms between the fastest of each"
        )


def raw(port, content, pause_sec=0.0):
    """The first line of what a server says to these bytes; "closed" and "open" are without words."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SEC) as connection:
        connection.sendall(content)
        time.sleep(pause_sec)
        try:
            return connection.recv(200).split(b"\r\n")[0].decode() or "closed"
        except TimeoutError:
            return "open, no answer"
        except OSError as error:
            return type(error).__name__


def in_words(answer):
    status, content = answer
    text = json.loads(content).get("error", "a picture") if content.startswith(b"{") else content.decode(errors="replace")
    text = " ".join(text.split()).replace("|", "/")
    return f"{status} {text[:90]}{'...' * (len(text) > 90)}"


def with_photo(side):
    """A request with a black square as its top, which takes some kilobytes; 5000 is the largest that a model takes by default."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    photo = base64.b64encode(out.getvalue()).decode()
    return json.dumps({"instances": [row(article_images_bytes=["", {"b64": photo}, "", "", "", ""])]}).encode()


def bad_requests(port, rest_port):
    """{what: function that returns the answer in words}."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\n".encode()
    good = json.dumps({"instances": [row()]}).encode()
    joints = 20 * MB // 16
    nested = b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    deep = json.dumps({"instances": [row(keypoints=0)]}).replace(": 0,", ": " + "[" * 900 + "]" * 900 + ",").encode()
    digits = json.dumps({"instances": [row(seed=0)]}).replace('"seed": 0', '"seed": ' + "9" * 5000).encode()
    flat = json.dumps({"instances": [row(keypoints=[[0.51, 0.25, 1]] * joints)]}).encode()
    strings = json.dumps({"instances": [row(keypoints=[["a", "b", "c"]] * joints)]}).encode()
    last = json.dumps({"inputs": {k: [v] for k, v in row(keypoints=[[0.51, 0.25, 1]] * joints + [[1, 2]]).items()}}).encode()
    both = json.dumps({"inputs": [[0.51, 0.25, 1]] * joints, "instances": []}).encode()
    many = json.dumps({"instances": [row()] * 20_000}).encode()
    rows = b'{"instances": [' + b'{"seed": 1},' * (20 * MB // 12) + b'{"seed": 1}]}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (good[:100], good[100:])) + b"0\r\n\r\n"

    def rest(body, times=1):
        return lambda: [in_words(post(rest_port, body)) for _ in range(times)][-1]

    def shape(*dims):
        import grpc
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        request = predict_pb2.PredictRequest()
        request.model_spec.name = "outfit_gan"
        for name, dtype, field, value in (
            ("article_images_bytes", 7, "string_val", b""),
            ("keypoints", 1, "float_val", 0.5),
            ("seed", 9, "int64_val", 1),
            ("truncation_psi", 1, "float_val", 0.7),
        ):
            tensor = request.inputs[name]
            tensor.dtype = dtype
            getattr(tensor, field).append(value)
            for dim in dims:
                tensor.tensor_shape.dim.add(size=dim)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            try:
                prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=PATIENCE_SEC)
            except grpc.RpcError as error:
                return f"{error.code().name} {(error.details() or '')[:90]}"
        return "a picture"

    return {
        "a good request": rest(good),
        "chunked body": lambda: raw(rest_port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, 1),
        "Content-Length: abc": lambda: raw(rest_port, head + b"Content-Length: abc\r\n\r\n" + good),
        "Content-Length: -1": lambda: raw(rest_port, head + b"Content-Length: -1\r\n\r\n" + good),
        "two lengths": lambda: raw(rest_port, head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + good),
        "length and chunks": lambda: raw(rest_port, head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks),
        "a body of 10 TB": lambda: raw(rest_port, head + b"Content-Length: 10000000000000\r\n\r\n"),
        "100,000 nested lists": rest(nested),
        "900 nested lists": rest(deep),
        "an integer of 5,000 digits": rest(digits),
        "20 MB of keypoints in one row": rest(flat),
        "20 MB of strings as keypoints": rest(strings),
        "20 MB of keypoints, the last one short": rest(last),
        "20 MB in both forms": rest(both),
        "20 MB of rows without keys": rest(rows),
        "20,000 rows": rest(many),
        "a PNG of 8192x8192, fifty times": rest(with_photo(8192), 50),
        "a PNG of 5000x5000, fifty times": rest(with_photo(5000), 50),
        "gRPC: shape [200,000,000], one value": lambda: shape(200_000_000),
        "gRPC: shape [2^40], one value": lambda: shape(2**40),
        "gRPC: shape [-1]": lambda: shape(-1),
        "gRPC: 300 dimensions": lambda: shape(*[1] * 300),
    }


def bad(models, _):
    """One line of a table a request."""
    print("| request | answer | s | s of the server's processor | peak memory, MB more | after it |\n|---|---|---|---|---|---|")
    with served(models) as (port, rest_port, process):
        post(rest_port, json.dumps({"instances": [row()]}))
        for name, ask in bad_requests(port, rest_port).items():
            Path(f"/proc/{process}/clear_refs").write_text("5")  # The peak is counted from here on.
            before, worked = memory(process), processor_sec(process)
            begin = time.monotonic()
            try:
                answer = ask()
            except OSError as error:
                answer = f"{type(error).__name__}"
            seconds = time.monotonic() - begin
            worked = processor_sec(process) - worked
            more, after = ((memory(process, what) - before) / MB for what in ("VmHWM", "VmRSS"))
            print(f"| {name} | {answer} | {seconds:.1f} | {worked:.1f} | {more:.0f} | {after:.0f} |", flush=True)


def processor_sec(process):
    """What a process has worked so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process, what="VmRSS"):
    """Bytes of a process."""
    return int(re.search(rf"{what}:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[1]) * 1024


def crowd(models, count):
    """`count` requests at once, each of as many rows as make it take a while."""
    body = json.dumps({"instances": [row(seed=seed) for seed in range(8)]}).encode()
    with served(models) as (_, port, _):
        post(port, body)
        begin = time.monotonic()
        post(port, body)
        alone = time.monotonic() - begin
        print(f"one request alone: {alone:.2f} s")
    limit_ms = int(4 * alone * 1000)  # One by one each keeps it, all at once they would not.
    print(f"time limit: {limit_ms / 1000:.2f} s")
    with served(models, "--rest_api_timeout_in_ms", str(limit_ms)) as (_, port, _):
        post(port, body)
        answers, begin = [], time.monotonic()

        def ask():
            try:
                status = post(port, body, patience_sec=None)[0]
            except OSError as error:
                status = type(error).__name__
            answers.append((status, time.monotonic() - begin))

        threads = [threading.Thread(target=ask) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for status in sorted({status for status, _ in answers}, key=str):
        seconds = [seconds for other, seconds in answers if other == status]
        print(f"{status}: {len(seconds)} of {count}, after {min(seconds):.1f} to {max(seconds):.1f} s")


def reloads(models, count):
    """The newest version under one number after another, each the only one."""
    newest = max(models.iterdir(), key=lambda folder: int(folder.name))
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        shutil.copytree(newest, base / "1")
        with served(base) as (_, port, process):
            sizes = []
            for number in range(1, count + 2):
                if number > 1:
                    shutil.copytree(newest, base / f"{number}.tmp", copy_function=os.link)
                    (base / f"{number}.tmp").rename(base / str(number))
                    shutil.rmtree(base / str(number - 1))
                    wait_for_only(port, number)
                assert post(port, json.dumps({"instances": [row()]}))[0] == 200
                sizes.append(memory(process) / MB)
                if number in (1, 2, 3) or number % 10 == 1:
                    print(f"after {number - 1} reloads: {sizes[-1]:.0f} MB", flush=True)
            tail = sizes[len(sizes) // 5 :]
            slope = np.polyfit(range(len(tail)), tail, 1)[0]
            print(f"{slope:+.2f} MB a reload over the last {len(tail)}")


def wait_for_only(port, number):
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SEC)
        connection.request("GET", "/v1/models/outfit_gan")
        states = json.loads(connection.getresponse().read())["model_version_status"]
        connection.close()
        if {status["state"] for status in states if int(status["version"]) < number} == {"END"}:
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
