"""The manifest: what is read, what is set aside with its line and reason, and outfit files."""

import json

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.data.manifest import load_outfit, read_manifest
from tf_outfit_gan.util.errors import UserError

POINTS = [[10.5, 20.0, 1.0]] + [[0, 0, 0]] * 14 + [[30.0, 40.0, 0.3]]
GOOD = {
    "id": "a",
    "image": "photo.png",
    "articles": {"top": "tops/top.png"},
    "keypoints": {"format": "mpii16", "points": POINTS, "size": [80, 60]},
    "split": "test",
}


@pytest.fixture
def folder(tmp_path):
    catalogue = tmp_path / "shop"
    (catalogue / "tops").mkdir(parents=True)
    for path in (catalogue / "photo.png", catalogue / "tops/top.png", tmp_path / "outside.png"):
        Image.new("RGB", (6, 8)).save(path)
    return catalogue


def write(folder, *entries):
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    (folder / "manifest.jsonl").write_text("\n".join(lines))


def test_an_entry_is_read_with_its_pose_in_widths_and_heights(folder):
    write(folder, GOOD, "", {"id": "b", "image": "photo.png"})
    manifest = read_manifest(folder)
    first, second = manifest.entries
    assert (first.id, first.line, first.split, first.image) == ("a", 1, "test", folder / "photo.png")
    assert first.outfit.articles == {"top": folder / "tops/top.png"}
    np.testing.assert_allclose(first.outfit.keypoints[[0, 1, 15]], [[10.5 / 60, 0.25, 1], [0, 0, 0], [0.5, 0.5, 1]])
    assert (second.line, second.split, second.outfit.articles, second.outfit.keypoints) == (3, "train", {}, None)
    assert not manifest.skipped


@pytest.mark.parametrize(
    "change, words",
    [
        ({"articles": {"hat": "photo.png"}}, "unknown slot 'hat'"),
        ({"articles": {"top": "gone.png"}}, "top 'gone.png': no such file"),
        ({"articles": {"top": "../outside.png"}}, "leads out of the manifest's folder"),
        ({"articles": {"top": "/etc/hostname"}}, "leads out of the manifest's folder"),
        ({"articles": ["photo.png"]}, "'articles' must be an object"),
        ({"image": "gone.png"}, "image 'gone.png': no such file"),
        ({"image": None}, "'image' must be the name of a file"),
        ({"keypoints": {"format": "mpii16", "points": POINTS[:15], "size": [80, 60]}}, "16 times"),
        ({"keypoints": {"format": "mpii16", "points": [[0, 0, 0]] * 16, "size": [80, 60]}}, "no person"),
        ({"keypoints": {"format": "mpii16", "points": POINTS, "size": [80, 0]}}, "size must be"),
        ({"keypoints": {"points": POINTS}}, "format, points and size"),
        ({"keypoints": {"format": "mpii15", "points": POINTS, "size": [80, 60]}}, "unknown keypoint format 'mpii15'"),
        ({"split": "validation"}, "train or test"),
        ({"id": "first"}, "duplicate id 'first', already in manifest.jsonl line 1"),
        ({"id": 7}, "'id' must be a text"),
    ],
)
def test_a_bad_entry_is_set_aside_with_its_line_and_reason(folder, change, words):
    write(folder, GOOD | {"id": "first"}, GOOD | change, GOOD | {"id": "last"})
    manifest = read_manifest(folder)
    assert [entry.id for entry in manifest.entries] == ["first", "last"]
    [skipped] = manifest.skipped
    assert skipped.line == 2 and words in skipped.reason and "\n" not in skipped.reason


@pytest.mark.parametrize("line, words", [('{"id": "x", ', "not valid JSON"), ("[1]", "expected a JSON object")])
def test_a_line_that_is_no_entry_is_set_aside(folder, line, words):
    write(folder, GOOD, line)
    assert [(skip.line, skip.id) for skip in read_manifest(folder).skipped] == [(2, None)]
    assert words in read_manifest(folder).skipped[0].reason


def test_no_manifest_and_no_good_entry_are_the_users_mistake(folder):
    with pytest.raises(UserError, match=r"manifest.jsonl: no such file; expected a folder with manifest.jsonl"):
        read_manifest(folder)
    write(folder, GOOD | {"split": "both"}, "nonsense")
    with pytest.raises(UserError, match="found 2 bad and none good; manifest.jsonl line 1: 'split' must be train or test"):
        read_manifest(folder)
    assert UserError.exit_code == 2


def test_an_outfit_file_is_an_entry_without_id_and_image(folder):
    path = folder / "outfit.json"
    path.write_text(json.dumps({"articles": {"top": "tops/top.png", "bag": "../outside.png"}, "keypoints": GOOD["keypoints"]}))
    outfit = load_outfit(path)
    assert outfit.articles == {"top": folder / "tops/top.png", "bag": folder / "../outside.png"}
    assert outfit.keypoints.shape == (16, 3)
    path.write_text("{}")
    assert load_outfit(path).articles == {} and load_outfit(path).keypoints is None


@pytest.mark.parametrize(
    "text, words",
    [
        (None, "expected an outfit file"),
        ("nonsense", "not valid JSON"),
        ('{"articles": {"hat": "photo.png"}}', "unknown slot 'hat'"),
        ('{"articles": {"top": "gone.png"}}', "no such file"),
        ('{"keypoints": {"points": [[1, 2, 3]], "size": [8, 6]}}', "16 times"),
    ],
)
def test_a_bad_outfit_file_is_named(folder, text, words):
    path = folder / "outfit.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=words) as error:
        load_outfit(path)
    assert str(path) in str(error.value)
