"""The two things that can be inspected, alike: a catalogue, whose pictures are opened, and records, which are read."""

import itertools
import json
from dataclasses import asdict

import numpy as np

from tf_outfit_gan.data.fitness import count_findings, manifest_findings, pose_findings
from tf_outfit_gan.data.inspection.image_checks import check_article, check_image, check_photo
from tf_outfit_gan.data.inspection.statistics import Statistics
from tf_outfit_gan.data.manifest import SPLITS, Skipped
from tf_outfit_gan.data.records import RAW_HEIGHT, SKIPPED_FILENAME
from tf_outfit_gan.images.open import MAX_PIXELS
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.sizes import default_size
from tf_outfit_gan.util.process_pool import run_in_processes
from tf_outfit_gan.util.progress import progress

CHUNK, BATCH = 32, 64
SHEET_HEIGHT = 256  # Pictures on the sheet have this many rows, or as many as there are if fewer.


class Catalogue:
    """A manifest's entries; each picture is opened once, at its own size."""

    def __init__(self, manifest, slots, workers, max_pixels=MAX_PIXELS):
        self.manifest, self.slots, self.workers, self.max_pixels = manifest, slots, workers, max_pixels
        self.by_id = {entry.id: entry for entry in manifest.entries}
        self.frame = (SHEET_HEIGHT, SHEET_HEIGHT * 3 // 4)

    def statistics(self, quiet):
        entries = self.manifest.entries
        articles = list({article: None for entry in entries for article in entry.outfit.articles.values()})
        jobs = [(check_photo, entry) for entry in entries] + [(check_article, article) for article in articles]
        chunks = [(jobs[start : start + CHUNK], self.max_pixels) for start in range(0, len(jobs), CHUNK)]
        with progress("check", len(jobs), "pictures", quiet) as advance:
            found = run_in_processes(_check, chunks, min(self.workers, len(chunks)), advance)
        checks = list(itertools.chain.from_iterable(found))
        photos, checks_by_article = checks[: len(entries)], dict(zip(articles, checks[len(entries) :]))

        statistics = Statistics(self.slots)
        statistics.warnings += manifest_findings(self.manifest)
        statistics.skipped += map(asdict, self.manifest.skipped)
        for entry, photo in zip(entries, photos):
            worn = {slot: checks_by_article[article] for slot, article in entry.outfit.articles.items()}
            faults = [seen.fault for seen in (photo, *worn.values()) if seen.fault]
            if faults:
                statistics.skipped.append(asdict(Skipped(entry.line, entry.id, faults[0], entry.listing)))
            else:
                statistics.add(entry.id, entry.split, photo, worn, entry.outfit.keypoints)
        sizes = [photo.size for photo in photos if photo.size]
        if sizes:
            height, width = default_size(sizes[0])
            shrunk = max(1, height // SHEET_HEIGHT)
            self.frame = height // shrunk, width // shrunk
        return statistics

    def rows(self, ids):
        from tf_outfit_gan.data.inspection.contact_sheet import listed

        return [listed(self.by_id[entry_id], self.frame, self.slots, self.max_pixels) for entry_id in ids]


class Records:
    """A prepared data set; its pictures are checked as they are stored at a small level."""

    def __init__(self, dataset):
        self.dataset = dataset

    def statistics(self, quiet):
        from tf_outfit_gan.data.pipeline import batches

        dataset, statistics, poses = self.dataset, Statistics(self.dataset.slots), []
        level = max(level for level in dataset.levels if level[0] <= RAW_HEIGHT or level == dataset.levels[0])
        article_level = min(level, dataset.article_levels[-1])
        if dataset.skipped:
            lines = (dataset.path / SKIPPED_FILENAME).read_text(encoding="utf-8").splitlines()
            statistics.skipped += map(json.loads, lines)
        with progress("check", sum(map(dataset.count, SPLITS)), "entries", quiet) as advance:
            for split in filter(dataset.count, SPLITS):
                for batch in batches(dataset, split, level, article_level, BATCH).as_numpy_iterator():
                    for number, entry_id in enumerate(batch["ids"]):
                        # A missing article is 0 throughout; no pixel of another one is.
                        articles = {
                            slot: check_image(array_to_uint8(pixels), True)
                            for slot, pixels in zip(dataset.slots, batch["articles"][number])
                            if pixels.any()
                        }
                        pose = batch["keypoints"][number]
                        statistics.add(
                            entry_id.decode(),
                            split,
                            check_image(array_to_uint8(batch["image"][number]), False),
                            articles,
                            pose if pose.any() else None,
                        )
                        poses += [pose] if pose.any() else []
                    advance(len(batch["ids"]))
        if dataset.unprofiled_cmyk:
            statistics.warnings.append(f"{dataset.unprofiled_cmyk} pictures were CMYK without a profile; inspect the catalogue")
        statistics.warnings += count_findings({split: dataset.count(split) for split in SPLITS}, len(poses))
        statistics.warnings += pose_findings(np.array(poses).reshape(-1, NUM_JOINTS, 3), np.full(len(poses), level[1] / level[0]))
        return statistics

    def rows(self, ids):
        from tf_outfit_gan.data.inspection.contact_sheet import recorded
        from tf_outfit_gan.data.pipeline import batches

        dataset, wanted, rows = self.dataset, set(ids), []
        size = next((level for level in dataset.levels if level[0] >= SHEET_HEIGHT), dataset.levels[-1])
        article_size = min(size, dataset.article_levels[-1])
        for split in filter(dataset.count, SPLITS):
            for batch in batches(dataset, split, size, article_size, 1).as_numpy_iterator():
                if len(rows) == len(wanted):
                    return rows
                if batch["ids"][0].decode() in wanted:
                    rows.append(recorded({name: values[0] for name, values in batch.items()}))
        return rows


def _check(jobs, max_pixels, advance):
    """Checks some pictures, in a worker."""
    checks = []
    for function, subject in jobs:
        checks.append(function(subject, max_pixels))
        advance()
    return checks
