"""Whether a catalogue is fit for training: counts, unknown members, and what the poses of a whole catalogue show."""

import json

import numpy as np
import pytest

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.fitness import count_findings, member_findings, pose_findings
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue as write_dolls
from tf_outfit_gan.pose.mpii import MIRROR


@pytest.fixture(scope="module")
def dolls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitness") / "dolls"
    write_dolls(folder, 12, (64, 48))
    return folder


def spoiled(dolls, folder, spoil):
    """A catalogue of the dolls, each of whose points [16, 3] is what `spoil` makes of it."""
    folder.mkdir()
    for name in ("images", "articles"):
        (folder / name).symlink_to(dolls / name)
    lines = [json.loads(line) for line in (dolls / "manifest.jsonl").read_text().splitlines()]
    for entry in lines:
        entry["keypoints"]["points"] = spoil(np.array(entry["keypoints"]["points"])).tolist()
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda points: points, None),
        (lambda points: points[:, [1, 0, 2]], "12 of 12 people lie on their side"),
        (lambda points: points * [1, -1, 1] + [0, 64, 0], "12 of 12 people stand on their head"),
        (lambda points: points[MIRROR], "have their right shoulder on the right"),
    ],
    ids=["as they are", "x and y exchanged", "upside down", "sides exchanged"],
)
def test_a_whole_catalogue_shows_what_is_wrong_with_its_poses(dolls, tmp_path, capsys, spoil, words):
    shop = spoiled(dolls, tmp_path / "shop", spoil)
    assert main(["inspect", str(shop), "--out", str(tmp_path / "sheet.png"), "--json", "--quiet"]) == 0
    of_catalogue = json.loads(capsys.readouterr().out)["warnings"]
    assert main(["prepare", str(shop), str(tmp_path / "data"), "--workers", "1", "--quiet"]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    assert printed == [f"warning: {line}" for line in of_catalogue]
    assert main(["inspect", str(tmp_path / "data"), "--out", str(tmp_path / "sheet.png"), "--json", "--quiet"]) == 0
    of_records = json.loads(capsys.readouterr().out)["warnings"]
    for found in (of_catalogue, of_records):
        about_people = [line for line in found if "people " in line and "learn people" not in line]
        assert len(about_people) == bool(words) and (not words or words in about_people[0]), found


def test_a_few_lying_people_are_no_fault():
    poses = np.full((20, 16, 3), 1.0)
    poses[:, 8, :2], poses[:, 6, :2] = (0.5, 0.2), (0.5, 0.6)  # Upper neck above pelvis.
    poses[:, 12, :2], poses[:, 13, :2] = (0.4, 0.25), (0.6, 0.25)  # Right shoulder left of the left one.
    poses[:9, 8, :2] = 0.9, 0.6
    assert list(pose_findings(poses, np.full(20, 0.75))) == []
    assert len(list(pose_findings(poses[:12], np.full(12, 0.75)))) == 1
    assert list(pose_findings(poses[:9], np.full(9, 0.75))) == [], "too few to say"


def test_counts():
    assert list(count_findings({"train": 20_000, "test": 100}, 20_100)) == []
    few, missing = count_findings({"train": 2000, "test": 100}, 2090)
    assert "2,000 training photos are few" in few and "10 of 2100 entries have no pose" in missing
    tiny, untested = count_findings({"train": 50, "test": 0}, 50)
    assert "too few to learn people from" in tiny and "--test-share" in untested
    assert "no entry is for training" in next(count_findings({"train": 0, "test": 5}, 5))


def test_unknown_members_are_counted_with_what_may_be_meant(tmp_path, capsys):
    assert list(member_findings({"Keypoints": 3, "article": 1, "sku": 2})) == [
        "3 entries have a member 'Keypoints', which is not read: is 'keypoints' meant?",
        "1 entries have a member 'article', which is not read: is 'articles' meant?",
        "2 entries have a member 'sku', which is not read: expected id, image, articles, keypoints, split, person, masks",
    ]
    shop = write_catalogue(tmp_path / "shop", 4)
    manifest = shop / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"keypoints"', '"pose"', 2))
    assert main(["prepare", str(shop), str(tmp_path / "data"), "--workers", "1", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "warning: 2 entries have a member 'pose', which is not read" in out
    assert "2 of 4 entries have no pose" in out
    assert "2 of 4 entries have a pose; articles: outerwear 2, top 2, dress 0" in out
