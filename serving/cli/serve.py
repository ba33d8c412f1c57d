"""`outfit-gan serve`: answers TF Serving's gRPC and REST calls from a SavedModel, without TF Serving.

For a laptop, a demonstration and the tests: the answers are TF Serving's, its batching, metrics and TLS are not here.
"""

import argparse
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

from serving.cli.shipped_export import shipped_export
from serving.server.errors import UserError
from serving.server.versions import Version, newest_version
from serving.studio import SETTINGS, STUDIO_FOLDERS, studio_settings
from tf_outfit_gan.cli import arguments

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
    main.add_argument("--model_name", help="name that clients ask for (default: the name of the folder)")
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
        help="time limit of a REST prediction; 0 = none (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Serves until SIGINT or SIGTERM; raises `UserError` when there is nothing to serve or a port is taken."""
    # Before TensorFlow's slow import, so that a wrong path and a busy port are reported immediately.
    if args.model_base_path:
        newest_version(args.model_base_path)
    _check_ports(args.host, {"--port": args.port, "--rest_api_port": args.rest_api_port})
    model_base_path = args.model_base_path or shipped_export()
    from serving.server.pages import Pages
    from serving.server.server import EmbeddedServer

    model_name = args.model_name or model_base_path.resolve().name
    stop = threading.Event()
    failed: list[Version] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def announce(version: Version) -> None:
        if version.error is None:
            print(
                f"serving {model_name} version {version.number}: gRPC {args.host}:{server.port}, "
                f"REST http://{args.host}:{server.rest_port}/v1/models/{model_name}, "
                f"studio http://{args.host}:{server.rest_port}/studio",
                flush=True,
            )
        elif server.versions.current is None:
            failed.append(version)
            stop.set()
        else:
            print(
                f"{model_name} version {version.number} does not load, version {server.versions.current.number} "
                f"stays: {_first_line(version.error)}",
                flush=True,
            )

    server = EmbeddedServer(
        model_name,
        model_base_path,
        announce,
        args.host,
        args.port,
        args.rest_api_port,
        args.rest_api_timeout_in_ms or None,
        pages=Pages(STUDIO_FOLDERS, {f"/studio/{SETTINGS}": studio_settings(model_name)}),
    )
    server.start()
    stop.wait()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # Whoever does not want to wait for the calls under way asks again.
    server.stop()
    if failed:
        raise UserError(f"{failed[0].folder} does not load: {_first_line(failed[0].error)}; export it again")


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
