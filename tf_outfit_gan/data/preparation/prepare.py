"""A catalogue becomes training records at every level of resolution.

Entries are dealt to shards in the order of a hash of their ids: the plan depends on the catalogue alone, and what lies
together in it does not lie together in training. Processes make shards, each one whole; a shard counts as made when a
file says so that is written after its records. So a rerun after a kill continues with the shards that are missing, and
the bytes are the same whatever the number of processes, tasks, machines or interruptions.
"""

import hashlib
import os
import statistics
from dataclasses import dataclass, replace
from functools import partial

from tf_outfit_gan.data import importers, records
from tf_outfit_gan.data.fitness import manifest_findings
from tf_outfit_gan.data.preparation.encode import Encoding
from tf_outfit_gan.data.preparation.shards import Job, finalize, finalized, make_all, make_shard, plan_shards
from tf_outfit_gan.data.preparation.split import split_off
from tf_outfit_gan.data.preparation.update import bring_up_to_date
from tf_outfit_gan.images.color_profile import read_cmyk_profile
from tf_outfit_gan.images.open import MAX_PIXELS, image_size
from tf_outfit_gan.sizes import default_size, format_size, levels_of
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.beam import share_out
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path, is_url

# Articles are stored up to this (height, width): the presets' models see them at 128x96 at most.
ARTICLE_SIZE = (256, 192)

# The default size of photos is no larger; and it is that of the median of so many photos, spread over the catalogue.
MOST_BY_DEFAULT, PHOTOS_ASKED = (1024, 768), 101


@dataclass(frozen=True)
class Preparation:
    """The settings of a data set.

    Attributes:
        size: (height, width) of the largest level; None for the largest up to the median photo's, and to `MOST_BY_DEFAULT`.
        format: one of `importers.FORMATS`; None for that of the folder, where it is plain.
        strict: a bad entry is an error, and not set aside.
        pose_model: file or folder of an estimator for entries without keypoints; None leaves them without.
        slots: names of the articles' slots, in the order in which models see them.
        article_size: (height, width); articles are stored at the levels whose longer side is no longer than its.
        max_pixels: an entry with a larger picture is set aside.
        require_pose: an entry without a pose is set aside.
        framing: what of a photo is shown, one of `framing.FRAMINGS`.
        test_share: makes a test split of about this share of the entries, see `split_off`; None = as the catalogue says.
        update: brings a data set up to date with its catalogue, see `update.bring_up_to_date`.
        cmyk_profile: file with the ICC profile of CMYK pictures that have none; None = by the plain formula.
    """

    size: tuple[int, int] | None = None
    format: str | None = None
    strict: bool = False
    pose_model: str | os.PathLike[str] | None = None
    slots: tuple[str, ...] = SLOTS
    article_size: tuple[int, int] = ARTICLE_SIZE
    max_pixels: int = MAX_PIXELS
    require_pose: bool = False
    framing: str = "pad"
    test_share: float | None = None
    update: bool = False
    cmyk_profile: str | os.PathLike[str] | None = None


def prepare(source, data, size=None, *, workers=None, task=None, beam=None, quiet=False, **how):
    """Writes the records of the catalogue `source` to the folder `data` and returns the opened `Dataset`.

    Args:
        workers: processes; None for one a core, or fewer for a small catalogue.
        task: (index, count) makes the index-th of count parts of the shards. Whoever makes the last shard that was
            missing finalizes the data set; the others return None.
        beam: list of options of Apache Beam, whose workers then make the shards; None for processes of this machine.
        size, how: see `Preparation`.

    Does nothing when `data` is whole and made from the same manifest. Raises `UserError` for a missing manifest, a size
    outside the family, a `data` folder made from something else, no good entry at all, and, when `strict`, any bad one.
    """
    how = Preparation(size, **how)
    if beam is not None:  # Its workers start in other folders.
        source, data, pose_model = (
            path if not path or is_url(path) else os.path.abspath(path) for path in (source, data, how.pose_model)
        )
        how = replace(how, pose_model=pose_model)
    job, manifest, shards = plan(source, data, how)
    for finding in manifest_findings(manifest):
        print(f"warning: {finding}")
    if how.update and records.is_dataset(job.data):
        return bring_up_to_date(job, manifest, workers, quiet)
    dataset = finalized(job)
    if dataset:
        return dataset
    index, count = task or (0, 1)
    part = shards[index::count]
    if beam is not None:
        share_out(partial(make_shard, job), part, job.data, beam, counter=("prepare", "entries"))
    else:
        make_all(job, part, workers, quiet)
    dataset = finalize(job, manifest, shards)
    if isinstance(dataset, int):
        print(f"task {index} of {count}: made its {len(part)} shards; other tasks have {dataset} left to make")
        return None
    return dataset


def plan(source, data, how=Preparation()):
    """Reads a catalogue; returns (`Job`, `Manifest`, list of `Shard`): all that it takes to make the data set."""
    data = as_path(data)
    if data.exists() and not data.is_dir():
        raise UserError(f"{data}: expected a folder to write to, found a file")
    size = how.size
    if size is None and how.update and records.is_dataset(data):
        size = records.open_dataset(data).levels[-1]
    manifest = importers.read(source, how.format, how.slots)
    if how.test_share:
        manifest = replace(manifest, entries=split_off(manifest.entries, how.test_share))
    levels = tuple(levels_of(size or _size_of_photos(manifest.entries)))
    article_levels = tuple(level for level in levels if max(level) <= max(how.article_size)) or levels[:1]
    origin = {"manifest_sha256": manifest.sha256, "size": list(levels[-1])}
    # What earlier versions prepared has the standard slots, and articles at all levels; its origin names neither.
    if how.slots != SLOTS:
        origin["slot_list"] = list(how.slots)
    if article_levels != levels:
        origin["article_size"] = list(article_levels[-1])
    if how.framing != "pad":
        origin["framing"] = how.framing
    if how.require_pose:
        origin["require_pose"] = True
    if how.test_share:
        origin["test_share"] = how.test_share
    if how.pose_model:
        from tf_outfit_gan.pose_estimation import load_estimator, models

        load_estimator(how.pose_model)  # Reports a mistake once, not for every entry.
        origin["pose_model_sha256"] = models.digest(how.pose_model)
    cmyk_profile = None
    if how.cmyk_profile:
        cmyk_profile = read_cmyk_profile(how.cmyk_profile)
        origin["cmyk_profile_sha256"] = hashlib.sha256(cmyk_profile).hexdigest()
    encoding = Encoding(
        levels, article_levels, how.slots, how.pose_model, how.require_pose, how.max_pixels, how.framing, cmyk_profile
    )
    job = Job(as_path(source), data, encoding, origin, how.strict)
    if how.strict and manifest.skipped:
        raise UserError(job.why(manifest.skipped[0]))
    (data / "records").mkdir(parents=True, exist_ok=True)
    return job, manifest, plan_shards(manifest.entries, levels[-1], article_levels[-1])


def _size_of_photos(entries):
    """The default size, which is printed: the largest up to the median photo's, and to `MOST_BY_DEFAULT`."""
    sizes, faults = [], 0
    for entry in entries[:: max(1, len(entries) // PHOTOS_ASKED)] + entries:
        if len(sizes) + faults >= PHOTOS_ASKED and sizes:
            break
        try:
            sizes.append(image_size(entry.image))
        except UserError:
            faults += 1
    if not sizes:
        raise UserError(f"{entries[0].image}: could not be read, and none of the other {len(entries) - 1} photos either")
    median = tuple(statistics.median_low(side) for side in zip(*sizes))
    size = default_size(median)
    levels = [level for level in levels_of(size) if max(level) <= max(MOST_BY_DEFAULT)]
    print(f"photos are prepared at {format_size(levels[-1])}; the median photo has {format_size(median)} (--size for another)")
    return levels[-1]
