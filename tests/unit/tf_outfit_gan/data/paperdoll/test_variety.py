"""What makes dolls as varied as real catalogues: each share does its part, and the truth stays exact."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.manifest import read_manifest
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue
from tf_outfit_gan.data.paperdoll.fabric import Fabric, printed
from tf_outfit_gan.data.paperdoll.motif import Motif
from tf_outfit_gan.data.paperdoll.scene import LABEL, draw_entry, draw_scene
from tf_outfit_gan.data.paperdoll.variety import MIXED, PLAIN, VARIETIES
from tf_outfit_gan.slots import SLOTS

SIZE = (64, 48)
ANKLES, HEAD_TOP, SHOULDERS = (0, 5), 9, (12, 13)


def only(name, share=1.0):
    return PLAIN | {name: share}


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variety") / "dolls"
    write_catalogue(folder, 24, SIZE, seed=5, shares=VARIETIES["mixed"])
    return folder


def test_plain_dolls_are_those_of_all_versions():
    digest = hashlib.sha256()
    for size in (SIZE, (128, 96)):
        for i in range(12):
            doll = draw_entry(5, i, size)
            for picture in (doll.photo, doll.masks, *doll.articles.values()):
                digest.update(picture.tobytes())
            digest.update(doll.keypoints.round(3).tobytes() + doll.split.encode())
    assert digest.hexdigest() == "e44546e50c926f35080a489c1088d39e70ce44c5e18899564242d2f348df2ee1"


def test_same_bytes_whatever_the_workers(mixed, tmp_path):
    write_catalogue(tmp_path / "two", 24, SIZE, seed=5, workers=2, shares=VARIETIES["mixed"])
    assert contents(tmp_path / "two") == contents(mixed)


def test_a_mixed_catalogue_reads_as_a_manifest(mixed):
    manifest = read_manifest(mixed)
    assert len(manifest.entries) == 24 and not manifest.skipped
    lines = [json.loads(line) for line in (mixed / "manifest.jsonl").read_text().splitlines()]
    lent = [path for i, line in enumerate(lines) for path in line["articles"].values() if f"{i:06d}_" not in path]
    assert lent and len(set(lent)) < len(lent)


def test_shares_are_met():
    count = 400
    scenes = [draw_scene(2, i, VARIETIES["mixed"]) for i in range(count)]
    crops = sum(scene.variation.crop != (None, None) for scene in scenes)
    unlisted = sum(scene.variation.unlisted is not None for scene in scenes)
    backs = sum(abs(scene.pose.yaw) > 90 for scene in scenes)
    walls = sum(scene.variation.wall is not None for scene in scenes)
    for name, met in (("crops", crops), ("unlisted", unlisted), ("backs", backs), ("backdrops", walls)):
        share = MIXED[name][0]
        assert abs(met / count - share) < 3.5 * np.sqrt(share * (1 - share) / count), name
    girths = [scene.body.girth for scene in scenes]
    assert min(girths) < 0.85 and max(girths) > 1.5
    assert 0.22 < max(scene.body.head for scene in scenes) < 0.26


def test_a_share_changes_nothing_else():
    for i in range(20):
        plain, backs, both = draw_scene(2, i), draw_scene(2, i, only("backs")), draw_scene(2, i, PLAIN | {"backs": 1, "crops": 1})
        assert backs.outfit == plain.outfit and backs.body == plain.body and backs.pose != plain.pose
        assert both.pose == backs.pose and both.variation.crop != (None, None)


def test_crops_leave_joints_out_and_move_the_others():
    ends = set()
    for i in range(30):
        whole, cropped = draw_entry(2, i, SIZE).keypoints, draw_entry(2, i, SIZE, only("crops")).keypoints
        above, below = draw_scene(2, i, only("crops")).variation.crop
        ends.add((above is not None, below is not None))
        assert (above is None) == bool(cropped[HEAD_TOP, 2])
        assert (below is None) == bool(cropped[list(ANKLES), 2].all())
        # A crop is one zoom and one shift of all the joints.
        zoom = np.ptp(cropped[:, 1]) / np.ptp(whole[:, 1])
        assert zoom > 1 and np.allclose(np.diff(cropped[:, :2], axis=0), zoom * np.diff(whole[:, :2], axis=0))
        inside = np.all((cropped[:, :2] >= 0) & (cropped[:, :2] <= SIZE[::-1]), axis=1)
        assert np.array_equal(inside, cropped[:, 2] == 1)
    assert ends == {(True, True), (True, False), (False, True)}


def test_cropped_points_lie_on_what_is_drawn():
    size = (128, 96)
    for i in range(20):
        doll = draw_entry(2, i, size, PLAIN | {"crops": 1.0})
        for slot, joint in (("bottom", 6), ("dress", 6)):  # The pelvis is covered, if not by a hand, a coat or a bag.
            x, y, seen = doll.keypoints[joint]
            if slot in doll.listed and seen:
                covers = {slot, "outerwear", "bag", "top"} & set(doll.listed)
                assert doll.masks[int(y), int(x)] in {0, *(LABEL[cover] for cover in covers)}
                around = doll.masks[max(int(y) - 6, 0) : int(y) + 7, max(int(x) - 6, 0) : int(x) + 7]
                assert (around > 0).mean() > 0.5, i


def test_from_behind_right_is_on_the_right():
    for i in range(30):
        doll = draw_entry(6, i, SIZE, only("backs"))
        right, left = doll.keypoints[list(SHOULDERS), 0]
        assert right > left


def test_backs_show_hair_and_no_face():
    def skin_on_the_head(i, shares):
        scene = draw_scene(6, i, shares)
        doll = draw_entry(6, i, (256, 192), shares)
        top, neck = doll.keypoints[HEAD_TOP, :2], doll.keypoints[8, :2]
        x, y = (0.55 * top + 0.45 * neck).astype(int)
        patch = doll.photo[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).astype(float)
        return np.abs(patch.mean(axis=0) - scene.body.skin).sum() < np.abs(patch.mean(axis=0) - scene.body.hair).sum()

    entries = [i for i in range(20) if "behind_head" not in draw_scene(6, i).pose.gestures]
    assert sum(skin_on_the_head(i, PLAIN) for i in entries) > 0.8 * len(entries)
    assert sum(skin_on_the_head(i, only("backs")) for i in entries) < 0.2 * len(entries)


def test_an_unlisted_article_is_worn_and_not_listed():
    found = 0
    for i in range(30):
        doll = draw_entry(3, i, SIZE, only("unlisted"))
        missing = set(doll.articles) - set(doll.listed)
        assert len(missing) == 1
        found += LABEL[missing.pop()] in doll.masks
    assert found > 20


def test_shared_articles_have_one_packshot_and_one_split():
    shared = only("shared")
    borrowed = 0
    for i in range(24):
        scene, first = draw_scene(0, i, shared), draw_scene(0, i - i % 8, shared)
        assert scene.split == first.split
        assert (i % 8 > 0) or not scene.owners
        for slot, owner in scene.owners.items():
            borrowed += 1
            assert owner == i - i % 8 and scene.outfit.cuts[slot] == first.outfit.cuts[slot]
    assert borrowed > 30


def test_papers_and_walls():
    paper = draw_entry(0, 1, SIZE, only("papers")).articles
    for picture in paper.values():
        assert np.ptp(picture[0, 0]) == 0 and 190 < picture[0, 0, 0] < 250
    walls = [draw_entry(0, i, SIZE, only("backdrops")).photo[2, 2].astype(int) for i in range(20)]
    assert any(wall.max() < 110 and np.ptp(wall) < 10 for wall in walls) and any(np.ptp(wall) > 60 for wall in walls)


@pytest.mark.parametrize("kind", ["text", "logo", "photograph"])
def test_a_motif_shows_once_and_upright(kind):
    motif = Motif(kind, (0.0, 0.4, 0.7), (200, 40, 40), middle=0.2, width=0.1)
    fabric = printed(Fabric(((200, 40, 40), (0, 0, 0)), "checks"), motif)
    u, v = np.mgrid[0:1:0.005, -0.5:0.5:0.005]
    shown = fabric.choose(u, v)
    y, x = np.nonzero(shown)
    assert abs(y.mean() * 0.005 - 0.2) < 0.01 and abs(x.mean() * 0.005 - 0.5) < 0.01
    assert np.ptp(x) * 0.005 == pytest.approx(0.1, abs=0.05) and shown.max() < len(fabric.colors)
    assert fabric.unprinted() == Fabric(((200, 40, 40),))


def test_flowers_have_petals_and_middles():
    scene = next(scene for scene in (draw_scene(0, i, only("prints")) for i in range(40)) if _floral(scene))
    u, v = np.mgrid[0:0.4:0.002, 0:0.4:0.002]
    shares = np.bincount(_floral(scene)[0].choose(u, v).ravel(), minlength=3) / u.size
    assert 0.5 < shares[0] < 0.95 and shares[1] > 0.05 and 0.002 < shares[2] < shares[1]


def _floral(scene):
    return [cut.fabric for cut in scene.outfit.cuts.values() if cut.fabric.kind == "floral"]


def test_a_print_is_on_the_packshot_and_on_the_model():
    compared = 0
    for i in range(60):
        scene = draw_scene(4, i, only("prints"))
        top = scene.outfit.cuts.get("top")
        if not top or top.fabric.kind != "printed" or top.fabric.motif.kind != "photograph" or "outerwear" in scene.outfit.cuts:
            continue
        doll = draw_entry(4, i, (256, 192), only("prints"))

        ground = np.array(top.fabric.colors[0])
        article = doll.articles["top"].astype(int)
        cloth = article[(article < 250).any(axis=2)]
        for pixels in (cloth, doll.photo[doll.masks == LABEL["top"]].astype(int)):
            # Shades of the ground keep its hue; a photograph has other hues.
            hue = pixels / np.maximum(pixels.sum(axis=1, keepdims=True), 1) - ground / max(ground.sum(), 1)
            assert (np.abs(hue).sum(axis=1) > 0.08).mean() > 0.03, i
        compared += 1
    assert compared >= 2


@pytest.mark.parametrize("share", ["tails=1", "backs=2", "backs", "backs=many", "=0.5"])
def test_a_wrong_share_is_one_clear_line(tmp_path, capsys, share):
    assert main(["paperdoll", str(tmp_path / "out"), "--count", "1", "--size", "64x48", "--share", share]) == 2
    message = capsys.readouterr().err
    assert "--share: expected NAME=SHARE" in message and repr(share) in message and message.count("\n") == 1


def test_shares_of_the_command_line_replace_the_varietys(tmp_path):
    command = ["paperdoll", str(tmp_path / "out"), "--count", "2", "--size", "64x48", "--quiet"]
    assert main([*command, "--variety", "mixed", "--share", "backs=1", "--share", "shared=0"]) == 0
    settings = json.loads((tmp_path / "out/paperdoll.json").read_text())
    assert settings["shares"] == VARIETIES["mixed"] | {"backs": 1.0, "shared": 0.0}
    photo = np.asarray(Image.open(tmp_path / "out/images/000001.png"))
    assert np.array_equal(photo, draw_entry(0, 1, SIZE, settings["shares"]).photo)
    assert set(draw_entry(0, 1, SIZE, settings["shares"]).listed) <= set(SLOTS)
