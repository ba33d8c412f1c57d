"""A test split that is made: about the share asked for, and nothing of training in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.data.manifest import Entry, Outfit
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.data.preparation.split import split_off
from tf_outfit_gan.util.errors import UserError


def entries_of(count, article, person=lambda number: None):
    return [
        Entry(f"e{n}", n, "train", Path(f"{n}.jpg"), Outfit({"top": Path(article(n))}), person=person(n)) for n in range(count)
    ]


def picked(entries):
    return [number for number, entry in enumerate(entries) if entry.split == "test"]


def test_what_shares_something_stays_together():
    entries = entries_of(200, article=lambda n: f"top{n // 2}", person=lambda n: f"p{n // 4}" if n < 100 else None)
    chosen = picked(split_off(entries, 0.1))
    assert 16 <= len(chosen) <= 20
    assert all(n ^ 1 in chosen for n in chosen) and all(n ^ 2 in chosen for n in chosen if n < 100)
    assert any(n < 100 for n in chosen) and any(n >= 100 for n in chosen)
    assert {entries[n].id for n in chosen} == {entry.id for entry in split_off(entries[::-1], 0.1) if entry.split == "test"}


def test_a_catalogue_that_is_one_group_cannot_be_split():
    with pytest.raises(UserError, match="50 of 50 entries are held together by articles"):
        split_off(entries_of(50, article=lambda n: "top"), 0.1)
    split = entries_of(10, article=str)
    with pytest.raises(UserError, match="--test-share: 1 entries are for testing already"):
        split_off([replace(split[0], split="test"), *split[1:]], 0.1)


def test_prepare_makes_a_split_and_sets_aside_who_has_no_pose(tmp_path):
    source = write_catalogue(tmp_path / "shop", 20, test_every=100)
    manifest = source / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"split": "test"', '"split": "train"').replace('"keypoints"', '"pose"', 3))
    dataset = prepare(source, tmp_path / "data", test_share=0.2, require_pose=True, workers=1, quiet=True)
    assert dataset.skipped == 3 and dataset.has_keypoints
    assert dataset.count("train") + dataset.count("test") == 17 and 2 <= dataset.count("test") <= 4
    with pytest.raises(UserError, match="made from another test share"):
        prepare(source, tmp_path / "data", test_share=0.3, require_pose=True, workers=1, quiet=True)
