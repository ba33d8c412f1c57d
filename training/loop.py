"""The training loop."""

import time
from pathlib import Path

from tf_outfit_gan import config as configs
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from training import schedule
from training.checkpoint import Checkpoints, clear_leftovers, truncate_logs
from training.distribute.strategy import Workers, make_strategy
from training.finetune import load_init
from training.input_pipeline import distributed_batches
from training.monitor.first_minutes import FirstMinutes
from training.monitor.image_grids import ImageGrids
from training.monitor.logger import Logger
from training.monitor.preemption import Stop
from training.monitor.snapshot_metrics import SnapshotMetrics
from training.monitor.watchdog import Watchdog
from training.retention import Retention
from training.run_config import keep_config
from training.run_options import RunOptions
from training.schedule import Stage
from training.step import Steps

_INTERVALS = ("tick", "checkpoint", "snapshot")
# Settings that may change on resume: none affects the result beyond rounding, but that micro_batch decides which pictures are
# neighbors, of whom one lends a mismatched photo its conditions.
_FREE = (
    "total_kimg",
    "steps_per_call",
    "micro_batch",
    "xla",
    "tf32",
    "deterministic",
    "recompute_from",
    "nonfinite",
    "stall_sec",
    "metrics_kimg",
    "keep_snapshots",
    "keep_training",
    "keep_grids",
    *(f"{what}_kimg" for what in _INTERVALS),
)
# A call into the graph lasts about this long at most: a run that is asked to stop does so after it.
CALL_SEC = 1.0


def train(folder, dataset, model_config, config, options=None, strategy=None):
    """Trains until `total_kimg`, or until the time is up; resumes where an earlier call in the same folder ended.

    Args:
        folder: of the run.
        dataset: a prepared `Dataset`.
        model_config, config: the `ModelConfig` and `TrainingConfig`.
        options: the `RunOptions`; None = the defaults.
        strategy: from `make_strategy`; None = the visible devices of this machine. The workers of a cluster all call
            this, with the same arguments and a folder that all of them see.

    Raises:
        UserError: when the data does not fit the model, or the folder holds a run with other settings.
        SystemExit: when a signal asked it to stop, after everything was saved.
    """
    options = options or RunOptions()
    folder = Path(folder)

    # Check and write down what this run is. Workers of a cluster do the same; what they would write alike, one writes.
    _check_data(dataset, model_config)
    strategy = strategy or make_strategy()
    workers = Workers(strategy)
    own_folder = folder if workers.chief else folder / "workers" / str(workers.index)
    own_folder.mkdir(parents=True, exist_ok=True)
    settings = {"model": configs.to_dict(model_config), "training": configs.to_dict(config)}
    workers.expect_same(**settings, data=dataset.checksum)
    news = keep_config(
        folder,
        dataset,
        settings,
        {name: getattr(options, name) for name in ("init", "preset", "overrides")},
        defaults={"model": configs.to_dict(configs.ModelConfig()), "training": configs.to_dict(configs.TrainingConfig())},
        free=_FREE,
        accept_data=options.accept_data,
        writes=workers.chief,
    )

    # Build everything, and remember what an earlier call learned.
    replicas = strategy.num_replicas_in_sync
    steps = Steps(strategy, model_config, config)
    checkpoints = Checkpoints(folder / "checkpoints", steps.memory())
    cur_nimg, trained_period, damages = checkpoints.restore(workers.chief)
    news += damages
    if options.init and trained_period < 0:
        news += load_init(steps, options.init)
    workers.expect_same(place=cur_nimg)
    clear_leftovers(own_folder)
    news += truncate_logs(own_folder, cur_nimg)
    total_nimg = round(config.total_kimg * 1000)
    quiet = options.quiet or not workers.chief
    logger = Logger(own_folder, total_nimg, quiet, model_config.size, options.started)
    metrics = SnapshotMetrics(folder, dataset, config, cur_nimg, options.inception, logger)
    grids = ImageGrids(dataset, model_config, config.seed)
    retention = Retention(folder, config)
    if workers.chief:
        grids.reals(folder / "reals.png")
        if not cur_nimg:
            logger.board.settings(settings["model"] | settings["training"])
        news.append(retention.forecast(steps.generator, steps.discriminator))
        if surplus := retention.surplus(metrics.best_kimgs):
            news.append(f"the next snapshot removes {len(surplus)} older ones or parts of them: see keep_snapshots; 0 keeps all")
    for line in news:
        logger.say(line)
    logger.say(f"{'resuming' if cur_nimg else 'training'} {folder} at {cur_nimg / 1000:.1f} kimg on {replicas} replica(s)")

    all_periods = schedule.periods(model_config, config, replicas)
    tick, checkpoint, snapshot = (_Due(cur_nimg, getattr(config, f"{what}_kimg")) for what in _INTERVALS)
    first_minutes = FirstMinutes(logger, model_config, all_periods, workers.on_processors)
    steps_per_call = StepsPerCall(config.steps_per_call)
    stream = iterator = None
    last = cur_nimg >= total_nimg
    with Stop(workers) as stop, logger, Watchdog(logger.say, config.stall_sec) as watchdog:
        while not last:
            # Where are we in the schedule?
            period = schedule.period_at(cur_nimg, all_periods)
            size, batch = period.size, period.batch
            stage = Stage(period.level, period.fading, batch // replicas, replicas, period.micro_batch)
            if period.index != trained_period:
                steps.reset_optimizers()
                trained_period = period.index
            steps.set_learning_rate(period.learning_rate)

            # Open the data at this level.
            if stream != (size, batch):
                stream = (size, batch)
                with logger.times.spent("opening the data"):
                    iterator = distributed_batches(
                        strategy, dataset, model_config, config, stage, cur_nimg, options.data_service, folder
                    )

            # Build the graph where the stage is new, and train some steps in one call, up to where something is due.
            if not steps.has_graph(stage):
                logger.say(f"building the graph for {format_size(size)} ({period.state})")
            called = time.monotonic()
            with watchdog.watching(steps.doing):
                steps.trace(stage, iterator)
                # As many as the slowest worker of a cluster has time for, and none if one of them is to stop.
                if most := workers.least(0 if stop.asked else steps_per_call.steps(stage)):
                    due = min(period.end_nimg, *(interval.next_nimg for interval in (tick, checkpoint, snapshot)))
                    count = min(most, -(-(due - cur_nimg) // batch))
                    statistics = steps.run(stage, iterator, count, cur_nimg, period.fade_nimg)
                    cur_nimg += count * batch
                    logger.add(stage, statistics, count, time.monotonic() - called)
                    steps_per_call.add(stage, count, time.monotonic() - called)

            # Log, save, or stop.
            spent_sec = time.monotonic() - options.started
            out_of_time = options.time_limit_sec is not None and spent_sec > options.time_limit_sec
            last = cur_nimg >= total_nimg or workers.any(stop.asked or out_of_time)
            if tick.at(cur_nimg) or last:
                logger.tick(cur_nimg, size, period.alpha(cur_nimg))
            first_minutes.update(period, cur_nimg)
            snapshot_due = (snapshot.at(cur_nimg) or last) and workers.chief
            if snapshot_due:
                drawn = snapshots.Snapshot(
                    model_config,
                    steps.average,
                    period.level,
                    period.alpha(cur_nimg),
                    cur_nimg,
                    training=(steps.generator, steps.discriminator),
                )
                path = folder / "snapshots" / drawn.name
                with logger.times.spent("snapshots"):
                    snapshots.save(path, drawn)
                if not stop.asked:  # Skip grids when preempted: the machine may be killed first.
                    with logger.times.spent("grids"):
                        logger.board.picture(cur_nimg, grids.fakes(folder, drawn))
            # The checkpoint comes last: a run that is killed before it does the rest again. There is one at the end of
            # each period, as the next one may take more memory than there is.
            checkpoint_due = (checkpoint.at(cur_nimg) or last or cur_nimg >= period.end_nimg) and workers.chief
            if checkpoint_due:
                with logger.times.spent("checkpoints"):
                    checkpoints.save(cur_nimg, trained_period)
            if options.saved and (snapshot_due or checkpoint_due):
                with logger.times.spent("copying to the bucket"):
                    for line in options.saved():
                        logger.warn(line)
            # Measuring may take long, and nothing is lost if it is cut short.
            if snapshot_due:
                with logger.times.spent("metrics"):
                    metrics.measure(path, drawn, lambda: stop.asked)
                for line in retention.prune(metrics.best_kimgs):
                    logger.say(line)
        stop.agree()  # No worker leaves before the chief has written everything.
    logger.say(logger.times.summary())
    logger.say(f"at {cur_nimg / 1000:g} of {config.total_kimg:g} kimg; newest snapshot: {snapshots.newest(folder)}")
    stop.leave()
    return cur_nimg


def _check_data(dataset, model_config):
    missing = [size for size in model_config.level_sizes if size not in dataset.levels]
    if missing:
        raise UserError(
            f"{dataset.path}: holds pictures up to {format_size(dataset.levels[-1])}, but the model needs "
            f"{format_size(missing[-1])}: prepare it with --size {format_size(model_config.size)}, or choose another preset"
        )
    condition_size = model_config.condition_size
    if model_config.conditional and condition_size not in dataset.article_levels:
        raise UserError(
            f"{dataset.path}: holds articles up to {format_size(dataset.article_levels[-1])}, but the model's condition_size is "
            f"{format_size(condition_size)}: prepare it with --article-size {format_size(condition_size)}"
        )
    if dataset.slots != model_config.slots:
        ours, theirs = ",".join(model_config.slots), ",".join(dataset.slots)
        raise UserError(f"{dataset.path}: its slots are {theirs}, the model's {ours}: prepare it with --slots {ours}")
    if model_config.conditional and not dataset.has_keypoints:
        raise UserError(f"{dataset.path}: some entries have no keypoints, which a conditional model needs")


class _Due:
    """Notices when the image count passes the next multiple of an interval."""

    def __init__(self, cur_nimg, interval_kimg):
        self._interval = max(round(interval_kimg * 1000), 1)
        self._passed = cur_nimg // self._interval

    @property
    def next_nimg(self):
        return (self._passed + 1) * self._interval

    def at(self, cur_nimg):
        before, self._passed = self._passed, cur_nimg // self._interval
        return self._passed > before


class StepsPerCall:
    """Learns how fast the steps of each stage are.

    Args:
        most: steps of a call, however fast they are.
    """

    def __init__(self, most):
        self._most, self._steps = most, {}

    def steps(self, stage):
        """How many steps the next call should have: one where nothing is known yet."""
        return self._steps.get(stage, 1)

    def add(self, stage, steps, seconds):
        """Takes how long the steps of a call took."""
        self._steps[stage] = max(1, min(self._most, int(CALL_SEC * steps / seconds)))
