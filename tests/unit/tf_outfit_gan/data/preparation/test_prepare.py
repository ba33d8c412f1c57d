"""prepare: the records hold the truth, the bytes do not depend on processes or kills, bad entries are set aside."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.helpers.catalogues import article_pixels, photo_pixels, worn, write_catalogue
from tests.helpers.odd_pictures import ADOBE_RGB, cmyk_profile, encoded, matrix_profile
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.manifest import Entry, Outfit, read_manifest
from tf_outfit_gan.data.preparation.prepare import _size_of_photos, plan, prepare
from tf_outfit_gan.data.preparation.shards import finished, make_shard, plan_shards
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError


def contents(data):
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def examples(dataset, split, kind, size):
    for record in tf.data.TFRecordDataset(dataset.files(split, kind, size)):
        yield tf.train.Example.FromString(record.numpy()).features.feature


def test_records_hold_the_pictures_and_the_poses(tmp_path):
    source = write_catalogue(tmp_path / "shop", 12)
    dataset = prepare(source, tmp_path / "data", workers=1, quiet=True)
    assert dataset.levels == ((4, 3), (8, 6), (16, 12)) and dataset.slots == SLOTS
    assert (dataset.count("train"), dataset.count("test"), dataset.skipped) == (9, 3, 0)
    assert dataset.articles("test") == {slot: sum(slot in worn(index) for index in (0, 5, 10)) for slot in SLOTS}
    lines = [json.loads(line) for line in (source / "manifest.jsonl").read_text().splitlines()]
    seen = []
    streams = [
        examples(dataset, "train", kind, size)
        for kind, size in (("photos", (16, 12)), ("articles", (16, 12)), ("articles", (8, 6)))
    ]
    for photo, large, small in zip(*streams, strict=True):
        name = photo["id"].bytes_list.value[0].decode()
        index = int(name[1:])
        seen.append(index)
        assert photo["image"].bytes_list.value[0] == photo_pixels(index, (16, 12)).tobytes()
        for feature, size in ((large, (16, 12)), (small, (8, 6))):
            assert list(feature["articles"].bytes_list.value) == [
                article_pixels(index, slot, size).tobytes() if slot in worn(index) else b"" for slot in SLOTS
            ]
        points = np.float32(lines[index]["keypoints"]["points"])
        np.testing.assert_allclose(np.reshape(photo["keypoints"].float_list.value, (16, 3)), points / [12, 16, 1], atol=1e-6)
    assert sorted(seen) == [index for index in range(12) if index % 5]


def test_the_documented_reader_reads_the_records(tmp_path, monkeypatch):
    prepare(write_catalogue(tmp_path / "shop", 3, (64, 48)), tmp_path / "data", workers=1, quiet=True)
    page = (Path(__file__).parents[5] / "docs/data.md").read_text()
    code = page.split("## The records")[1].split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(code, found := {})
    index = int(found["entry"]["id"].numpy()[1:])
    np.testing.assert_array_equal(found["picture"], photo_pixels(index, (64, 48)))
    assert found["entry"]["keypoints"].shape == (16, 3)


def test_articles_are_stored_up_to_a_size(tmp_path):
    source = write_catalogue(tmp_path / "shop", 6, (64, 48))
    dataset = prepare(source, tmp_path / "data", article_size=(24, 20), workers=1, quiet=True)
    assert dataset.levels[-1] == (64, 48) and dataset.article_levels == ((4, 3), (8, 6), (16, 12))
    assert len(list((tmp_path / "data/records").glob("train-*-articles-*"))) == 3
    for photo, record in zip(examples(dataset, "train", "photos", (8, 6)), examples(dataset, "train", "articles", (16, 12))):
        index = int(photo["id"].bytes_list.value[0][1:])
        for slot, stored in zip(SLOTS, record["articles"].bytes_list.value, strict=True):
            assert bool(stored) == (slot in worn(index))
            if stored:  # But for its middle, where the halves meet.
                pixels = np.frombuffer(stored, np.uint8).reshape(16, 12, 3)
                np.testing.assert_array_equal(pixels[:, [0, -1]], article_pixels(index, slot, (16, 12))[:, [0, -1]])
    with pytest.raises(UserError, match="no articles of size 64x48: it holds 4x3, 8x6, 16x12; .* --article-size 64x48"):
        dataset.files("train", "articles", (64, 48))
    with pytest.raises(UserError, match="made from another article size"):
        prepare(source, tmp_path / "data", article_size=(8, 6), workers=1, quiet=True)
    # Earlier versions stored articles at every level, as is done where the largest is not too large; and did not say so.
    whole = prepare(source, tmp_path / "whole", workers=1, quiet=True)
    assert whole.article_levels == whole.levels
    fields = json.loads((tmp_path / "whole/dataset.json").read_text())
    del fields["article_levels"]
    (tmp_path / "whole/dataset.json").write_text(json.dumps(fields))
    assert prepare(source, tmp_path / "whole", workers=1, quiet=True) == whole


def test_a_large_picture_is_set_aside_unless_it_is_allowed(tmp_path, capsys):
    source = write_catalogue(tmp_path / "shop", 2, (256, 192))
    Image.new("RGB", (900, 1200)).save(source / "e001.png")
    command = ["prepare", str(source), "--size", "16x12", "--workers", "1", "--quiet", "--max-megapixels"]
    assert main([*command, "1", str(tmp_path / "small")]) == 0
    assert "e001.png: expected a picture such as PNG or JPEG, could not read it (1200x900 pixels" in capsys.readouterr().out
    assert main([*command, "1.1", str(tmp_path / "large")]) == 0
    assert open_dataset(tmp_path / "large").skipped == 0


def test_the_bytes_do_not_depend_on_the_number_of_processes(tmp_path):
    source = write_catalogue(tmp_path / "shop", 40, (128, 96))
    for workers in (1, 2):
        prepare(source, tmp_path / f"data{workers}", (128, 96), workers=workers, quiet=True)
    one, two = contents(tmp_path / "data1"), contents(tmp_path / "data2")
    assert one == two and len(one) == 1 + 2 * (1 + 2 * 6)  # dataset.json; splits: done; kinds, levels
    assert one["records/test-00000-of-00001-photos-128x96"].count(b"\xff\xd8\xff") == 8  # JPEG


def test_cmyk_without_a_profile_is_counted_and_converted_as_asked(tmp_path, capsys):
    source = write_catalogue(tmp_path / "shop", 4)
    profile = cmyk_profile(np.zeros((2, 2, 2, 2, 3)) + [50, 0, 0])  # Every ink is a gray, 119 in sRGB.
    (tmp_path / "press.icc").write_bytes(profile)
    ink = Image.new("CMYK", (12, 16), (255, 0, 255, 0))
    (source / "e001.png").write_bytes(encoded(ink, "TIFF"))
    (source / f"e001_{worn(1)[0]}.png").write_bytes(encoded(Image.new("CMYK", (12, 16), (0, 0, 0, 99)), "TIFF"))
    (source / "e002.png").write_bytes(encoded(ink, "TIFF", icc_profile=profile))
    command = ["prepare", str(source), "--workers", "1", "--quiet"]
    for data, options, said, color in (
        ("plain", [], "the plain formula; --cmyk-profile", (0, 255, 0)),
        ("press", ["--cmyk-profile", str(tmp_path / "press.icc")], "the profile of --cmyk-profile", (119, 119, 119)),
    ):
        assert main([*command, str(tmp_path / data), *options]) == 0
        assert f"warning: 2 pictures are CMYK without a profile, converted by {said}" in capsys.readouterr().out
        dataset = open_dataset(tmp_path / data)
        assert dataset.unprofiled_cmyk == 2
        photos = {
            photo["id"].bytes_list.value[0]: np.frombuffer(photo["image"].bytes_list.value[0], np.uint8).reshape(16, 12, 3)
            for photo in examples(dataset, "train", "photos", (16, 12))
        }
        np.testing.assert_allclose(photos[b"e001"][0, 0], color, atol=1)
        np.testing.assert_allclose(photos[b"e002"][0, 0], (119, 119, 119), atol=1)
    # What the profile was belongs to what the records are made of.
    assert main([*command, str(tmp_path / "press")]) == 2
    assert "made from another cmyk profile" in capsys.readouterr().err
    # Whose pictures they are, the catalogue's inspection says.
    assert main(["inspect", str(source), "--workers", "1", "--quiet", "--json", "--out", str(tmp_path / "sheet.png")]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings["photo in CMYK without a profile"] == findings["article in CMYK without a profile"] == ["e001"]
    assert main(["inspect", str(tmp_path / "plain"), "--quiet", "--out", str(tmp_path / "sheet.png")]) == 0
    assert "2 pictures were CMYK without a profile" in capsys.readouterr().out
    # An update counts what stays.
    lines = (source / "manifest.jsonl").read_text().splitlines()
    (source / "manifest.jsonl").write_text("\n".join([*lines[:3]]))
    assert prepare(source, tmp_path / "plain", update=True, workers=1, quiet=True).unprofiled_cmyk == 2


@pytest.mark.parametrize(
    "content, found",
    [
        (b"no profile at all", "cannot open profile"),
        (matrix_profile(*ADOBE_RGB), "found RGB"),
    ],
)
def test_what_is_no_profile_of_cmyk_is_named(tmp_path, capsys, content, found):
    source, profile = write_catalogue(tmp_path / "shop", 2), tmp_path / "some.icc"
    profile.write_bytes(content)
    assert main(["prepare", str(source), str(tmp_path / "data"), "--cmyk-profile", str(profile)]) == 2
    message = capsys.readouterr().err
    assert f"{profile}: expected an ICC profile of CMYK colors" in message and found in message


@pytest.fixture
def damaged(tmp_path):
    """A catalogue with a bad line, a broken photo, a broken article and seven good entries."""
    source = write_catalogue(tmp_path / "shop", 9)
    (source / "e001.png").write_bytes((source / "e001.png").read_bytes()[:60])
    (source / f"e006_{worn(6)[0]}.png").write_text("no picture")
    with open(source / "manifest.jsonl", "a") as manifest:
        manifest.write('{"id": "e009", "image": "e008.png", "articles": {"hat": "e008.png"}}\n')
    return source


def test_bad_entries_are_set_aside_and_counted(damaged, tmp_path, capsys):
    dataset = prepare(damaged, tmp_path / "data", workers=1, quiet=True)
    assert (dataset.count("train"), dataset.count("test"), dataset.skipped) == (5, 2, 3)
    skipped = [json.loads(line) for line in (tmp_path / "data/skipped.jsonl").read_text().splitlines()]
    assert [(skip["line"], skip["id"]) for skip in skipped] == [(2, "e001"), (7, "e006"), (10, "e009")]
    assert "e001.png: expected a picture" in skipped[0]["reason"] and "unknown slot 'hat'" in skipped[2]["reason"]
    assert "3 set aside (see skipped.jsonl)" in capsys.readouterr().out


def test_strict_stops_at_a_bad_line_and_at_a_bad_picture(damaged, tmp_path, capsys):
    data = tmp_path / "data"
    assert main(["prepare", str(damaged), str(data), "--strict", "--quiet"]) == 2
    assert "manifest.jsonl line 10: unknown slot 'hat'" in capsys.readouterr().err
    manifest = damaged / "manifest.jsonl"
    manifest.write_text("\n".join(manifest.read_text().splitlines()[:9]))
    with pytest.raises(UserError, match="line (2|7): .*expected a picture"):
        prepare(damaged, data, strict=True, workers=1, quiet=True)
    with pytest.raises(UserError, match="no such file; expected a data set"):
        open_dataset(data)
    prepare(damaged, data, workers=1, quiet=True)
    with pytest.raises(UserError, match="2 bad entries were set aside"):
        prepare(damaged, data, strict=True, workers=1, quiet=True)


def test_nothing_good_is_an_error(tmp_path):
    source = write_catalogue(tmp_path / "shop", 3)
    for picture in source.glob("*.png"):
        picture.write_text("no picture")
    with pytest.raises(UserError, match="could not be read, and none of the other 2 photos"):
        prepare(source, tmp_path / "data", workers=1, quiet=True)
    with pytest.raises(UserError, match="every entry is bad; .*line 1: "):
        prepare(source, tmp_path / "data", (16, 12), workers=1, quiet=True)


def test_a_whole_data_set_is_kept_and_another_is_not_overwritten(tmp_path, capsys):
    source, data = write_catalogue(tmp_path / "shop", 6), tmp_path / "data"
    prepare(source, data, workers=1, quiet=True)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    prepare(source, data, workers=1, quiet=True)
    assert before == {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    assert "already prepared" in capsys.readouterr().out
    with pytest.raises(UserError, match="made from another size"):
        prepare(source, data, (8, 6), workers=1, quiet=True)
    other = write_catalogue(tmp_path / "other", 7)
    with pytest.raises(UserError, match="made from another manifest"):
        prepare(other, data, workers=1, quiet=True)


def test_killed_and_run_again_gives_the_same_bytes(tmp_path):
    source = write_catalogue(tmp_path / "shop", 400)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    prepare(source, whole, workers=1, quiet=True)

    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "prepare", str(source), str(killed)]
    process = subprocess.Popen([*command, "--workers", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list(killed.glob("records/*.done.json"))) < 2:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert not (killed / "dataset.json").exists(), "the run ended before it could be killed"
    # Of the two finished shards one is damaged on top of it.
    kept, damaged = (
        killed / "records" / next(iter(json.loads(done.read_text())["files"]))
        for done in sorted(killed.glob("records/*.done.json"))[:2]
    )
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    written = kept.stat().st_mtime_ns
    prepare(source, killed, workers=1, quiet=True)
    assert contents(killed) == contents(whole)
    assert kept.stat().st_mtime_ns == written, "a finished shard was written again"


def test_tasks_make_their_shares_and_the_last_binds(tmp_path, capsys):
    source = write_catalogue(tmp_path / "shop", 300)
    prepare(source, tmp_path / "whole", workers=1, quiet=True)
    data = tmp_path / "data"
    # Of 240 train and 60 test entries come 2 + 1 shards, one a task. Which task is last is all the same.
    for index in (2, 0):
        assert prepare(source, data, task=(index, 3), workers=1, quiet=True) is None
    assert "task 0 of 3: made its 1 shards; other tasks have 1 left to make" in capsys.readouterr().out
    with pytest.raises(UserError, match="expected a data set, made whole by"):
        open_dataset(data)
    assert prepare(source, data, task=(1, 3), workers=1, quiet=True).count("train") == 240
    assert contents(data) == contents(tmp_path / "whole")
    assert prepare(source, data, task=(0, 3), workers=1, quiet=True).count("test") == 60  # Whole already.


def test_two_at_once_do_no_harm(tmp_path):
    source, data = write_catalogue(tmp_path / "shop", 300), tmp_path / "data"
    prepare(source, tmp_path / "whole", workers=1, quiet=True)
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "prepare", str(source), str(data), "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as other:
        while other.poll() is None and not list(data.glob("records/.*.partial")):
            time.sleep(0.001)
        prepare(source, data, workers=1, quiet=True)
        assert other.wait() == 0, other.stderr.read()
    assert contents(data) == contents(tmp_path / "whole")


def test_a_shard_that_another_made_meanwhile_is_left_to_it(tmp_path):
    source, data = write_catalogue(tmp_path / "shop", 3, test_every=9), tmp_path / "data"
    job, _, shards = plan(source, data)
    (tmp_path / "other/records").mkdir(parents=True)
    make_shard(replace(job, data=tmp_path / "other"), shards[0], lambda count: None)

    def overtaken(count):
        for made in (tmp_path / "other/records").iterdir():
            made.rename(data / "records" / made.name)
        for partial in (data / "records").glob(".*.partial"):
            partial.unlink()

    make_shard(job, shards[0], overtaken)
    assert finished(job, shards[0])

    def lost(count):
        for path in (data / "records").iterdir():
            path.unlink()

    lost(0)
    with pytest.raises(FileNotFoundError):
        make_shard(job, shards[0], lost)


def entries_of(count, articles=(), split="train"):
    outfit = Outfit(dict.fromkeys(articles), None)
    return [Entry(f"{split}{number}", number, split, None, outfit) for number in range(count)]


@pytest.mark.parametrize(
    "count, articles, size, shards",
    [
        (100, 0, (256, 192), 1),  # A shard of at least 128, if the set has as many.
        (1000, 4, (256, 192), 8),
        (20_000, 4, (256, 192), 64),  # Eight readers with eight files each.
        (50_000, 4, (64, 48), 64),
        (140_000, 0, (256, 192), 69),  # At most 2,048 in a shard.
        (80_000, 4, (2048, 1536), 112),  # 3,145,728 pixels and 4 times 49,152, at 0.35 bytes, in 800 MiB each.
    ],
)
def test_the_plan_keeps_shards_small_and_many(count, articles, size, shards):
    plan = plan_shards(entries_of(count, SLOTS[:articles]) + entries_of(10, split="test"), size, min(size, (256, 192)))
    assert [(shard.split, shard.index, shard.num_shards) for shard in plan] == [
        *(("train", index, shards) for index in range(shards)),
        ("test", 0, 1),
    ]
    lengths = [len(shard.entries) for shard in plan[:-1]]
    assert sum(lengths) == count and max(lengths) - min(lengths) <= 1


def test_the_plan_does_not_depend_on_the_order_of_the_entries():
    entries = entries_of(500)
    there, back = (
        [[entry.id for entry in shard.entries] for shard in plan_shards(order, (64, 48), (64, 48))]
        for order in (entries, entries[::-1])
    )
    assert there == back and there[0][:3] != ["train0", "train1", "train2"]


def test_a_data_set_that_is_not_whole_is_refused(tmp_path):
    source, data = write_catalogue(tmp_path / "shop", 6), tmp_path / "data"
    with pytest.raises(UserError, match="expected a data set, made whole by `outfit-gan prepare"):
        open_dataset(data)
    dataset = prepare(source, data, workers=1, quiet=True)
    record = dataset.files("train", "photos", (8, 6))[0]
    with open(record, "rb+") as file:
        file.truncate(100)
    with pytest.raises(UserError, match="photos-8x6: expected .* bytes, found 100"):
        open_dataset(data)
    (data / "dataset.json").write_text('{"format": 1, "levels"')
    with pytest.raises(UserError, match="damaged"):
        open_dataset(data)
    (data / "dataset.json").write_text('{"format": 0}')
    with pytest.raises(UserError, match="not of format 1"):
        open_dataset(data)


def test_entries_without_poses_make_an_unconditional_data_set(tmp_path):
    dataset = prepare(write_catalogue(tmp_path / "shop", 4, poses=False), tmp_path / "data", workers=1, quiet=True)
    assert not dataset.has_keypoints
    assert prepare(write_catalogue(tmp_path / "posed", 4), tmp_path / "data2", workers=1, quiet=True).has_keypoints


def test_wrong_usage_is_one_line_and_exit_2(tmp_path, capsys):
    source = str(write_catalogue(tmp_path / "shop", 2))
    for arguments, words in (
        ([str(tmp_path / "nowhere"), "data"], "manifest.jsonl: no such file"),
        ([source, str(tmp_path / "data"), "--size", "1000x750"], "512x384 is near"),
        ([source, str(tmp_path / "data"), "--size", "big"], "HEIGHTxWIDTH"),
        ([source, f"{source}/manifest.jsonl"], "expected a folder to write to, found a file"),
        ([source, str(tmp_path / "data"), "--workers", "0"], "--workers: expected a whole number of 1 or more"),
        ([source, str(tmp_path / "data"), "--task-index", "4", "--task-count", "4"], "to below the count, got 4"),
        ([source, str(tmp_path / "data"), "--task-index", "4"], "got 4 and None"),
    ):
        assert main(["prepare", *arguments]) == 2
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1


def test_prepare_and_the_start_of_inspect_do_without_tensorflow(tmp_path):
    """It would take a process of either longer than a hundred entries do."""
    source = write_catalogue(tmp_path / "shop", 6, (128, 96))
    code = (
        "import sys, tf_outfit_gan.cli.inspect\n"
        "from tf_outfit_gan.cli.main import main\n"
        "main(['prepare', sys.argv[1], sys.argv[2], '--workers', '1'])\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, source, tmp_path / "data"], check=False).returncode == 0
    assert open_dataset(tmp_path / "data").count("train") == 4


def test_no_comment_of_a_photo_comes_into_the_records(tmp_path):
    source = write_catalogue(tmp_path / "shop", 2, (128, 96), suffix="jpg")
    exif = Image.Exif()
    exif[0x010E] = "of whom"  # What the picture shows.
    Image.open(source / "e001.jpg").save(source / "e001.jpg", comment=b"by whom and of whom", exif=exif)
    assert not prepare(source, tmp_path / "data", (128, 96), workers=1, quiet=True).skipped
    assert not [name for name, content in contents(tmp_path / "data").items() if b"of whom" in content]


def test_the_default_size_is_that_of_the_median_photo_and_at_most_1024x768(tmp_path, capsys):
    source = write_catalogue(tmp_path / "shop", 5, (64, 48), poses=False)
    Image.new("RGB", (2000, 2000), "gray").save(source / "e000.png")
    (source / "e001.png").write_text("no picture")
    assert prepare(source, tmp_path / "data", workers=1, quiet=True).levels[-1] == (64, 48)
    assert "photos are prepared at 64x48; the median photo has 64x48 (--size for another)" in capsys.readouterr().out
    entries = [entry for entry in read_manifest(source).entries if entry.id == "e000"]
    assert _size_of_photos(entries) == (1024, 1024)
    assert "prepared at 1024x1024; the median photo has 2000x2000" in capsys.readouterr().out


def test_a_frame_shows_the_person(tmp_path):
    source = write_catalogue(tmp_path / "shop", 2, (64, 192), test_every=9)
    manifest = source / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    for entry in lines:
        entry["keypoints"]["points"] = [[48, 16, 1], [56, 48, 1]] + [[0, 0, 0]] * 14
    manifest.write_text("\n".join(map(json.dumps, lines)))
    assert main(["prepare", str(source), str(tmp_path / "data"), "--size", "32x24", "--frame", "person", "--quiet"]) == 0
    dataset = open_dataset(tmp_path / "data")
    for record in examples(dataset, "train", "photos", (32, 24)):
        index = int(record["id"].bytes_list.value[0][1:])
        pixels = np.frombuffer(record["image"].bytes_list.value[0], np.uint8).reshape(32, 24, 3)
        assert (pixels == [index, 90, 90]).all(), "not the left half alone, where the person stands"
        pose = np.reshape(record["keypoints"].float_list.value, (16, 3))
        np.testing.assert_allclose(pose[:2, 1], [0.12 / 1.24, 1.12 / 1.24], atol=0.03)
    with pytest.raises(UserError, match="made from another framing"):
        prepare(source, tmp_path / "data", (32, 24), framing="crop", workers=1, quiet=True)
