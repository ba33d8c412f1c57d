"""Reading and decoding, timed against decoding alone, and against decoding into batches; and the table of it."""

import statistics
import time

import tensorflow as tf
from rich.console import Console
from rich.table import Table

from tf_outfit_gan.data.pipeline import compact_batches, decode_article, decode_jpeg, decode_picture, decode_raw, stored_entries
from tf_outfit_gan.data.records import is_raw
from tf_outfit_gan.sizes import format_size
from training.data_service import from_data_service
from training.monitor.memory import resident_bytes

UNROLLED = 64  # JPEGs that one graph call of the limit decodes.
_MIB = 1 << 20


def measure_input(dataset, split, image_size, condition_size, batch, examples, repeats, data_service=None):
    """Times the training stream of one pair of sizes, and the limit, in alternation.

    Args:
        dataset: a prepared `Dataset`.
        split: of it.
        image_size, condition_size: (height, width); condition_size None = photos alone.
        batch: entries a batch.
        examples: entries a round, rounded up to whole batches.
        repeats: rounds.
        data_service: address of a tf.data service; None = this machine reads.

    Returns:
        A dictionary for JSON. Times are milliseconds an entry, {"median", "min"} over the rounds: of the processors,
        all cores together; of the clock for a service, whose processors are others.
    """
    clock = time.perf_counter if data_service else time.process_time
    batches = -(-examples // batch)
    memory_before = resident_bytes()
    stream = compact_batches(dataset, split, image_size, condition_size, batch, seed=0, mirror=True)
    if data_service:
        stream = from_data_service(stream, data_service, f"benchmark {dataset.path} {image_size} {time.time()}")
    iterator = iter(stream)

    def feed():
        """Takes a round; its cost holds what is then computed ahead, as the round before paid for what is ready."""
        for _ in range(batches):
            next(iterator)
        if not data_service:
            _wait_until_idle()

    feed()
    memory_after = resident_bytes()
    limit = Limit(dataset, split, image_size, condition_size, examples)
    batched = Batched(dataset, split, image_size, condition_size, batch, examples)
    calls = {"feed": (feed, batches * batch), "limit": (limit, limit.entries), "batched": (batched, batched.entries)}
    limit()
    batched()
    ms = {name: [] for name in calls}
    for _ in range(repeats):
        for name, (call, count) in calls.items():
            started = clock()
            call()
            ms[name].append((clock() - started) / count * 1e3)
    summary = {name: {"median": statistics.median(times), "min": min(times)} for name, times in ms.items()}
    return {
        "photos": format_size(image_size),
        "articles": condition_size and format_size(condition_size),
        "articles_an_entry": limit.articles_an_entry,
        "batch": batch,
        "examples": batches * batch,
        "repeats": repeats,
        "data_service": data_service,
        "feed_ms": summary["feed"],
        "limit_ms": summary["limit"],
        "batched_ms": summary["batched"],
        "examples_per_sec_a_core": {which: 1e3 / value for which, value in summary["feed"].items()},
        "limit_ratio": {which: summary["limit"][which] / summary["feed"][which] for which in ("median", "min")},
        "batched_ratio": {which: summary["batched"][which] / summary["feed"][which] for which in ("median", "min")},
        "memory_mib": {"pipeline": (memory_after - memory_before) / _MIB, "process": memory_after / _MIB},
    }


class Limit:
    """Decodes pictures that lie in memory, and does nothing else; entries without an article have none to decode.

    Args:
        dataset, split, image_size, condition_size: as of `measure_input`.
        examples: how many entries at most.
    """

    def __init__(self, dataset, split, image_size, condition_size, examples):
        found = list(stored_entries(dataset, split, image_size, condition_size).take(examples).as_numpy_iterator())
        kinds = [(image_size, [entry["image"] for entry in found])]
        if condition_size:
            kinds.append((condition_size, [one for entry in found for one in entry["articles"] if one]))
        self.entries = len(found)
        self.articles_an_entry = len(kinds[1][1]) / self.entries if condition_size else 0
        self._calls = [call for size, strings in kinds for call in self._chunks(size, strings)]

    def __call__(self):
        for decode, strings in self._calls:
            decode(strings)

    @staticmethod
    def _chunks(size, strings):
        @tf.function
        def decode(strings):
            if is_raw(size):
                return decode_raw(strings, size)
            # A pixel of each result is asked for: else it would not be computed.
            return tf.stack([decode_jpeg(one)[0, 0] for one in tf.unstack(strings)])

        return [(decode, tf.constant(strings[start : start + UNROLLED])) for start in range(0, len(strings), UNROLLED)]


class Batched:
    """Decodes entries that lie in memory into batches as the stream gives them: the limit of any reader that gives batches.

    Args:
        dataset, split, image_size, condition_size, batch, examples: as of `measure_input`.
    """

    def __init__(self, dataset, split, image_size, condition_size, batch, examples):
        stream = stored_entries(dataset, split, image_size, condition_size).take(examples).batch(batch)
        self._batches = [
            (entries["image"], entries["articles"] if condition_size else tf.zeros([len(entries["image"]), 0], tf.string))
            for entries in stream
        ]
        self.entries = sum(len(images) for images, _ in self._batches)

        @tf.function
        def decode(images, articles):
            slots = [[decode_article(one, condition_size) for one in tf.unstack(slot)] for slot in tf.unstack(articles, axis=1)]
            return tf.stack([decode_picture(one, image_size) for one in tf.unstack(images)]), tuple(map(tf.stack, slots))

        self._decode = decode

    def __call__(self):
        for images, articles in self._batches:
            self._decode(images, articles)


def show_input(figures):
    """Prints a table of what `measure_input` returned."""
    table = Table(title="input pipeline, examples a second" + ("" if figures[0]["data_service"] else " a core"))
    for name in ("photos", "articles", "an entry", "examples/s", "decoding alone", "into batches", "memory"):
        table.add_column(name, justify="right")
    for found in figures:
        table.add_row(
            found["photos"],
            found["articles"] or "-",
            f"{found['articles_an_entry']:.1f}",
            f"{1e3 / found['feed_ms']['median']:,.0f}",
            f"{1e3 / found['limit_ms']['median']:,.0f}, {found['limit_ratio']['median']:.0%}",
            f"{1e3 / found['batched_ms']['median']:,.0f}, {found['batched_ratio']['median']:.0%}",
            f"{found['memory_mib']['pipeline']:,.0f} MiB",
        )
    Console().print(table)


def _wait_until_idle():
    """Waits until the pipeline has filled its buffers and is idle."""
    spent = 1
    while spent > 0.002:
        started = time.process_time()
        time.sleep(0.1)
        spent = time.process_time() - started
