"""`outfit-gan render --out-dir`: each picture is the one that is drawn alone, the index agrees, and what is there stays."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.exported import photo, points, tiny_renderer, write_snapshot
from tf_outfit_gan import inference
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.outfit_request import read_pose, read_request
from tf_outfit_gan.rendering.draw import draw
from tf_outfit_gan.rendering.plan import Picture, Plan
from tf_outfit_gan.util.errors import UserError

SIZE = (16, 12)
OUTFITS = {"red": ["top"], "0002": ["top", "shoes"], "a b/c": []}  # The second has no id: it is called by its line.
NAMES = [f"{outfit}_{pose}_{seed}.png" for outfit in ("red", "0002", "a-b-c") for pose in ("left", "right") for seed in (1, 2)]


class CountingRenderer:
    """The shared renderer in small batches of several outfits; it counts what it drew, and is interrupted after so many."""

    def __init__(self):
        self.batch_size, self.most, self.drawn = 6, 1000, 0

    def pictures(self, requests, seeds, psi):
        if self.drawn + len(seeds) > self.most:
            raise KeyboardInterrupt
        self.drawn += len(seeds)
        return tiny_renderer().pictures(requests, seeds, psi)


@pytest.fixture
def renderer(monkeypatch):
    renderer = CountingRenderer()
    monkeypatch.setattr(inference, "Renderer", lambda _: renderer)
    monkeypatch.setattr(snapshots, "load", lambda _: None)
    return renderer


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with outfits.jsonl and two poses."""
    monkeypatch.chdir(tmp_path)
    lines = []
    for number, (name, slots) in enumerate(OUTFITS.items()):
        articles = {slot: f"articles/{number}_{slot}.png" for slot in slots}
        lines.append({"id": name, "articles": articles, "keypoints": points(number)})
        for place, file in enumerate(articles.values()):
            (tmp_path / "articles").mkdir(exist_ok=True)
            photo(10 * number + place).save(tmp_path / file)
    del lines[1]["id"]
    (tmp_path / "outfits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "poses").mkdir()
    for number, name in enumerate(("left", "right")):
        (tmp_path / "poses" / f"{name}.json").write_text(json.dumps(points(20 + number)))
    return tmp_path


def render(snapshot, *options, seeds="1,2"):
    words = ["--outfits", "outfits.jsonl", "--poses", "poses", "--seeds", seeds, "--out-dir", "out", "--quiet"]
    return main(["render", str(snapshot), *words, *options])


def index():
    with open("out/index.jsonl") as lines:
        return [json.loads(line) for line in lines]


def written(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("*.png")}


def test_each_file_is_the_picture_that_is_drawn_alone_and_has_its_line(folder, snapshot, renderer):
    assert render(snapshot, "--psi", "0.6") == 0
    assert [line["file"] for line in index()] == NAMES and set(written(folder)) == set(NAMES)
    with open("outfits.jsonl") as lines:
        entries = dict(zip(OUTFITS, map(json.loads, lines)))
    for line in index():
        pose = read_pose(f"poses/{line['pose']}.json")
        expected = tiny_renderer().picture(read_request(entries[line["outfit"]], SIZE, pose), line["seed"], 0.6)
        found = np.asarray(Image.open(f"out/{line['file']}"))
        assert np.abs(found.astype(int) - expected).max() <= 1
        assert (line["psi"], line["model"], line["scale"], line["conditions"]) == (0.6, str(snapshot), 1, False)
    assert {path.name for path in (folder / "out").iterdir()} == {*NAMES, "index.jsonl"}


def test_what_is_there_whole_is_not_drawn_again(folder, snapshot, renderer, monkeypatch):
    renderer.most = 6
    assert render(snapshot) == 130  # After one of two batches.
    before = written(folder)
    assert [line["file"] for line in index()] == NAMES[:6] == sorted(before, key=NAMES.index)
    # A file is lost, one is cut off, and the last line of the index is torn.
    (folder / "out" / NAMES[0]).unlink()
    (folder / "out" / NAMES[3]).write_bytes((folder / "out" / NAMES[3]).read_bytes()[:-5])
    (folder / "out" / "index.jsonl").write_bytes((folder / "out" / "index.jsonl").read_bytes()[:-9])
    renderer.most, renderer.drawn = 1000, 0
    assert render(snapshot) == 0
    assert renderer.drawn == 3 + 6 and [line["file"] for line in index()] == NAMES
    after = written(folder)
    assert {name for name in before if after[name] == before[name]} == {*NAMES[1:3], NAMES[4]}
    # One more seed is drawn alone; and a folder that is whole needs no model.
    assert render(snapshot, seeds="1,2,3") == 0
    assert renderer.drawn == 9 + 6 and len(index()) == 18
    monkeypatch.setattr(inference, "Renderer", None)
    assert render(snapshot, "--sheet") == 0
    assert [line["file"] for line in index()[:12]] == NAMES and len(index()) == 18
    sheet = Image.open("out/sheet.png")
    assert sheet.width > 4 * 192 and sheet.height > 3 * 256  # A row an outfit.


def test_what_would_be_another_picture_is_drawn_again(folder, snapshot, renderer):
    assert render(snapshot) == 0
    photo(77).save(folder / "articles" / "0_top.png")
    renderer.drawn = 0
    assert render(snapshot) == 0
    assert renderer.drawn == 4  # Of the outfit whose top is another one now.
    for change in (["--psi", "0.5"], ["--scale", "3"], ["--remove", "top"]):
        renderer.drawn = 0
        render(snapshot, *change)
        assert renderer.drawn == (8 if "--remove" in change else 12)  # The third outfit has no top to remove.
    assert len(index()) == 12


def test_an_outfit_that_cannot_be_read_is_left_out_and_named(folder, snapshot, renderer, capsys):
    (folder / "articles" / "1_shoes.png").write_text("this is a text file")
    assert render(snapshot) == 2
    error = capsys.readouterr().err
    assert "left out of out: 1 outfits or pictures; first: articles/1_shoes.png: expected a picture" in error
    assert error.count("\n") == 1
    assert [line["outfit"] for line in index()] == ["red"] * 4 + ["a b/c"] * 4


def test_of_a_batch_the_picture_at_fault_is_left_out():
    class Refusing:
        batch_size = 4

        def pictures(self, requests, seeds, psi):
            if 2 in seeds:
                raise UserError("an article does not decode")
            return np.array(seeds)

    faults = []
    pictures = [Picture("doll", None, seed, None) for seed in range(6)]
    drawn = [pair for batch in draw(Refusing(), pictures, 1.0, faults) for pair in batch]
    assert [(picture.seed, int(pixels)) for picture, pixels in drawn] == [(seed, seed) for seed in (0, 1, 3, 4, 5)]
    assert faults == ["doll, seed 2: an article does not decode"]


def test_pictures_can_be_enlarged_and_stand_beside_their_conditions(folder, snapshot, renderer):
    assert render(snapshot) == 0
    plain = np.asarray(Image.open(f"out/{NAMES[4]}"))
    assert render(snapshot, "--scale", "4", "--show-conditions") == 0
    shown = np.asarray(Image.open(f"out/{NAMES[4]}"))
    height, width = 4 * SIZE[0], 4 * SIZE[1]
    # Six slots in two rows with 2 pixels between them, then 4 pixels, the pose, 4 pixels, the picture.
    half_height, half_width = height // 2, width // 2
    assert shown.shape == (height + 2, 3 * half_width + 4 + 2 * (4 + width), 3)
    np.testing.assert_array_equal(shown[:height, -width:], plain.repeat(4, 0).repeat(4, 1))
    top = Image.open(folder / "articles" / "1_top.png").resize((half_width, half_height), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(shown[:half_height, half_width + 2 : 2 * half_width + 2], top)  # The second slot.
    assert (shown[:half_height, :half_width] == 128).all()
    pose = shown[:height, -2 * width - 4 : -width - 4]
    assert (pose == 128).any() and (pose != 128).any() and (shown[:, -width - 4 : -width] == 255).all()


@pytest.mark.parametrize("names", [["a/b", "a b"], ["a", "a"]])
def test_two_pictures_of_one_name_are_refused(names):
    plan = Plan([(name, None) for name in names], [], [1])
    with pytest.raises(UserError, match=f"outfits {names[0]} and {names[1]}: both pictures would have one name"):
        plan.check_names()
    with pytest.raises(UserError, match="seeds 1 and 1"):
        Plan(None, [], [1, 2, 1]).check_names()


def test_names_of_files_are_different_where_the_names_joined_are_not():
    assert Picture("a_b", "c", 1, None).file != Picture("a", "b_c", 1, None).file
    assert Picture("../a", None, 1, None).file == "a_1.png" and Picture(None, None, -7, None).file == "-7.png"


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["--out", "out.png", "--sheet", "--outfits", "outfits.jsonl"], "--sheet: belongs to --out-dir"),
        (["--out", "out.png", "--out-dir", "out"], "--out-dir: not allowed with argument --out"),
        (["--outfits", "outfits.jsonl"], "one of the arguments --out --out-dir is required"),
        (["--server", "localhost:1", "--out-dir", "out"], "expected SNAPSHOT or --server HOST:PORT, got both"),
        (["--outfits", "lost", "--out-dir", "out"], "lost: expected JSON lines, or a folder of JSON files, no such file"),
        (["--outfits", "articles", "--out-dir", "out"], "articles: expected JSON lines, or a folder of JSON files, found none"),
        (["--outfits", "bad.jsonl", "--out-dir", "out"], "bad.jsonl line 2: unknown slot 'hat'"),
        (
            ["--outfits", "outfits.jsonl", "--out-dir", "out", "--seeds", "1,1"],
            "seeds 1 and 1: both pictures would have one name",
        ),
        (["--outfits", "outfits.jsonl", "--out-dir", "outfits.jsonl"], "outfits.jsonl: expected a folder (File exists)"),
    ],
)
def test_mistakes_are_one_line(folder, snapshot, capsys, arguments, text):
    good, bad = {"articles": {}, "keypoints": points(1)}, {"articles": {"hat": "top.png"}}
    (folder / "bad.jsonl").write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n")
    assert main(["render", str(snapshot), "--quiet", *arguments]) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1


def test_an_unconditional_model_draws_a_file_a_seed(folder, monkeypatch):
    write_snapshot(folder / "snapshot", "conditional=false")
    words = ["render", "snapshot", "--seeds", "7,8", "--out-dir", "out", "--quiet"]
    assert main([*words, "--show-conditions"]) == 2
    assert main(words) == 0
    assert [(line["file"], line["outfit"], line["psi"]) for line in index()] == [("7.png", None, 0.7), ("8.png", None, 0.7)]
    assert (np.asarray(Image.open("out/7.png")) != np.asarray(Image.open("out/8.png"))).any()
