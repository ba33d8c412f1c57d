"""The verb `outfit-gan train`: trains a model on prepared data. The same command resumes it."""

import contextlib
import dataclasses
import shlex
import sys
import time
from pathlib import Path

from tf_outfit_gan.config import PRESETS, from_preset, to_json
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.util.errors import UserError
from training import schedule
from training.data_service import check_address
from training.distribute.cluster import resolve
from training.finetune import resolve_init
from training.run_folder import explain_full_disk, locked
from training.run_options import ACCEPT_DATA_HELP, RunOptions


def add_arguments(parser):
    main = parser.add_argument_group("main")
    main.add_argument("folder", metavar="RUN", help="the run's folder: checkpoints, snapshots, grids, statistics")
    main.add_argument("--data", required=True, help="a data set from 'outfit-gan prepare'")
    main.add_argument("--preset", default="256x192", help=f"one of {', '.join(PRESETS)} (default: %(default)s)")
    main.add_argument("--init", metavar="SNAPSHOT", help="start from another model: a snapshot, or a run's newest one")
    main.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the preset")
    main.add_argument("--accept-data", action="store_true", help=ACCEPT_DATA_HELP)
    main.add_argument("--dry-run", action="store_true", help="show the settings and the schedule, and stop")
    main.add_argument(
        "--replicas",
        type=int,
        default=1,
        metavar="N",
        help="with --dry-run: the schedule of a training on so many GPUs (default: %(default)s)",
    )
    parser.add_argument("--time-limit", type=float, metavar="MINUTES", help="stop after this long, with a snapshot")
    parser.add_argument(
        "--data-service",
        metavar="ADDRESS",
        help="let a tf.data service at grpc://HOST:PORT read and decode (default: this machine does)",
    )
    parser.add_argument(
        "--inception",
        metavar="FILE",
        help="with metrics_kimg: measure with these InceptionV3 weights, as "
        "'outfit-gan evaluate' does (default: untrained features, which do not give the standard score)",
    )
    machines = parser.add_argument_group("devices and clusters")
    machines.add_argument(
        "--devices", metavar="NAMES", help="cpu, gpu (all of them) or gpu:0,gpu:2 (default: the GPUs, if there are any)"
    )
    machines.add_argument(
        "--cross-device",
        choices=("nccl", "hierarchical", "reduce-to-one", "ring"),
        help="how replicas add their gradients up; in a cluster nccl or ring, else one of the first "
        "three (default: nccl on GPUs)",
    )
    machines.add_argument(
        "--cluster",
        metavar="HOSTS",
        help="machines that train together, such as gpu[01-04]:8888, "
        "the same on each of them; none = alone (default: TF_CONFIG, or the tasks of srun, or alone)",
    )
    machines.add_argument(
        "--cluster-timeout",
        type=float,
        default=10,
        metavar="MINUTES",
        help="how long they wait for each other, at the start and when one is lost (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="nothing on the terminal; log.txt has it all")


def run(args):
    started = time.monotonic()
    if any(setting.startswith("slots=") for setting in args.set):
        raise UserError("--set slots: a model has the slots of its data; name them in `outfit-gan prepare --slots`")
    folder, (model_config, config) = Path(args.folder), from_preset(args.preset, args.set)
    if not args.dry_run:
        dataset = open_dataset(args.data)
        model_config = dataclasses.replace(model_config, slots=dataset.slots)
    chosen = any(setting.startswith("start_level=") for setting in args.set)
    init, config = resolve_init(folder, args.init, model_config, config, chosen)
    if args.time_limit is not None and args.time_limit <= 0:
        raise UserError(f"--time-limit {args.time_limit}: expected minutes above 0")
    if args.replicas < 1:
        raise UserError(f"--replicas {args.replicas}: expected at least 1")
    if args.cluster_timeout <= 0:
        raise UserError(f"--cluster-timeout {args.cluster_timeout}: expected minutes above 0")
    if args.dry_run:
        plan = schedule.table(model_config, config, args.replicas)
        print(to_json(model_config), to_json(config), f"\nOn {args.replicas} replica(s):", plan, sep="\n")
        return

    # A mistake is reported before TensorFlow's import, which takes seconds.
    cluster = resolve(args.cluster)
    if args.data_service:
        check_address(args.data_service)
    time_limit_sec = None if args.time_limit is None else args.time_limit * 60
    if cluster:
        cluster.check_port()
    # Of a cluster, its chief holds the folder for all.
    lock = locked(folder) if cluster is None or cluster.index == 0 else contextlib.nullcontext()
    with lock, explain_full_disk(folder):
        from training.distribute.devices import choose_devices
        from training.distribute.restart import Restart
        from training.distribute.strategy import make_strategy
        from training.loop import train

        choose_devices(args.devices)
        with Restart(cluster, args.cluster_timeout * 60, time_limit_sec, started) as restart:
            strategy = make_strategy(cluster, args.cross_device)
            restart.connected()
            options = RunOptions(
                time_limit_sec=time_limit_sec,
                quiet=args.quiet,
                data_service=args.data_service,
                inception=args.inception,
                accept_data=args.accept_data,
                init=init,
                started=started,
                preset=args.preset,
                overrides=tuple(args.set),
                command=shlex.join(["outfit-gan", *sys.argv[1:]]),
            )
            train(folder, dataset, model_config, config, options, strategy)
