"""Work shared out by an Apache Beam runner: to Dataflow, Flink, Spark, or processes of this machine.

Tasks and their results travel through files of a folder that all workers see: a large plan is more than a runner takes as
part of its pipeline. Workers start in other folders, so the paths in a task are absolute.
"""

import pickle
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import RemotePath, as_path


def share_out(
    work: Callable[..., Any],
    tasks: Iterable[Any],
    folder: Path | RemotePath,
    options: Sequence[str],
    counter: tuple[str, str],
) -> list[Any]:
    """Calls `work(task, advance)` on Beam's workers, once for each task or more often; returns what the calls return.

    Args:
        work: a function of a module; `advance(count=1)` reports progress.
        tasks: what `pickle` can write, as it can the results.
        folder: an absolute path, where a hidden folder is made for the time of the pipeline.
        options: Beam's own, such as ["--runner=FlinkRunner", "--flink_master=localhost:8081"].
        counter: namespace and name of the counter that Beam shows the progress with.

    Raises:
        UserError: when Beam is not installed.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError:
        hint = "install it with: pip install 'tf-outfit-gan[beam]'"
        raise UserError(f"--beam: needs Apache Beam, found none; {hint}") from None

    plan, files = folder / f".plan-{uuid.uuid4().hex}", []
    plan.mkdir()
    try:
        for number, task in enumerate(tasks):
            files.append(str(plan / f"{number:06d}"))
            write_whole(as_path(files[-1]), pickle.dumps((work, task, counter)))
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            pipeline | beam.Create(files) | beam.Reshuffle() | beam.Map(_do)
        return [pickle.loads(_result(file).read_bytes()) for file in files]
    finally:
        for file in files:
            as_path(file).unlink(missing_ok=True)
            _result(file).unlink(missing_ok=True)
        if isinstance(plan, Path):
            plan.rmdir()


def _do(file: str) -> None:
    """Does the task in a file of the plan: what a Beam worker does."""
    from apache_beam.metrics import Metrics

    work, task, counter = pickle.loads(as_path(file).read_bytes())
    write_whole(_result(file), pickle.dumps(work(task, Metrics.counter(*counter).inc)))


def _result(file: str) -> Path | RemotePath:
    return as_path(f"{file}.result")
