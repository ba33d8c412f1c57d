"""A test split for a catalogue without one, in which no photo, article or person of the training split stands."""

import hashlib
from dataclasses import replace

from tf_outfit_gan.images.cutout import Cutout
from tf_outfit_gan.util.errors import UserError


def split_off(entries, share):
    """Returns the entries with a share of them, about, for testing: whole groups that share something, by a hash of ids.

    Raises `UserError` when some are for testing already, or when what the entries share holds them together in groups so
    large that less than half of the share can be set apart.
    """
    there = sum(entry.split == "test" for entry in entries)
    if there:
        raise UserError(f"--test-share: {there} entries are for testing already; leave it out")
    wanted, chosen = share * len(entries), set()
    groups = _groups(entries)
    for group in sorted(groups, key=lambda group: min(hashlib.sha256(entry.id.encode()).digest() for entry in group)):
        if len(chosen) + len(group) <= max(1, wanted):
            chosen.update(entry.id for entry in group)
    if len(chosen) < wanted / 2:
        raise UserError(
            f"--test-share {share:g}: {max(map(len, groups))} of {len(entries)} entries are held together by articles, photos or "
            f'people that they share, so only {len(chosen)} can be set apart; mark entries with "split": "test" yourself'
        )
    return [replace(entry, split="test") if entry.id in chosen else entry for entry in entries]


def _groups(entries):
    """The entries as lists, of which no two share a photo, an article or a person."""
    parent = list(range(len(entries)))

    def root(number):
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]  # Halves the way for the next one.
        return number

    first = {}
    for number, entry in enumerate(entries):
        articles = [article.image if isinstance(article, Cutout) else article for article in entry.outfit.articles.values()]
        for shared in (entry.image, *articles, *([entry.person] if entry.person else [])):
            parent[root(number)] = root(first.setdefault(shared, number))
    groups = {}
    for number, entry in enumerate(entries):
        groups.setdefault(root(number), []).append(entry)
    return list(groups.values())
