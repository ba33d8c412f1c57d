"""The batches of a run, dealt to its replicas."""

import tensorflow as tf

from tf_outfit_gan.data.pipeline import compact_batches
from training.data_service import from_data_service


def distributed_batches(strategy, dataset, model_config, config, stage, cur_nimg, data_service, folder):
    """An iterator of distributed batches that starts after the `cur_nimg` entries which the run has consumed.

    Args:
        strategy: whose replicas take them; each process of a cluster reads shards of its own.
        stage: the `Stage`: the level, and how many pictures a replica takes.
        data_service: address of a tf.data service that reads and decodes; None = this machine does.
        folder: of the run, which names the service's job.
    """
    size = model_config.level_sizes[stage.level]

    def replica_batches(context):
        index, count = context.input_pipeline_id, context.num_input_pipelines
        place = {"start": cur_nimg // count, "shard": (index, count)}
        if data_service:  # It deals one stream to all.
            place = {"start": cur_nimg}
        stream = compact_batches(
            dataset,
            "train",
            size,
            model_config.condition_size if model_config.conditional else None,
            stage.replica_batch,
            seed=config.seed,
            mirror=config.mirror,
            replicas=stage.replicas // count,
            **place,
        )
        if data_service:
            stream = from_data_service(stream, data_service, f"{folder.resolve()} {stage} {cur_nimg}")
        # Ids are texts, which accelerators do not take.
        stream = stream.map(lambda batch: {name: value for name, value in batch.items() if name != "ids"})
        # Or the workers of a cluster would ask each other before every step whether all have a batch.
        return stream.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))

    return iter(strategy.distribute_datasets_from_function(replica_batches))
