"""`outfit-gan serve`: answers TF Serving's gRPC and REST calls from a SavedModel, without TF Serving.

For a laptop, a demonstration and the tests: the answers are TF Serving's, its batching, metrics and TLS are not here.
"""

import argparse
import queue
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from serving.cli.shipped_export import shipped_export
from serving.model_config import read_config, single_model
from serving.server.errors import StatusError, UserError
from serving.server.versions import Version, newest_version
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
    main.add_argument(
        "--allow_version_labels_for_unavailable_models",
        choices=("true", "false"),
        nargs="?",
        const="true",
        default="false",
        help="accept labels of versions that are not loaded yet, as a file has at the start (default: %(default)s)",
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
        help="time limit of a REST prediction; 0 = none (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Serves until SIGINT or SIGTERM; raises `UserError` when there is nothing to serve or a port is taken."""
    if args.model_base_path and args.model_config_file:
        raise UserError("expected either MODEL_BASE_PATH or --model_config_file, got both")
    # Before TensorFlow's slow import, so that a wrong path and a busy port are reported immediately.
    config = read_config(args.model_config_file) if args.model_config_file else None
    if args.model_base_path:
        newest_version(args.model_base_path)
    _check_ports(args.host, {"--port": args.port, "--rest_api_port": args.rest_api_port})
    if config is None:
        base_path = args.model_base_path or shipped_export()
        config = single_model(args.model_name or base_path.resolve().name, base_path)
    from serving.server.pages import Pages
    from serving.server.server import EmbeddedServer

    names = [model.name for model in config.model_config_list.config]
    changes: queue.SimpleQueue[Version] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server = EmbeddedServer(
            config,
            changes.put,
            args.host,
            args.port,
            args.rest_api_port,
            args.rest_api_timeout_in_ms or None,
            allow_labels_early=args.allow_version_labels_for_unavailable_models == "true",
            pages=Pages(STUDIO_FOLDERS, {f"/studio/{SETTINGS}": studio_settings(next(iter(names), "outfit_gan"))}),
        )
    except StatusError as error:
        raise UserError(f"{args.model_config_file}: {error.message}") from None
    poll_sec = args.model_config_file_poll_wait_seconds if args.model_config_file else 0
    try:
        server.start()
        while True:
            try:
                _announce(changes.get(timeout=poll_sec or None), server, args.host)
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


def _announce(version: Version, server: "EmbeddedServer", host: str) -> None:
    """Says of a version that it has loaded, or why it has not."""
    name = version.model_name
    if version.error is None:
        rest = f"http://{host}:{server.rest_port}"
        print(
            f"serving {name} version {version.number}: gRPC {host}:{server.port}, REST {rest}/v1/models/{name}, "
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
