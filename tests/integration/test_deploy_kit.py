"""The serving kit: every file is read by a parser that is not ours, and what can run here runs against a real server."""

import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import compose_spec
import grpc
import kubernetes_validate
import promql_parser
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.model_config import read_config
from serving.rollout import ServerProcess
from serving.server.server import EmbeddedServer
from serving.server_files import BatchingConfig, MonitoringConfig, SSLConfig
from tests.helpers.serving_model import predict_request, request_arrays, wait_for, write_model
from tf_outfit_gan.client import Client, ServerError

KIT = Path(__file__).parents[2] / "serving" / "deploy"
KUBERNETES = "1.32.0"

# Flags of tensorflow_model_server 2.20.0 that the kit may use: it passes over unknown ones, without an error.
FLAGS = set(
    """port rest_api_port rest_api_timeout_in_ms model_name model_base_path model_config_file monitoring_config_file
    allow_version_labels_for_unavailable_models num_load_threads enable_grpc_healthcheck_service enable_profiler enable_batching
    batching_parameters_file ssl_config_file tensorflow_intra_op_parallelism tensorflow_inter_op_parallelism""".split()
)
# Metrics that it gives, in the names that Prometheus sees, and their labels.
METRICS = {
    "up": {"job"},
    ":tensorflow:serving:request_count": {"model_name", "status"},
    **{f":tensorflow:serving:request_latency_{part}": {"model_name", "API", "entrypoint", "le"} for part in ("bucket", "count")},
    ":tensorflow:serving:runtime_latency_bucket": {"model_name", "API", "runtime", "le"},
    ":tensorflow:serving:batching_session:queuing_latency_bucket": {"thread_pool_name", "le"},
    ":tensorflow:serving:model_warmup_latency_sum": {"model_path", "status"},
    ":tensorflow:serving:model_warmup_latency_count": {"model_path", "status"},
}


def read(name):
    return (KIT / name).read_text()


def documents(name):
    return list(yaml.safe_load_all(read(name)))


# The server's own files.


def test_the_servers_files_are_what_it_reads():
    models = text_format.Parse(read("config/models.config"), ModelServerConfig()).model_config_list
    (model,) = models.config
    assert (model.name, model.base_path, model.model_platform) == ("outfit_gan", "/models/outfit_gan", "tensorflow")
    assert dict(model.version_labels) == {"stable": 1, "canary": 1}
    assert list(model.model_version_policy.specific.versions) == [1]
    batching = text_format.Parse(read("config/batching.config"), BatchingConfig())
    assert list(batching.allowed_batch_sizes) == sorted(batching.allowed_batch_sizes)
    assert batching.allowed_batch_sizes[-1] == batching.max_batch_size.value  # Or the server refuses to load.
    sizes = ",".join(map(str, batching.allowed_batch_sizes))
    assert f"--warmup-batch-sizes {sizes}\n" in read("config/batching.config")
    monitoring = text_format.Parse(read("config/monitoring.config"), MonitoringConfig()).prometheus_config
    assert monitoring.enable and monitoring.path == documents("prometheus/prometheus.yml")[0]["scrape_configs"][0]["metrics_path"]


def test_a_mistake_in_a_servers_file_would_be_found():
    with pytest.raises(text_format.ParseError, match='no field named "max_batch"'):
        text_format.Parse("max_batch { value: 4 }", BatchingConfig())


def flags(words):
    """{flag: value} of a command line; every flag must be one of the server's."""
    found = dict(re.fullmatch(r"--(\w+)=(\S+)", word).groups() for word in words)
    assert found.keys() <= FLAGS
    return found


# Docker Compose.


def compose(name, **environment):
    """A Compose file with its variables filled in, parsed by the rules of its specification."""

    def fill(match):
        variable, kind, text = match.groups()
        return environment.get(variable, text) if kind == "-" else text if variable in environment else ""

    text = re.sub(r"\$\{(\w+):([-+])([^}]*)\}", fill, read(name))
    return yaml.safe_load(compose_spec.PyCompose.from_yaml(text).to_yaml())["services"]


@pytest.mark.parametrize("options", [{}, {"BATCHING": "on", "TLS": "on", "CPUS": "2", "MODELS": "/srv/models"}], ids=str)
def test_compose_starts_the_server_with_files_that_are_there(options):
    services = compose("compose.yaml", **options)
    serving = services["serving"]
    assert serving["image"] == "tensorflow/serving:2.20.0"
    found = flags(serving["command"].split())
    assert ("batching_parameters_file" in found) == ("enable_batching" in found) == ("BATCHING" in options)
    assert found["tensorflow_intra_op_parallelism"] == options.get("CPUS", "4")
    for flag, path in found.items():
        if flag.endswith("_file") and flag != "ssl_config_file":  # make_certificate.sh writes that one.
            assert (KIT / "config" / path.removeprefix("/etc/serving/")).is_file()
    made = {"./tls", "./nginx/tokens.map", options.get("MODELS", "../../models")}
    for service in services.values():
        sources = {volume.split(":")[0] for volume in service["volumes"]}
        assert all((KIT / source).exists() for source in sources - made)
        assert all(volume.endswith(":ro") for volume in service["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in serving["ports"])


def test_the_gpu_file_changes_the_same_service():
    (name, service), *others = compose("compose.gpu.yaml").items()
    assert name == "serving" and not others and service["image"] == compose("compose.yaml")["serving"]["image"] + "-gpu"
    assert service["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


# A real server with the kit's models.config.


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of the kit's models.config, whose base path is in another place."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "outfit_gan").mkdir()
    write_model(folder / "outfit_gan" / "1")
    (folder / "models.config").write_text(read("config/models.config").replace("/models/", f"{folder}/"))
    running = EmbeddedServer(read_config(folder / "models.config"), lambda version: None, allow_labels_early=True)
    running.start()
    wait_for(lambda: running.models["outfit_gan"].current)
    yield running
    running.stop()


def healthy(port, change=("", "")):
    """Whether the health check of Compose says so, as a container runs it."""
    kind, program, *words = compose("compose.yaml")["serving"]["healthcheck"]["test"]
    assert kind == "CMD" and program == "bash"
    words = [word.replace("$$", "$").replace("8501", str(port)).replace(*change) for word in words]
    return subprocess.run([program, *words], stderr=subprocess.DEVNULL, timeout=20, check=False).returncode == 0


def test_the_health_check_asks_whether_the_label_answers(server):
    assert healthy(server.rest_port)
    assert not healthy(server.rest_port, ("stable", "beta"))
    assert not healthy(free_port())


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


# Kubernetes and KServe.

MANIFESTS = sorted(path.name for path in (KIT / "kubernetes").glob("*.yaml"))


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_one_of_kubernetes(name):
    for document in documents(f"kubernetes/{name}"):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_a_mistake_in_a_manifest_would_be_found():
    (deployment,) = documents("kubernetes/deployment.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["readinessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readinessProb"):
        kubernetes_validate.validate(deployment, KUBERNETES, strict=True)


def test_the_parts_of_the_deployment_fit(server):
    (deployment,) = documents("kubernetes/deployment.yaml")
    (kustomization,) = documents("kustomization.yaml")
    assert sorted(kustomization["resources"]) == [f"kubernetes/{name}" for name in MANIFESTS]
    (config,) = kustomization["configMapGenerator"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "tensorflow/serving:2.20.0"
    mounted = {f"/etc/serving/{Path(file).name}" for file in config["files"] if (KIT / file).is_file()}
    found = flags(container["args"])
    assert {path for flag, path in found.items() if flag.endswith("_file")} <= mounted
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}
    assert pod["volumes"][1]["configMap"]["name"] == config["name"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == documents("kubernetes/models.yaml")[0]["metadata"]["name"]
    (service,) = documents("kubernetes/service.yaml")
    assert {port["targetPort"] for port in service["spec"]["ports"]} == {port["name"] for port in container["ports"]}
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert pod["terminationGracePeriodSeconds"] * 1000 > int(found["rest_api_timeout_in_ms"])
    # Readiness probes ask for the state of the model; the same path with another label is refused.
    for probe in ("startupProbe", "readinessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert get(server.rest_port, path) == 200 and get(server.rest_port, path.replace("stable", "beta")) == 400


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
def test_kustomize_builds_it():
    built = subprocess.run(["kubectl", "kustomize", KIT], capture_output=True, text=True, timeout=60, check=True).stdout
    found = list(yaml.safe_load_all(built))
    for document in found:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    (deployment,) = (document for document in found if document["kind"] == "Deployment")
    (config,) = (document for document in found if document["kind"] == "ConfigMap")
    assert deployment["spec"]["template"]["spec"]["volumes"][1]["configMap"]["name"] == config["metadata"]["name"]
    assert config["data"]["models.config"] == read("config/models.config")


def test_the_runtime_of_kserve_serves_with_the_same_release():
    (runtime,), (service,) = documents("kserve/serving-runtime.yaml"), documents("kserve/inference-service.yaml")
    assert (runtime["apiVersion"], service["apiVersion"]) == ("serving.kserve.io/v1alpha1", "serving.kserve.io/v1beta1")
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    formats = runtime["spec"]["supportedModelFormats"]
    assert model["modelFormat"] in [{"name": form["name"], "version": form["version"]} for form in formats]
    (container,) = runtime["spec"]["containers"]
    assert container["name"] == "kserve-container" and container["image"] == "tensorflow/serving:2.20.0"
    found = flags(container["args"])
    assert service["spec"]["predictor"]["timeout"] * 1000 > int(found["rest_api_timeout_in_ms"])
    container |= {"readinessProbe": model["readinessProbe"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [container]}}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


# Prometheus and Grafana.


def expressions():
    """(place, PromQL) of every alert and panel."""
    for group in documents("prometheus/rules.yml")[0]["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])
    dashboard = json.loads(read("grafana/provisioning/dashboards/serving.json"))
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])


@pytest.mark.parametrize("place, expression", expressions())
def test_an_expression_asks_for_what_the_server_gives(place, expression):
    promql_parser.parse(expression)
    asked = re.findall(r"(:[\w:]+|\bup\b)(?:\{([^}]*)\})?", re.sub(r'"[^"]*"', '""', expression))
    assert asked
    for name, matchers in asked:
        assert set(re.findall(r"(\w+)\s*=~?", matchers)) <= METRICS[name], name


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool")
@pytest.mark.parametrize(
    "words", [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")]
)
def test_promtool_agrees(words):
    subprocess.run(["promtool", *words], cwd=KIT / "prometheus", timeout=60, check=True)


def test_the_dashboard_is_one():
    dashboard = json.loads(read("grafana/provisioning/dashboards/serving.json"))
    (source,) = documents("grafana/provisioning/datasources/prometheus.yml")[0]["datasources"]
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in dashboard["panels"]})
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    (provider,) = documents("grafana/provisioning/dashboards/dashboards.yml")[0]["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/dashboards"


# TLS.


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A copy of the kit in which make_certificate.sh has run."""
    kit = shutil.copytree(KIT, tmp_path_factory.mktemp("kit") / "deploy", ignore=shutil.ignore_patterns("tls", "ssl.config"))
    subprocess.run([kit / "make_certificate.sh", "localhost"], check=True, timeout=60)
    return kit


def test_a_rollout_reaches_a_server_by_tls(certified):
    """With the key and certificate that the server finds in the file of the script."""
    files = text_format.Parse((certified / "config" / "ssl.config").read_text(), SSLConfig())
    assert files.server_cert == (certified / "tls" / "server.crt").read_text() and not files.client_verify
    server = grpc.server(ThreadPoolExecutor(1))
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(model_service_pb2_grpc.ModelServiceServicer(), server)
    credentials = grpc.ssl_server_credentials([(files.server_key.encode(), files.server_cert.encode())])
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        process = ServerProcess(f"localhost:{port}", files.server_cert.encode())
        with pytest.raises(Exception, match="UNIMPLEMENTED"):  # An answer, by TLS.
            process.state("outfit_gan", 1)
        process.close()
    finally:
        server.stop(None)


# nginx, which is before the server in the gateway and in SageMaker's container.


@contextlib.contextmanager
def running_nginx(folder, port, places):
    """Runs nginx with the nginx.conf in a folder, in which places of files and ports are replaced; it listens on the port."""
    if not shutil.which("nginx"):
        pytest.skip("needs nginx")
    temporary = "".join(f"{kind}_temp_path temp_{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = (folder / "nginx.conf").read_text()
    for old, new in {"/tmp/nginx.pid": f"{folder}/nginx.pid", "http {": f"http {{ {temporary}", **places}.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
    subprocess.run([*command, "-t"], check=True, timeout=20)
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, timeout_sec=10)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_sagemakers_paths_lead_to_the_model(server, tmp_path):
    shutil.copy(KIT / "sagemaker" / "nginx.conf", tmp_path)
    port = free_port()
    places = {"listen 8080": f"listen 127.0.0.1:{port}", "127.0.0.1:8501": f"127.0.0.1:{server.rest_port}"}
    with running_nginx(tmp_path, port, places):
        assert get(port, "/ping") == 200
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/invocations", prediction())
        assert json.loads(connection.getresponse().read())["outputs"]["seed"] == [7]
        connection.close()


def test_sagemakers_container_runs_the_same_release():
    assert "FROM tensorflow/serving:2.20.0\n" in read("sagemaker/Dockerfile")
    linter = Path(sys.executable).with_name("hadolint")
    linted = subprocess.run([linter, KIT / "sagemaker" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout
    script = read("sagemaker/serve")
    subprocess.run(["bash", "-n", KIT / "sagemaker" / "serve"], check=True, timeout=20)
    assert "rest_api_port" in flags(re.findall(r"--\w+=\S+", script))


# The gateway.

TOKEN = {"Authorization": "Bearer 0000-replace-me-0000"}
PREDICT = "/v1/models/outfit_gan:predict"


@pytest.fixture(scope="module")
def gateway(certified, server):
    """The port of nginx with the kit's configuration before the server."""
    folder = certified / "nginx"
    (folder / "tokens.map").write_text((folder / "tokens.map.example").read_text() + '"Bearer second" second;\n')
    shutil.copytree(certified / "tls", folder / "tls")
    port = free_port()
    places = {
        "serving:8501": f"127.0.0.1:{server.rest_port}",
        "serving:8500": f"127.0.0.1:{server.port}",
        "listen 8443": f"listen 127.0.0.1:{port}",
        "access_log /dev/stdout;": "access_log off;",
    }
    with running_nginx(folder, port, places):
        yield port


@pytest.fixture
def ask(gateway, certified):
    """Asks by HTTPS: ask(method, path, body, headers) -> (status, body)."""
    context = ssl.create_default_context(cafile=certified / "tls" / "server.crt")

    def call(method, path, body=None, headers=TOKEN):
        connection = http.client.HTTPSConnection("localhost", gateway, timeout=20, context=context)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    return call


def prediction(count=1):
    arrays = {name: array.tolist() for name, array in request_arrays(count).items()}
    arrays["article_images_bytes"] = [[{"b64": ""}] * 6] * count
    return json.dumps({"inputs": arrays})


def test_the_gateway_lets_pictures_through_for_a_token(ask):
    status, body = ask("POST", PREDICT, prediction())
    assert status == 200 and json.loads(body)["outputs"]["seed"] == [7]
    assert ask("POST", PREDICT + "?debug=1", prediction())[0] == 200
    assert ask("POST", "/v1/models/outfit_gan/labels/canary:predict", prediction())[0] == 200
    assert b'"version": "1"' in ask("GET", "/v1/models/outfit_gan/metadata")[1]
    assert ask("GET", "/healthz", headers={})[0] == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert ask("POST", PREDICT, prediction(), headers)[0] == 401


def test_our_client_draws_through_the_gateway(gateway, certified):
    time.sleep(5)
    options = {"headers": TOKEN, "ca_file": certified / "tls" / "server.crt"}
    pose = [[0.5, 0.5, 1.0]] * 16
    clients = [
        Client(f"https://localhost:{gateway}", **options),
        Client(f"https://localhost:{gateway}", label="canary", **options),
        Client(f"grpcs://localhost:{gateway}", label="stable", **options),
    ]
    pictures = [client.render_png({}, pose=pose) for client in clients]
    assert pictures[0] == pictures[1] == pictures[2]
    with pytest.raises(ServerError, match="expected the header Authorization") as error:
        Client(f"https://localhost:{gateway}", ca_file=options["ca_file"]).metadata()
    assert error.value.code == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/outfit_gan",
        "/v1/models/outfit_gan/versions/1:predict",
        "/monitoring/prometheus/metrics",
        "/tensorflow.serving.ModelService/HandleReloadConfigRequest",
        "/",
    ],
)
def test_the_gateway_hides_the_rest(ask, path):
    assert ask("POST", path, "{}")[0] == 404


def test_the_gateway_limits_bodies(ask, gateway):
    length = {"Content-Length": str(49 * 2**20)}
    assert ask("POST", PREDICT, b"", TOKEN | length)[0] == 413


def test_the_gateway_limits_the_rate_of_each_client(ask):
    time.sleep(5)  # What the other tests have asked for is forgotten.
    second = {"Authorization": "Bearer second"}
    codes = [ask("POST", PREDICT, prediction())[0] for _ in range(14)]
    assert codes[:9] == [200] * 9 and 429 in codes
    assert ask("POST", PREDICT, prediction(), second)[0] == 200


def test_the_gateway_takes_grpc_for_predictions_alone(gateway, certified):
    time.sleep(5)
    credentials = grpc.ssl_channel_credentials((certified / "tls" / "server.crt").read_bytes())
    token = [("authorization", TOKEN["Authorization"])]
    request = predict_request(request_arrays(), model_name="outfit_gan")
    request.model_spec.version_label = "stable"
    with grpc.secure_channel(f"localhost:{gateway}", credentials) as channel:
        predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        assert predictions.Predict(request, metadata=token).model_spec.version.value == 1
        with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            predictions.Predict(request)
        with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
            models = model_service_pb2_grpc.ModelServiceStub(channel)
            models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), metadata=token)
