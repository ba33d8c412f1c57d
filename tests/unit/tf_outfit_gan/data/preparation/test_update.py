"""prepare --update: a data set as a fresh preparation would hold it, of which only what changed was written."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.helpers.catalogues import photo_pixels, write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.pipeline import stored_entries
from tf_outfit_gan.data.preparation import shards, update
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.data.records import open_dataset, reading
from tf_outfit_gan.util.errors import UserError

SIZE = (16, 12)


def lines_of(source):
    return [json.loads(line) for line in (source / "manifest.jsonl").read_text().splitlines()]


def write_lines(source, lines):
    (source / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def updated(source, data, **options):
    return prepare(source, data, SIZE, update=True, workers=1, quiet=True, **options)


def held(dataset):
    """{split: {id: (photo, articles, keypoints)}} as the records hold them."""
    return {
        split: {
            entry["id"].numpy().decode(): (
                entry["image"].numpy(),
                entry["articles"].numpy().tolist(),
                entry["keypoints"].numpy().tolist(),
            )
            for entry in stored_entries(dataset, split, SIZE, SIZE)
        }
        for split in ("train", "test")
    }


def files_of(data):
    return {path.relative_to(data): path.read_bytes() for path in data.rglob("*") if path.is_file()}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A catalogue of 60 entries, prepared in shards of ten, of which e003 was set aside; returns catalogue and data."""
    monkeypatch.setattr(shards, "MANY_ENTRIES", 10)
    source = write_catalogue(tmp_path / "shop", 60, SIZE)
    good = (source / "e003.png").read_bytes()
    (source / "e003.png").write_bytes(good[:60])
    prepare(source, tmp_path / "data", SIZE, workers=1, quiet=True)
    (source / "e003.mended").write_bytes(good)
    return source, tmp_path / "data"


def change(source):
    """Adds three entries, changes the photo of one and the pose of another, mends one, and removes two."""
    lines = lines_of(source)
    for index in (60, 61, 62):
        Image.fromarray(photo_pixels(index, SIZE)).save(source / f"e{index:03d}.png")
        lines.append({**lines[1], "id": f"e{index:03d}", "image": f"e{index:03d}.png"})
    Image.fromarray(photo_pixels(200, SIZE)).save(source / "e007.png")
    lines[8]["keypoints"]["points"][5][0] += 1
    shutil.copyfile(source / "e003.mended", source / "e003.png")
    write_lines(source, [line for line in lines if line["id"] not in ("e011", "e020")])


def test_an_update_holds_what_a_fresh_preparation_holds(shop, tmp_path, capsys):
    source, data = shop
    before, old = open_dataset(data), files_of(data)
    change(source)
    dataset = updated(source, data)
    fresh = prepare(source, tmp_path / "fresh", SIZE, workers=1, quiet=True)
    assert held(dataset) == held(fresh)
    for split in ("train", "test"):
        assert dataset.count(split) == fresh.count(split) and dataset.articles(split) == fresh.articles(split)
    assert dataset.has_keypoints and dataset.skipped == 0 and not (data / "skipped.jsonl").read_text()
    assert dataset.version == 2 and dataset.checksum not in (before.checksum, fresh.checksum)
    assert "4 added, 2 changed, 2 removed" in capsys.readouterr().out
    # What did not change is the same file.
    names = {name for shards in before.splits.values() for shard in shards for name in shard["files"]}
    kept = names & {name for shards in dataset.splits.values() for shard in shards for name in shard["files"]}
    assert 0 < len(kept) < len(names)
    assert all((data / "records" / name).read_bytes() == old[(data / "records" / name).relative_to(data)] for name in kept)
    # Nobody read the first version: nothing of it is left but what the second has, too.
    assert not (data / "dataset-0001.json").exists()
    assert {path.name for path in (data / "records").iterdir()} == {
        name for shards in dataset.splits.values() for shard in shards for name in update._files(shard)
    }


def test_of_a_removed_entry_no_byte_is_left(shop):
    source, data = shop
    # The id as JSON has it, and as a protocol buffer has it: the four letters alone also come up in checksums.
    traces = photo_pixels(11, SIZE).tobytes(), b'"e011"', b"\x04e011"

    def files_with(trace):
        return {path.name for path, content in files_of(data).items() if trace in content}

    assert files_with(traces[0]) and files_with(traces[2])
    write_lines(source, [line for line in lines_of(source) if line["id"] != "e011"])
    dataset = updated(source, data)
    assert set().union(*map(files_with, traces)) == {"removed.jsonl"}
    assert (data / "removed.jsonl").read_text() == '{"id": "e011", "version": 2}\n'
    assert "e011" not in held(dataset)["train"] and len(held(dataset)["train"]) == 46


def test_a_reader_keeps_its_version_until_it_ends(shop, capsys):
    source, data = shop
    before = open_dataset(data)
    there = held(before)
    with reading(before):
        change(source)
        dataset = updated(source, data)
        assert "dataset-0001.json: a run still reads it" in capsys.readouterr().out
        assert held(before) == there != held(dataset)
        assert open_dataset(data) == dataset
        # The next one finds it held, too.
        assert updated(source, data) == dataset and held(before) == there
    assert updated(source, data) == dataset
    assert not (data / "dataset-0001.json").exists()
    with pytest.raises(tf.errors.NotFoundError):
        held(before)
    assert held(dataset)["train"]


def test_killed_and_run_again_gives_the_same_bytes(shop, tmp_path, monkeypatch):
    source, data = shop
    change(source)
    shutil.copytree(data, tmp_path / "whole")
    updated(source, tmp_path / "whole")
    before, make, made = open_dataset(data), shards.make_shard, []

    def killed(job, shard, advance):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(shard.name)
        make(job, shard, advance)

    monkeypatch.setattr(shards, "make_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        updated(source, data)
    assert open_dataset(data) == before and held(before)["train"]
    monkeypatch.setattr(shards, "make_shard", make)
    times = {name: (data / "records" / f"{name}.done.json").stat().st_mtime_ns for name in made}
    updated(source, data)
    assert files_of(data) == files_of(tmp_path / "whole")
    assert times == {name: (data / "records" / f"{name}.done.json").stat().st_mtime_ns for name in made}


def test_what_a_killed_update_made_is_made_again_if_the_files_changed_since(shop, monkeypatch):
    source, data = shop
    change(source)
    monkeypatch.setattr(update, "write_dataset", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        updated(source, data)
    monkeypatch.undo()
    monkeypatch.setattr(shards, "MANY_ENTRIES", 10)
    Image.fromarray(photo_pixels(99, SIZE)).save(source / "e061.png")  # After it was encoded.
    assert held(updated(source, data))["train"]["e061"][0] == photo_pixels(99, SIZE).tobytes()


def test_nothing_changed_is_no_version(shop, capsys):
    source, data = shop
    before = files_of(data)
    assert updated(source, data).version == 1
    assert "up to date" in capsys.readouterr().out
    assert files_of(data) == before
    # Another bad line is noted, and is no other data.
    with open(source / "manifest.jsonl", "a") as manifest:
        manifest.write("{}\n")
    checksum = open_dataset(data).checksum
    dataset = updated(source, data)
    assert (dataset.version, dataset.skipped, dataset.checksum) == (1, 2, checksum)
    assert prepare(source, data, SIZE, workers=1, quiet=True) == dataset  # As it is of this manifest now.
    assert "already prepared" in capsys.readouterr().out


def test_updates_go_on(shop, tmp_path):
    source, data = shop
    change(source)
    updated(source, data)
    lines = lines_of(source)
    lines[0]["split"], lines[4]["split"] = "train", "test"
    write_lines(source, [line for line in lines if line["id"] not in ("e060", "e003")])
    dataset = updated(source, data)
    assert dataset.version == 3
    assert held(dataset) == held(prepare(source, tmp_path / "fresh", SIZE, workers=1, quiet=True))
    removed = [json.loads(line) for line in (data / "removed.jsonl").read_text().splitlines()]
    assert [(line["id"], line["version"]) for line in removed] == [("e011", 2), ("e020", 2), ("e003", 3), ("e060", 3)]


def test_a_file_that_is_lost_sets_its_entry_aside_and_does_not_count_as_removed(shop):
    source, data = shop
    (source / "e012.png").unlink()
    dataset = updated(source, data)
    assert dataset.skipped == 2 and "e012" not in held(dataset)["train"] and not (data / "removed.jsonl").exists()


def test_strict_stops_and_leaves_the_version_as_it_is(shop):
    source, data = shop
    change(source)
    (source / "e060.png").write_text("no picture")
    before = open_dataset(data)
    with pytest.raises(UserError, match="e060.png: expected a picture"):
        updated(source, data, strict=True)
    assert open_dataset(data) == before


def test_what_an_update_cannot_change_is_refused(shop):
    source, data = shop
    with pytest.raises(UserError, match="was made with another framing; give the same options as then"):
        updated(source, data, framing="crop")
    with pytest.raises(UserError, match="was made with another size"):
        prepare(source, data, (8, 6), update=True, workers=1, quiet=True)
    write_lines(source, lines_of(source)[:20])
    with pytest.raises(UserError, match="made from another manifest; add --update to bring it up to date"):
        prepare(source, data, SIZE, workers=1, quiet=True)
    for path in source.glob("e*.png"):
        path.write_text("no picture")
    with pytest.raises(UserError, match="every entry is bad"):
        updated(source, data)
    assert held(open_dataset(data))["train"]


def test_the_command_line_updates_and_refuses_a_job_array(shop, tmp_path, capsys):
    source, data = shop
    change(source)
    command = ["prepare", str(source), "--workers", "1", "--quiet", "--update"]
    assert main([*command, str(data)]) == 0  # The size is that of the data set.
    assert "version 2: 4 added, 2 changed, 2 removed" in capsys.readouterr().out
    assert main([*command, str(data), "--task-index", "0", "--task-count", "2"]) == 2
    assert "--update: is done by the processes of one machine" in capsys.readouterr().err
    # Where there is no data set yet, it is made.
    assert main([*command, str(tmp_path / "new"), "--size", "16x12"]) == 0
    assert held(open_dataset(tmp_path / "new")) == held(open_dataset(data))


def test_records_of_before_fingerprints_are_all_made_again(shop):
    source, data = shop
    for path in (data / "records").glob("*.done.json"):
        fields = json.loads(path.read_text())
        del fields["members"]
        path.write_text(json.dumps(fields))
    there = held(open_dataset(data))
    dataset = updated(source, data)
    assert dataset.version == 2 and held(dataset) == there
    assert np.all([name.startswith("t") and ".0002-" in name for shard in dataset.splits["train"] for name in shard["files"]])
