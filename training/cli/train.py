"""The verb `outfit-gan train`: trains a model on prepared data. The same command resumes it."""

import contextlib
import dataclasses
import json
import time

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.config import to_dict, to_json
from tf_outfit_gan.data.records import open_dataset, reading
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path, local_only
from training import schedule
from training.bucket import local_folder, opened
from training.cli.settings import add_settings, settings_of
from training.data_service import check_address
from training.distribute.cluster import resolve
from training.finetune import resolve_init
from training.run_folder import explain_full_disk
from training.run_options import ACCEPT_DATA_HELP, RunOptions

EXAMPLE = "runs/dolls --data data --preset 256x192 --set seed=1"
REMOTE = ("folder", "data", "init", "config")


def add_arguments(parser):
    parser.add_argument(
        "folder", metavar="RUN", help="the run's folder: checkpoints, snapshots, grids, statistics; may lie in a bucket"
    )
    main = parser.add_argument_group("main")
    main.add_argument("--data", required=True, help="a data set from 'outfit-gan prepare'")
    main.add_argument("--init", metavar="SNAPSHOT", help="start from another model: a snapshot, or a run's newest one")
    main.add_argument("--accept-data", action="store_true", help=ACCEPT_DATA_HELP)
    main.add_argument("--time-limit", type=arguments.above_zero, metavar="MINUTES", help="stop after this long, with a snapshot")
    main.add_argument(
        "--inception",
        metavar="FILE",
        help="with metrics_kimg: measure with these InceptionV3 weights, as "
        "'outfit-gan evaluate' does (default: untrained features, not comparable with published FID)",
    )
    add_settings(parser.add_argument_group("settings"), "256x192")
    dry_run = parser.add_argument_group("dry run")
    dry_run.add_argument("--dry-run", action="store_true", help="show the settings, the schedule and what it needs, and stop")
    dry_run.add_argument("--json", action="store_true", help="with --dry-run: write the settings alone, as --config reads them")
    dry_run.add_argument(
        "--replicas",
        type=arguments.positive,
        default=1,
        metavar="N",
        help="with --dry-run: the schedule of a training on so many GPUs (default: %(default)s)",
    )
    machines = parser.add_argument_group("devices and clusters")
    machines.add_argument(
        "--devices", metavar="NAMES", help="cpu, gpu (all of them) or gpu:0,gpu:2 (default: the GPUs, if there are any)"
    )
    machines.add_argument(
        "--cross-device",
        choices=("nccl", "hierarchical", "reduce-to-one", "ring"),
        help="gradient all-reduce: nccl, hierarchical or reduce-to-one on one machine, nccl or ring in a cluster "
        "(default: nccl on GPUs)",
    )
    machines.add_argument(
        "--cluster",
        metavar="HOSTS",
        help="machines that train together, such as gpu[01-04]:8888, "
        "the same on each of them; none = alone (default: TF_CONFIG, or the tasks of srun, or alone)",
    )
    machines.add_argument(
        "--cluster-timeout",
        type=arguments.above_zero,
        default=10,
        metavar="MINUTES",
        help="how long workers wait for each other, at the start and when one is lost (default: %(default)s)",
    )
    machines.add_argument(
        "--data-service",
        metavar="ADDRESS",
        help="let a tf.data service at grpc://HOST:PORT read and decode (default: this machine does)",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--quiet", action="store_true", help="nothing on the terminal; log.txt has it all")


def run(args):
    started = time.monotonic()
    if args.json and not args.dry_run:
        raise UserError("--json: writes the settings of a dry run; add --dry-run")
    place, (model_config, config, chosen) = as_path(args.folder), settings_of(args)
    if any(setting.startswith("slots=") for setting in args.set):
        raise UserError("--set slots: a model has the slots of its data; name them in `outfit-gan prepare --slots`")
    if not args.dry_run:  # A mistake is reported before TensorFlow's import, which takes seconds.
        cluster = resolve(args.cluster)
        if cluster:
            local_only(place, "a run of several machines")
        dataset = open_dataset(args.data)
        if "slots" in chosen and model_config.slots != dataset.slots:
            raise UserError(
                f"{args.config}: slots {','.join(model_config.slots)}: expected those of {args.data}, {','.join(dataset.slots)}"
            )
        model_config = dataclasses.replace(model_config, slots=dataset.slots)
    init, config = resolve_init(place, args.init, model_config, config, "start_level" in chosen)
    if args.dry_run:
        if args.json:
            model = {name: value for name, value in to_dict(model_config).items() if name != "slots"}  # The data has them.
            print(json.dumps({"model": model, "training": to_dict(config)}, indent=2))
            return
        plan = schedule.table(model_config, config, args.replicas)
        print(to_json(model_config), to_json(config), f"\nOn {args.replicas} replica(s):", plan, sep="\n", flush=True)
        _show_needs(local_folder(place), model_config, config, args.devices)
        return

    if args.data_service:
        check_address(args.data_service)
    time_limit_sec = args.time_limit and args.time_limit * 60
    if cluster:
        cluster.check_port()
    # Of a cluster, its chief holds the folder for all.
    held = opened(place, args.quiet) if cluster is None or cluster.index == 0 else contextlib.nullcontext((place, None))
    with held as (folder, saved), reading(dataset), explain_full_disk(folder):
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
                saved=saved,
                started=started,
                preset=None if args.config else args.preset,
                overrides=tuple(args.set),
            )
            train(folder, dataset, model_config, config, options, strategy)


def _show_needs(folder, model_config, config, devices):
    """Prints what a run needs of memory and disk; raises `UserError` where there are no such devices."""
    from tf_outfit_gan.networks import build_networks
    from training.distribute.devices import choose_devices
    from training.retention import Retention, memory_forecast

    choose_devices(devices)
    networks = build_networks(model_config)
    print("", memory_forecast(*networks), Retention(folder, config).forecast(*networks), sep="\n")
