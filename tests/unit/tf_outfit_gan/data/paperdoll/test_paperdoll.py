"""The synthetic catalogue: exact truth, the same bytes always, and pictures that agree with what they claim."""

import colorsys
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.manifest import read_manifest
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue
from tf_outfit_gan.data.paperdoll.drawing import Canvas, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import Limb, Warp, inset, places
from tf_outfit_gan.data.paperdoll.scene import LABEL, draw_entry, draw_scene, dressed
from tf_outfit_gan.data.paperdoll.variety import PLAIN
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

SIZE = (64, 48)
SQUARE = places([(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)])


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def reduced(picture, factor):
    height, width, channels = picture.shape
    return picture.reshape(height // factor, factor, width // factor, factor, channels).mean(axis=(1, 3))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paperdoll") / "dolls"
    write_catalogue(folder, 8, SIZE, seed=5, workers=1)
    return folder


# The catalogue's files.


def test_same_bytes_whatever_the_workers(catalogue, tmp_path):
    write_catalogue(tmp_path / "two", 8, SIZE, seed=5, workers=2)
    assert contents(tmp_path / "two") == contents(catalogue)


def test_an_entry_does_not_depend_on_the_count(catalogue, tmp_path):
    write_catalogue(tmp_path / "few", 3, SIZE, seed=5)
    few, many = contents(tmp_path / "few"), contents(catalogue)
    assert few.pop("manifest.jsonl").splitlines() == many["manifest.jsonl"].splitlines()[:3]
    del few["paperdoll.json"]
    assert len(few) > 9 and all(many[name] == content for name, content in few.items())


def test_manifest_keeps_its_contract(catalogue):
    manifest = read_manifest(catalogue)
    assert [entry.id for entry in manifest.entries] == [f"{i:06d}" for i in range(8)] and not manifest.skipped
    for i, line in enumerate((catalogue / "manifest.jsonl").read_text().splitlines()):
        entry, doll = json.loads(line), draw_entry(5, i, SIZE)
        assert np.array_equal(np.asarray(Image.open(catalogue / entry["image"])), doll.photo)
        assert np.array_equal(np.asarray(Image.open(catalogue / entry["masks"])), doll.masks)
        assert list(entry["articles"]) == list(doll.articles)
        for slot, path in entry["articles"].items():
            assert np.array_equal(np.asarray(Image.open(catalogue / path)), doll.articles[slot])
        assert entry["keypoints"]["size"] == [64, 48]
        assert np.allclose(entry["keypoints"]["points"], doll.keypoints, atol=1e-3)


def test_large_pictures_are_jpeg(tmp_path):
    write_catalogue(tmp_path / "large", 1, (320, 240))
    entry = json.loads((tmp_path / "large/manifest.jsonl").read_text())
    photo = Image.open(tmp_path / "large" / entry["image"])
    assert photo.format == "JPEG" and photo.size == (240, 320)
    assert np.abs(np.asarray(photo, float) - draw_entry(0, 0, (320, 240)).photo).mean() < 2


def test_killed_and_run_again_gives_the_same_bytes(tmp_path):
    def start(out):
        command = [
            sys.executable,
            "-m",
            "tf_outfit_gan.cli.main",
            "paperdoll",
            str(out),
            "--count",
            "64",
            "--size",
            "64x48",
            "--seed",
            "9",
            "--workers",
            "2",
            "--quiet",
        ]
        return subprocess.Popen(command)

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(killed)
    deadline = time.monotonic() + 60
    while len(list(killed.glob("images/*"))) < 10:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "manifest.jsonl").exists()
    assert start(killed).wait(timeout=60) == 0
    assert start(whole).wait(timeout=60) == 0
    assert contents(killed) == contents(whole)


def test_a_whole_catalogue_is_not_drawn_again(catalogue):
    before = {path: path.stat().st_mtime_ns for path in catalogue.rglob("*")}
    write_catalogue(catalogue, 8, SIZE, seed=5)
    assert {path: path.stat().st_mtime_ns for path in catalogue.rglob("*")} == before


# The truth of an entry.


def test_a_small_picture_shows_the_same_scene():
    for i in range(6):
        large, small = draw_entry(3, i, (256, 192)), draw_entry(3, i, (64, 48))
        assert np.allclose(large.keypoints[:, :2], 4 * small.keypoints[:, :2])
        assert np.abs(reduced(large.photo, 4) - small.photo).mean() < 5
        for slot, article in large.articles.items():
            assert np.abs(reduced(article, 4) - small.articles[slot]).mean() < 8


@pytest.mark.parametrize("shares", [PLAIN, PLAIN | {"backs": 1.0, "bodies": 1.0}], ids=["plain", "backs and bodies"])
def test_keypoints_lie_on_the_figure(shares):
    for i in range(40):
        scene = draw_scene(4, i, shares)
        canvas = Canvas((256, 192), (255, 255, 255), 1)
        for layer in dressed(scene.figure(), scene.outfit):
            canvas.paint(layer)
        drawn = np.asarray(canvas.labels) > 0
        points = scene.figure().keypoints((256, 192))
        assert np.all(points[:, 2] == 1)
        # The crown lies on the head's very edge: look just below it.
        points[9] = 0.95 * points[9] + 0.05 * points[8]
        x, y = np.floor(points[:, :2]).astype(int).T
        assert drawn[y, x].all(), (i, np.flatnonzero(~drawn[y, x]))


def test_right_is_the_persons_right():
    for i in range(40):
        x = draw_scene(6, i).figure().keypoints((256, 192))[:, 0]
        assert x[12] < x[13] and x[2] < x[3]


def test_color_on_the_model_is_the_articles():
    compared = Counter()
    for i in range(40):
        cuts, doll = draw_scene(3, i).outfit.cuts, draw_entry(3, i, (128, 96))
        for slot in set(cuts) - {"shoes", "bag"}:  # Soles, heels and handles have colors of their own.
            worn = doll.photo[doll.masks == LABEL[slot]]
            if len(cuts[slot].fabric.colors) > 1 or len(worn) < 80:
                continue
            article = doll.articles[slot]
            shown = np.median(article[(article < 250).any(axis=2)], axis=0)
            assert np.abs(worn.mean(axis=0) - cuts[slot].fabric.colors[0]).max() < 16, (i, slot)
            assert np.abs(worn.mean(axis=0) - shown).max() < 32, (i, slot)
            compared[slot] += 1
    assert set(compared) == {"outerwear", "top", "dress", "bottom"}


def test_outfits_are_plausible_and_varied():
    worn, hues, splits = Counter(), Counter(), Counter()
    for i in range(300):
        scene = draw_scene(0, i)
        cuts = scene.outfit.cuts
        worn.update(list(cuts))
        splits[scene.split] += 1
        assert ("dress" in cuts) != ("top" in cuts) and ("top" in cuts) == ("bottom" in cuts)
        hue, saturation, _ = colorsys.rgb_to_hsv(*(c / 255 for c in next(iter(cuts.values())).fabric.colors[0]))
        hues[int(8 * hue)] += saturation > 0.3
    assert set(worn) == set(SLOTS)
    assert worn["shoes"] > 280 and 60 < worn["dress"] < 140 and 60 < worn["outerwear"] < 160 and 80 < worn["bag"] < 180
    assert all(hues[part] >= 5 for part in range(8))
    assert 5 <= splits["test"] <= 30


def test_masks_show_what_is_worn():
    for i in range(20):
        doll = draw_entry(8, i, SIZE)
        seen = {SLOTS[label - 1] for label in np.unique(doll.masks) if label}
        assert seen <= set(doll.articles)
        assert seen & {"top", "dress", "outerwear"}


# The drawing.


def test_a_square_covers_its_pixels():
    canvas = Canvas((20, 20), (0, 0, 0), 5)
    canvas.paint(Flat((200, 100, 50), [SQUARE], 3))
    picture, labels = canvas.result()
    assert np.array_equal(picture[10, 10], (200, 100, 50)) and not picture[2, 2].any()
    assert np.array_equal(labels[4:12, 4:12], np.full((8, 8), 3)) and labels.sum() == pytest.approx(3 * 64, rel=0.2)


def test_shading_keeps_the_mean_color():
    color = (180, 120, 60)
    band = places([(0.4, 0.2), (0.6, 0.2), (0.6, 0.6), (0.4, 0.6)])
    canvas = Canvas((200, 200), (0, 0, 0), 3)
    canvas.paint(Piece(Fabric((color,)), [Part(SQUARE, tones=[(band, 150)])], shadow=0))
    inside = canvas.result()[0][42:118, 42:118].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) > 1
    assert np.allclose(inside.mean(axis=0), color, atol=4)


def test_stripes_follow_their_texture():
    fabric = Fabric(((250, 0, 0), (0, 0, 250)), "horizontal", period=0.2, share=0.5)
    canvas = Canvas((100, 100), (0, 0, 0), 3)
    canvas.paint(Piece(fabric, [Part(SQUARE, tones=[], warp=Warp([0.4 + 0.2j, 0.4 + 0.6j], 1.0))], shadow=0))
    column = canvas.result()[0][20:60, 40]
    assert column[5, 2] > 200 and column[15, 0] > 200 and column[25, 2] > 200 and column[35, 0] > 200


def test_a_straight_limb_is_as_wide_as_its_radii():
    limb = Limb([0j, 0.5j, 1j], 1.0, 1, (lambda u: 0.1 + 0 * u, lambda u: 0.2 + 0 * u))
    outer, inner = limb.edges(np.array([0.5, 1.0, 1.5]), 0.01)
    assert np.allclose(outer, np.array([0.11 + 0.25j, 0.11 + 0.5j, 0.11 + 0.75j]))
    assert np.allclose(inner, np.array([-0.21 + 0.25j, -0.21 + 0.5j, -0.21 + 0.75j]))


@pytest.mark.parametrize("outline", [SQUARE, SQUARE[::-1]])
def test_inset_moves_inwards_either_way_round(outline):
    assert np.allclose(abs(inset(outline, 0.1) - (0.4 + 0.4j)), abs(outline - (0.4 + 0.4j)) - 0.1)


# Refusals.


@pytest.mark.parametrize("size", ["256x256", "192x256", "large", "8x6", "1024"])
def test_a_wrong_size_is_one_clear_line(tmp_path, capsys, size):
    assert main(["paperdoll", str(tmp_path / "out"), "--count", "1", "--size", size]) == 2
    message = capsys.readouterr().err
    assert "--size: expected" in message and repr(size) in message and message.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": -3}, {"seed": -1}, {"workers": 0}])
def test_wrong_numbers_are_refused(tmp_path, wrong):
    with pytest.raises(UserError, match=f"--{next(iter(wrong))} {next(iter(wrong.values()))}: expected"):
        write_catalogue(tmp_path / "out", **{"count": 1, "size": SIZE, **wrong})


def test_foreign_content_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UserError, match="new or empty folder"):
        write_catalogue(tmp_path, 1, SIZE)
    with pytest.raises(UserError, match="new or empty folder"):
        write_catalogue(tmp_path / "letter.txt", 1, SIZE)
    assert os.listdir(tmp_path) == ["letter.txt"]


def test_a_catalogue_of_other_settings_is_left_alone(catalogue):
    before = contents(catalogue)
    with pytest.raises(UserError, match="other settings"):
        write_catalogue(catalogue, 8, SIZE, seed=6)
    assert contents(catalogue) == before


def test_help_needs_no_tensorflow():
    code = "import sys, tf_outfit_gan.data.paperdoll.scene; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[5]).returncode == 0
