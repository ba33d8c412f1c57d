"""`outfit-gan rollout`: lets a version take over on running servers, watches it, and goes back where it fails."""

import argparse
import signal
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.errors import UserError

EXAMPLE = "localhost:8500 --model_config_file serving/deploy/config/models.config --version 8"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "host_ports", metavar="HOST:PORT", nargs="+", help="the gRPC ports of all servers that have the configuration"
    )
    main = parser.add_argument_group("main")
    main.add_argument(
        "--model_config_file",
        metavar="FILE",
        type=Path,
        required=True,
        help="the file that the servers were started with; it is written when all has gone well",
    )
    main.add_argument("--model_name", default="outfit_gan", help="which model of it (default: %(default)s)")
    main.add_argument("--version", type=arguments.whole(1), required=True, metavar="N", help="the version that takes over")
    main.add_argument(
        "--labels",
        type=_labels,
        default=("canary", "stable"),
        metavar="A,B",
        help="the labels that move to it, in this order (default: canary,stable)",
    )
    watching = parser.add_argument_group("watching")
    watching.add_argument(
        "--watch-sec",
        type=arguments.number(0),
        default=30,
        metavar="SEC",
        help="how long requests are sent to a label that has moved, five at least (default: %(default)s)",
    )
    watching.add_argument(
        "--max-latency-ratio",
        type=arguments.number(0),
        default=1.5,
        metavar="R",
        help="the median time of a request, in times of the version before (default: %(default)s)",
    )
    watching.add_argument(
        "--timeout-sec",
        type=arguments.number(1),
        default=600,
        metavar="SEC",
        help="limit of loading the version (default: %(default)s)",
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--tls-ca", metavar="FILE", type=Path, help="PEM file of who signed the servers' certificates; without it no TLS"
    )


def _labels(text: str) -> tuple[str, ...]:
    labels = tuple(text.split(","))
    if "" in labels or len(set(labels)) < len(labels):
        raise argparse.ArgumentTypeError(f"expected labels such as canary,stable, got {text!r}")
    return labels


def run(args: argparse.Namespace) -> None:
    try:
        certificates = args.tls_ca.read_bytes() if args.tls_ca else None
    except OSError as error:
        raise UserError(f"--tls-ca {args.tls_ca}: {error.strerror}; expected a PEM file") from None
    from serving.rollout import Plan, ServerProcess, roll_out

    # Whoever ends it does not want half of a rollout.
    terminate = signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = Plan(
        args.model_config_file,
        args.model_name,
        args.version,
        args.labels,
        args.watch_sec,
        args.max_latency_ratio,
        args.timeout_sec,
    )
    servers = [ServerProcess(host_port, certificates) for host_port in args.host_ports]
    try:
        roll_out(servers, plan, lambda line: print(line, flush=True))
    finally:
        signal.signal(signal.SIGTERM, terminate)
        for server in servers:
            server.close()
