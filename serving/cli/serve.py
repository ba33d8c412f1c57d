"""`outfit-gan serve`: answers TF Serving's gRPC and REST calls from a SavedModel, without TF Serving.

Its flags are those of TF Serving where that has them, and so are the files that they name.
"""

import argparse
import queue
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.cli.shipped_export import shipped_export
from serving.model_config import read_config, single_model
from serving.server.batching import BatchingParameters
from serving.server.errors import StatusError, UserError
from serving.server.versions import Version, newest_version
from serving.server_files import grpc_credentials, read_batching, read_metrics_path, read_ssl, tls_context
from serving.studio import SETTINGS, STUDIO_FOLDERS, studio_settings
from tf_outfit_gan.cli import arguments

if TYPE_CHECKING:
    from serving.server.models import Models
    from serving.server.server import EmbeddedServer

EXAMPLE = "models/outfit_gan"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that TF Serving has too are spelled as there."""
    parser.add_argument(
        "model_base_path",
        metavar="MODEL_BASE_PATH",
        nargs="?",
        type=Path,
        help="folder of the numbered versions of a model; the newest is served; without it the shipped model",
    )
    main = parser.add_argument_group("main")
    main.add_argument(
        "--model_base_path", dest="base_path", metavar="MODEL_BASE_PATH", type=Path, help="the same, as TF Serving spells it"
    )
    main.add_argument("--model_name", help="name that clients ask for (default: the name of the folder)")
    main.add_argument(
        "--model_config_file",
        metavar="FILE",
        type=Path,
        help="models with their versions and labels, in TF Serving's format, in the place of MODEL_BASE_PATH",
    )
    main.add_argument(
        "--model_config_file_poll_wait_seconds",
        type=arguments.whole(0),
        default=0,
        metavar="N",
        help="read that file again so often; 0 = once (default: %(default)s)",
    )
    _add_switch(
        main,
        "--allow_version_labels_for_unavailable_models",
        "accept labels of versions that are not loaded yet, as a file has at the start",
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--port", type=arguments.port, default=8500, help="port of gRPC; 0 = any free one (default: %(default)s)"
    )
    network.add_argument(
        "--rest_api_port", type=arguments.port, default=8501, help="port of REST; 0 = any free one (default: %(default)s)"
    )
    network.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens the server to the network (default: %(default)s)"
    )
    network.add_argument(
        "--rest_api_timeout_in_ms",
        type=arguments.whole(0),
        default=30000,
        help="time limit of a REST prediction while it runs; 0 = none (default: %(default)s)",
    )
    _add_switch(network, "--rest_api_enable_cors_support", "let pages of other servers read the answers of REST")
    network.add_argument("--grpc_socket_path", metavar="PATH", help="listen for gRPC on a UNIX socket, too")
    network.add_argument("--ssl_config_file", metavar="FILE", type=Path, help="key and certificate for TLS on the port of gRPC")
    network.add_argument(
        "--rest_api_ssl_config_file",
        metavar="FILE",
        type=Path,
        help="the same for the port of REST, which TF Serving does not have",
    )
    load = parser.add_argument_group("load")
    load.add_argument(
        "--max_running",
        type=arguments.whole(1),
        default=1,
        metavar="N",
        help="predictions at a time, where they are not batched (default: %(default)s)",
    )
    load.add_argument(
        "--max_waiting",
        type=arguments.whole(0),
        default=128,
        metavar="N",
        help="predictions that may wait for their turn; more are refused with 503 (default: %(default)s)",
    )
    _add_switch(load, "--enable_batching", "make one run of the requests of several clients")
    load.add_argument("--batching_parameters_file", metavar="FILE", type=Path, help="sizes and times of batches")
    load.add_argument(
        "--monitoring_config_file", metavar="FILE", type=Path, help="where on the port of REST Prometheus reads the metrics"
    )


def _add_switch(group: "argparse._ArgumentGroup", flag: str, text: str) -> None:
    """A flag that is true alone or with "=true", as those of TF Serving are."""
    group.add_argument(
        flag, choices=("true", "false"), nargs="?", const="true", default="false", help=f"{text} (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    """Serves until SIGINT or SIGTERM; raises `UserError` when there is nothing to serve or a port is taken."""
    places = [path for path in (args.model_base_path, args.base_path, args.model_config_file) if path]
    if len(places) > 1:
        raise UserError("expected one of MODEL_BASE_PATH, --model_base_path and --model_config_file, got more")
    # Before TensorFlow's slow import, so that a wrong file or path and a busy port are reported immediately.
    options = _options(args)
    config = read_config(args.model_config_file) if args.model_config_file else None
    base_path = args.model_base_path or args.base_path
    if base_path:
        newest_version(base_path)
    _check_ports(args.host, {"--port": args.port, "--rest_api_port": args.rest_api_port})
    if config is None:
        base_path = base_path or shipped_export()
        config = single_model(args.model_name or base_path.resolve().name, base_path)
    from serving.server.pages import Pages
    from serving.server.server import EmbeddedServer

    names = [model.name for model in config.model_config_list.config]
    changes: queue.SimpleQueue[Version] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pages = Pages(STUDIO_FOLDERS, {f"/studio/{SETTINGS}": studio_settings(next(iter(names), "outfit_gan"))})
        server = EmbeddedServer(config, changes.put, pages=pages, **options)
    except StatusError as error:
        raise UserError(f"{args.model_config_file}: {error.message}") from None
    poll_sec = args.model_config_file_poll_wait_seconds if args.model_config_file else 0
    try:
        server.start()
        while True:
            try:
                _announce(changes.get(timeout=poll_sec or None), server, args)
            except queue.Empty:
                _reload(server.models, args.model_config_file)
    except StatusError as error:
        failed = [version for version in [changes.get() for _ in range(changes.qsize())] if version.error]
        if not failed:
            raise UserError(error.message) from None
        raise UserError(f"{failed[0].folder} does not load: {_first_line(failed[0].error)}; export it again") from None
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # Whoever does not want to wait for the calls under way asks again.
        server.stop()


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of `EmbeddedServer` that come from flags and from the files that they name; raises `UserError`."""
    batching = None
    if args.enable_batching == "true":
        batching = BatchingParameters(**(read_batching(args.batching_parameters_file) if args.batching_parameters_file else {}))
    elif args.batching_parameters_file:
        raise UserError("--batching_parameters_file needs --enable_batching")
    return {
        "host": args.host,
        "port": args.port,
        "rest_port": args.rest_api_port,
        "rest_timeout_ms": args.rest_api_timeout_in_ms or None,
        "allow_labels_early": args.allow_version_labels_for_unavailable_models == "true",
        "running": args.max_running,
        "waiting": args.max_waiting,
        "cors": args.rest_api_enable_cors_support == "true",
        "credentials": grpc_credentials(read_ssl(args.ssl_config_file)) if args.ssl_config_file else None,
        "rest_tls": tls_context(read_ssl(args.rest_api_ssl_config_file)) if args.rest_api_ssl_config_file else None,
        "socket_path": args.grpc_socket_path,
        "metrics_path": read_metrics_path(args.monitoring_config_file) if args.monitoring_config_file else None,
        "batching": batching,
    }


def _announce(version: Version, server: "EmbeddedServer", args: argparse.Namespace) -> None:
    """Says of a version that it has loaded, or why it has not."""
    name = version.model_name
    if version.error is None:
        rest = f"{'https' if args.rest_api_ssl_config_file else 'http'}://{args.host}:{server.rest_port}"
        print(
            f"serving {name} version {version.number}: gRPC {args.host}:{server.port}, REST {rest}/v1/models/{name}, "
            f"studio {rest}/studio",
            flush=True,
        )
    else:
        current = server.models[name].current
        stays = f", version {current.number} stays" if current else ""
        print(f"{name} version {version.number} does not load{stays}: {_first_line(version.error)}", flush=True)


def _reload(models: "Models", path: Path) -> None:
    """Takes a file as the configuration; says why where it cannot, and goes on."""
    try:
        models.reload(read_config(path))
    except (StatusError, ValueError) as error:
        print(f"{path} is not taken: {_first_line(error)}", flush=True)


def _check_ports(host: str, ports: dict[str, int]) -> None:
    """Binds all ports (by flag) together and releases them; `UserError` names the one that cannot be had."""
    with ExitStack() as probes:
        for flag, port in ports.items():
            try:
                probes.enter_context(socket.create_server((host, port)))
            except (OSError, OverflowError) as error:
                reason = (getattr(error, "strerror", None) or str(error)).partition(" (")[0]
                raise UserError(f"cannot listen on {host}:{port}: {reason}; choose another {flag} or --host") from None


def _first_line(error: object) -> str:
    return str(error).partition("\n")[0]
