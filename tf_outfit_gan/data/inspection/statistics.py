"""Statistics of a catalogue or data set: counts, copies, leaks between the splits, joints, anomalies."""

from collections import Counter, defaultdict
from statistics import median

import numpy as np

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.pose.mpii import JOINTS

# A picture that must be enlarged more than this to fill the frame of the median photo is blurred in it.
MAX_ENLARGED = 2
# Width by height: photos differ from the median photo by no more than this factor, articles from a square.
MAX_PHOTO_ASPECT, MAX_ARTICLE_ASPECT = 1.25, 4


class Statistics:
    """Takes entries one by one, and sums them up as a report that is written to JSON as it is.

    Args:
        slots: names of the articles' slots, in order.
    """

    def __init__(self, slots):
        self.slots = slots
        self.entries = []  # (id, split, checks of the photo, {slot: checks of the article})
        self.joints = {split: np.zeros((2, len(JOINTS)), int) for split in SPLITS}  # Present; of these, outside.
        self.posed = Counter()
        self.warnings = []  # Lines of `fitness`.
        self.skipped = []  # As skipped.jsonl has them.

    def add(self, entry_id, split, photo, articles, pose):
        """Takes an entry: the `ImageChecks` of its pictures, its articles by slot, and its pose [K, 3] or None."""
        self.entries.append((entry_id, split, photo, articles))
        if pose is not None:
            present = pose[:, 2] > 0
            outside = present & ~((pose[:, :2] >= 0) & (pose[:, :2] <= 1)).all(axis=1)
            self.posed[split] += 1
            self.joints[split] += [present, outside]

    def report(self):
        """Returns counts, shares of the poses by joint, and what was found: name of a finding -> whom it is about."""
        counts = {split: {"entries": 0, "poses": self.posed[split], **dict.fromkeys(self.slots, 0)} for split in SPLITS}
        for _, split, _, articles in self.entries:
            counts[split]["entries"] += 1
            for slot in articles:
                counts[split][slot] += 1
        joints = {
            joint: {
                split: {"present": self._share(split, 0, index), "outside": self._share(split, 1, index)}
                for split in SPLITS
                if self.posed[split]
            }
            for index, joint in enumerate(JOINTS)
        }
        distinct = {
            slot: len({articles[slot].digest for *_, articles in self.entries if slot in articles}) for slot in self.slots
        }
        findings = {**self._copies(), **self._oddities()}
        return {
            "counts": counts,
            "distinct_articles": distinct,
            "joints": joints,
            "findings": {name: found for name, found in findings.items() if found},
            "warnings": self.warnings,
            "skipped": self.skipped,
        }

    def _share(self, split, what, index):
        return round(self.joints[split][what, index] / self.posed[split], 4)

    def _copies(self):
        """What stands more than once: a list of the groups of ids or names that are the same."""
        ids = Counter(entry_id for entry_id, *_ in self.entries)
        ids.update(skip["id"] for skip in self.skipped if skip["id"] is not None)
        photos, articles, names = defaultdict(dict), defaultdict(dict), defaultdict(dict)
        for entry_id, split, photo, worn in self.entries:
            photos[photo.digest][entry_id] = split
            for slot, article in worn.items():
                articles[article.digest].setdefault((slot, split), entry_id)
                names[article.digest][article.name] = None
        return {
            "duplicate id": [entry_id for entry_id, count in ids.items() if count > 1],
            "same photo": [list(same) for same in photos.values() if len(same) > 1],
            "photo in both splits": [list(same) for same in photos.values() if len(set(same.values())) > 1],
            # An entry of each split that wears it.
            "article in both splits": [
                list(dict.fromkeys(uses.values())) for uses in articles.values() if len({split for _, split in uses}) > 1
            ],
            "article in several slots": [
                list(dict.fromkeys(uses.values())) for uses in articles.values() if len({slot for slot, _ in uses}) > 1
            ],
            "article under several names": [list(same) for same in names.values() if len(same) > 1],
            "photo that is an article": [next(iter(same)) for digest, same in photos.items() if digest in articles],
        }

    def _oddities(self):
        """What a picture looks odd for: the ids it stands in; of an article once, where it is worn first."""
        found, seen = defaultdict(list), set()
        sizes = [photo.size for _, _, photo, _ in self.entries if photo.size]
        frame = (median(height for height, _ in sizes), median(width for _, width in sizes)) if sizes else None
        for entry_id, _, photo, articles in self.entries:
            for what, checks in (("photo", photo), *(("article", article) for article in articles.values())):
                if what == "article" and checks.digest in seen:
                    continue
                seen.add(checks.digest)
                for odd in (*checks.odd, *(_odd_sizes(checks.size, frame, what == "article") if checks.size else ())):
                    if entry_id not in found[f"{what} {odd}"][-1:]:
                        found[f"{what} {odd}"].append(entry_id)
        return dict(sorted(found.items()))


def _odd_sizes(size, frame, is_article):
    (height, width), (frame_height, frame_width) = size, frame
    if min(frame_height / height, frame_width / width) > MAX_ENLARGED:
        yield "too small"
    aspect = width / height if is_article else width / height / (frame_width / frame_height)
    if max(aspect, 1 / aspect) > (MAX_ARTICLE_ASPECT if is_article else MAX_PHOTO_ASPECT):
        yield "of odd aspect"
