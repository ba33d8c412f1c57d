"""What a server takes at most, over real sockets: bodies, connections, predictions at once, time; and how it says no."""

import http.client
import json
import socket
import threading
import time

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.model_config import single_model
from serving.server import connections, rest
from serving.server.servable import Servable
from serving.server.server import EmbeddedServer
from tests.helpers.serving_model import predict_request, running_server, stubs, wait_for, write_model

PREDICT = "/v1/models/gen:predict"
NUMBERS = b'{"signature_name": "numbers", "inputs": [10]}'
ENDLESS = {"signature_name": "busy", "inputs": [2**31 - 1]}


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("gen")
    write_model(base_path / "1")
    return base_path


@pytest.fixture(scope="module")
def server(base_path):
    """Runs one prediction at a time, and two more may wait."""
    with running_server(base_path, rest_timeout_ms=3000, running=1, waiting=2, cors=True) as running:
        yield running


def post(port, body, timeout_sec=30):
    """(status, headers, parsed answer) of a request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_sec)
    try:
        connection.request("POST", PREDICT, body if isinstance(body, bytes) else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())
    finally:
        connection.close()


def raw(port, *parts):
    """(status, content) of the answer to the bytes of `parts`."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        return response.status, response.read()


def head(*lines):
    return "\r\n".join([f"POST {PREDICT} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def idle(server):
    """Waits until nothing runs."""
    wait_for(lambda: server.models["gen"].current.users == 0)


def test_a_chunked_body_is_read(server):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (NUMBERS[:7], NUMBERS[7:])) + b"0\r\n\r\n"
    answer = raw(server.rest_port, head("Transfer-Encoding: chunked"), chunks)
    assert answer == (200, b'{\n    "outputs": [1.0]\n}')


def test_an_answer_goes_out_at_once(server):
    """The fastest of many: with delayed packets none is faster than 40 ms."""
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=20)
    seconds = []
    for _ in range(40):
        begin = time.monotonic()
        connection.request("POST", PREDICT, NUMBERS)
        connection.getresponse().read()
        seconds.append(time.monotonic() - begin)
    connection.close()
    assert min(seconds[20:]) < 0.03


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: abc"],
        ["Content-Length: -1"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Transfer-Encoding: nonsense"],
    ],
    ids=["no_number", "negative", "two", "unknown_encoding"],
)
def test_a_malformed_length_is_refused(server, lines):
    assert raw(server.rest_port, head(*lines), NUMBERS)[0] in (400, 501)


@pytest.mark.parametrize(
    "lines, status",
    [
        (["Content-Length: abc"], 400),
        (["Connection: close", "Content-Length: 10000000000000"], 413),
    ],
    ids=["malformed", "too_large"],
)
def test_who_still_sends_reads_why_it_is_refused(server, lines, status):
    """A connection that is closed while bytes come is reset: then the answer may be lost, however whole it was sent."""
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=20) as connection:
        connection.sendall(head(*lines))
        connection.recv(1, socket.MSG_PEEK)  # The answer is there.
        for _ in range(16):
            connection.sendall(b" " * 2**16)
            time.sleep(0.01)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        assert response.status == status and response.read()
        assert connection.recv(1) == b""


def test_who_sends_on_after_a_refusal_is_let_go(base_path, monkeypatch):
    monkeypatch.setattr(connections, "LINGER_SEC", 0.5)
    with running_server(base_path) as server, socket.create_connection(("127.0.0.1", server.rest_port)) as connection:
        connection.sendall(head("Content-Length: abc"))
        begin = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() < begin + 20:
                connection.sendall(b" ")
                time.sleep(0.01)
        assert time.monotonic() > begin + 0.5


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(server):
    status, answer = raw(server.rest_port, head("Content-Length: 10000000000000"))
    assert status == 413 and b"the body is larger than 100 MB" in answer


def test_a_body_that_grows_too_large_is_refused(server, monkeypatch):
    monkeypatch.setattr(rest, "MAX_REQUEST_BYTES", 2**20)
    chunk = b"10000\r\n%s\r\n" % (b" " * 2**16)
    assert raw(server.rest_port, head("Transfer-Encoding: chunked"), *[chunk] * 17)[0] == 413
    assert post(server.rest_port, NUMBERS)[0] == 200


def test_all_bodies_together_have_a_limit(server, monkeypatch):
    monkeypatch.setattr(rest, "MAX_HELD_BYTES", 60_000)
    with socket.create_connection(("127.0.0.1", server.rest_port)) as other:
        other.sendall(head("Content-Length: 1000000") + b" " * 60_000)

        def refused():
            status, headers, answer = post(server.rest_port, NUMBERS)
            return status == 503 and headers["Retry-After"] and "too large" in answer["error"]

        wait_for(refused, timeout_sec=20)
    wait_for(lambda: post(server.rest_port, NUMBERS)[0] == 200, timeout_sec=20)


def test_a_body_that_does_not_come_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(rest, "BODY_SEC", 0.2)
    assert raw(server.rest_port, head("Content-Length: 100"), b"{")[0] == 408


def test_slow_clients_are_let_go(base_path, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SEC", 2)
    with running_server(base_path) as server:
        kept, silent, dripping = (socket.create_connection(("127.0.0.1", server.rest_port), timeout=20) for _ in "123")
        kept.sendall(b"GET /v1/models/gen HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = http.client.HTTPResponse(kept)
        answer.begin()
        assert answer.status == 200 and answer.read()
        closed = []

        def drip():
            try:
                while True:
                    dripping.sendall(b"x")
                    time.sleep(0.05)
            except OSError:
                closed.append(True)

        threading.Thread(target=drip, daemon=True).start()
        assert silent.recv(1) == b""
        assert kept.recv(1) == b""
        wait_for(lambda: closed, timeout_sec=20)


def test_an_answer_that_is_not_read_is_given_up(base_path, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SEC", 1)
    # Many requests in one go: their answers fill all buffers between the two.
    request = b"GET /v1/models/gen/metadata HTTP/1.1\r\nHost: x\r\n\r\n"
    with running_server(base_path) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.rest_port))
        client.settimeout(20)
        with pytest.raises(ConnectionError):
            while True:
                client.sendall(request * 100)


def test_more_connections_than_there_may_be_are_refused(base_path, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 4)
    with running_server(base_path) as server:
        clients = [socket.create_connection(("127.0.0.1", server.rest_port)) for _ in range(4)]
        wait_for(lambda: raw(server.rest_port, b"GET /v1/models/gen HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 503)
        for client in clients:
            client.close()
        wait_for(lambda: post(server.rest_port, NUMBERS)[0] == 200)


def test_what_is_too_much_is_refused_and_what_waits_is_answered(server):
    idle(server)
    answers = []
    with stubs(server.port) as (predictions, _):
        threads = [threading.Thread(target=lambda: answers.append(post(server.rest_port, ENDLESS)[0])) for _ in range(2)]
        for thread in threads:
            thread.start()
        waits = predictions.Predict.future(predict_request({"x": np.array([5], np.float32)}, "numbers"), timeout=60)
        wait_for(lambda: server._workers._free._value == 0)
        status, headers, answer = post(server.rest_port, NUMBERS)
        assert (status, headers["Retry-After"]) == (503, "1")
        assert answer == {"error": "3 predictions run or wait already; try again later"}
        with pytest.raises(grpc.RpcError) as error:
            predictions.Predict(predict_request({}, "numbers"))
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        # A state can be asked all the while.
        connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=2)
        connection.request("GET", "/v1/models/gen")
        assert connection.getresponse().status == 200
        connection.close()
        # The time limit is that of the run alone: the second of the endless ones waited as long again.
        assert waits.result().outputs["y"].float_val == [0.5]
        for thread in threads:
            thread.join()
    assert answers == [504, 504]


@pytest.mark.parametrize("transport", ["REST", "gRPC"])
def test_a_client_that_goes_gives_up_its_place(server, transport):
    idle(server)
    with stubs(server.port) as (predictions, _):
        runs = predictions.Predict.future(predict_request({"rounds": np.array([2**31 - 1], np.int32)}, "busy"), timeout=2)
        wait_for(lambda: server.models["gen"].current.users == 1)
        if transport == "REST":
            connection = socket.create_connection(("127.0.0.1", server.rest_port))
            connection.sendall(head(f"Content-Length: {len(NUMBERS)}") + NUMBERS)
            leave = connection.close
        else:
            leave = predictions.Predict.future(predict_request({}, "numbers")).cancel
        wait_for(lambda: server._workers._free._value == 1)
        leave()
        wait_for(lambda: server._workers._free._value == 2, timeout_sec=1.5)
        assert runs.exception() is not None


def test_a_crowd_is_served(base_path):
    """64 at once: each keeps its time limit alone, and none fails."""
    with running_server(base_path, rest_timeout_ms=3000) as server:
        answers = []
        body = {"signature_name": "busy", "inputs": [20_000]}
        threads = [threading.Thread(target=lambda: answers.append(post(server.rest_port, body, 100)[0])) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200] * 64


@pytest.mark.parametrize(
    "body, error",
    [
        (b'{"inputs": ' + b"[" * 100_000, "JSON Parse error: the document is nested too deeply"),
        (
            b'{"signature_name": "numbers", "inputs": ' + b"[" * 90 + b"]" * 90 + b"}",
            "Encountered 90 levels of lists, expected at most 63",
        ),
        (
            b'{"signature_name": "numbers", "inputs": [' + b"9" * 5000 + b"]}",
            "JSON Parse error: Number too big to be stored in double. at offset: 41",
        ),
        (
            b'{"signature_name": "numbers", "instances": [' + b"1," * 2**20 + b"1]}",
            "Too many rows in 'instances': 1048577, expected at most 65536",
        ),
        (
            b'{"signature_name": "numbers", "inputs": [' + b"[0.5,0.5,1]," * 2**17 + b"[1]]}",
            "Encountered list at unexpected size: 1 at level: 1 expected size: 3",
        ),
        (
            b'{"signature_name": "numbers", "inputs": [' + b'["a","b"],' * 2**17 + b'["c","d"]]}',
            'JSON Value: "a" Type: String is not of expected type: float',
        ),
    ],
    ids=["nested", "levels", "digits", "rows", "ragged", "strings"],
)
def test_a_body_made_to_keep_the_server_busy_is_refused(server, body, error):
    # Small enough to be read in time where other processes take all processors. That little is done for them is counted in
    # tests/unit/serving/test_json_codec.py; `benchmarks/serving.py bad` has the times.
    assert post(server.rest_port, body)[::2] == (400, {"error": error})


def test_a_version_of_thousands_of_digits_is_refused(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=20)
    connection.request("GET", f"/v1/models/gen/versions/{'9' * 5000}")
    response = connection.getresponse()
    assert response.status == 400 and b"Failed to convert version: 999" in response.read()
    connection.close()


def test_an_error_quotes_the_beginning_of_what_is_long(server):
    body = b'{"inputs": [' + b"1," * 2**20 + b'1], "instances": []}'
    begin = time.process_time()
    status, _, answer = post(server.rest_port, body)
    assert status == 400 and answer["error"].startswith('JSON Value: {\n    "inputs": [1, 1, 1, ') and len(answer["error"]) < 400
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("sizes", [[2**40], [2**27], [-1], [2**62, 4], [1] * 300], ids=str)
def test_a_shape_that_few_bytes_describe_and_many_would_hold_is_refused(server, sizes):
    request = predict_request({"x": np.array([5], np.float32)}, "numbers")
    del request.inputs["x"].tensor_shape.dim[:]
    for size in sizes:
        request.inputs["x"].tensor_shape.dim.add(size=size)
    with stubs(server.port) as (predictions, _), pytest.raises(grpc.RpcError) as error:
        predictions.Predict(request)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details().startswith("tensor parsing error: x")


def test_pages_of_others_may_read_the_answers_where_that_is_wanted(server, base_path):
    for origin, status in (("https://shop.example", 200), ("null", 400)):
        connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=20)
        connection.request("OPTIONS", PREDICT, headers={"Origin": origin})
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, b"")
        assert response.headers["Access-Control-Allow-Headers"] == "Content-Type"
        connection.close()
    assert post(server.rest_port, NUMBERS)[1]["Access-Control-Allow-Origin"] == "*"
    assert post(server.rest_port, b"{}")[1]["Access-Control-Allow-Origin"] == "*"
    with running_server(base_path) as other:
        assert post(other.rest_port, NUMBERS)[1]["Access-Control-Allow-Origin"] is None


def test_no_port_is_open_before_a_version_is_loaded(base_path):
    """A client that comes too early must not take a model that is loading for one that does not exist."""
    loading, go_on = threading.Event(), threading.Event()
    server = EmbeddedServer(single_model("gen", base_path), lambda version: None)

    def load(folder):
        loading.set()
        go_on.wait(20)
        return Servable(folder)

    server.models._load = load
    starting = threading.Thread(target=server.start)
    starting.start()
    assert loading.wait(20)
    assert (server.port, server.rest_port) == (0, 0)
    go_on.set()
    starting.join()
    try:
        assert post(server.rest_port, NUMBERS)[0] == 200
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            asked = health_pb2.HealthCheckRequest(service="PredictionService")
            assert health_pb2_grpc.HealthStub(channel).Check(asked).status == health_pb2.HealthCheckResponse.SERVING
    finally:
        server.stop()


def test_a_server_that_stops_answers_what_has_come_and_nothing_more(base_path):
    with running_server(base_path, running=1, rest_timeout_ms=None) as server:
        kept = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=20)
        kept.request("GET", "/v1/models/gen")
        kept.getresponse().read()
        answers = []

        def ask(rounds):
            answers.append(post(server.rest_port, {"signature_name": "busy", "inputs": [rounds]}))

        threads = [threading.Thread(target=ask, args=[rounds]) for rounds in (30_000, 2**31 - 1, 1)]
        for waiting, thread in enumerate(threads):
            thread.start()
            wait_for(lambda: server._workers._free._value == 128 - waiting)
        begin = time.monotonic()
        server.stop(grace_sec=3)
        assert time.monotonic() - begin < 8
        for thread in threads:
            thread.join()
        # The first had the time to end; the endless one and the one behind it are refused in words, not cut off.
        assert sorted(status for status, _, _ in answers) == [200, 503, 503]
        for status, headers, answer in answers:
            assert status == 200 or (headers["Retry-After"] and answer == {"error": "the server is stopping"})
        assert b':request_count{model_name="gen",status="UNAVAILABLE"} 2.0' in server._metrics.text()
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            kept.request("GET", "/v1/models/gen")
            kept.getresponse()
        with pytest.raises(ConnectionRefusedError):
            post(server.rest_port, NUMBERS)


def test_tools_can_ask_what_is_served_over_grpc(server):
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", "grpc.health.v1.Health"} <= set(services)
