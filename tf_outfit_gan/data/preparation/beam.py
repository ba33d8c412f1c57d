"""Shards made by the workers of an Apache Beam runner: Dataflow, Flink, Spark, or processes of this machine.

A worker makes whole shards, with the function that a process of `prepare` calls, so the bytes are the same. It finds
the catalogue and the data set in the folders where the launching machine finds them: on a file system that they share.
"""

import pickle
import uuid
from pathlib import Path

from tf_outfit_gan.data.preparation.shards import make_shard
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path


def make_on_beam(job, shards, options):
    """Makes the shards of a job, whose paths are absolute, by a Beam pipeline, and returns when all are made.

    Args:
        options: list of Beam's own options, such as ["--runner=FlinkRunner", "--flink_master=localhost:8081"].

    Beam's counter "prepare: entries" shows the progress. Raises `UserError` when Beam is not installed.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError:
        hint = "install it with: pip install 'tf-outfit-gan[beam]'"
        raise UserError(f"--beam: needs Apache Beam, found none; {hint}") from None

    # Entries travel through files: those of a large catalogue are more than a runner takes as part of its pipeline.
    folder = job.data / f".plan-{uuid.uuid4().hex}"
    folder.mkdir()
    files = [str(folder / shard.done_file(job.data).stem) for shard in shards]
    try:
        for file, shard in zip(files, shards):
            write_whole(as_path(file), pickle.dumps((job, shard)))
        with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
            pipeline | beam.Create(files) | beam.Reshuffle() | beam.Map(_make)
    finally:
        for file in files:
            as_path(file).unlink(missing_ok=True)
        if isinstance(folder, Path):
            folder.rmdir()


def _make(file):
    """Makes the shard that a file of the plan describes: what a Beam worker does."""
    from apache_beam.metrics import Metrics

    job, shard = pickle.loads(as_path(file).read_bytes())
    make_shard(job, shard, Metrics.counter("prepare", "entries").inc)
