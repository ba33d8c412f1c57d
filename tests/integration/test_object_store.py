"""The way from a catalogue to a served version on another file system: TensorFlow's own in memory.

Files of `ram://` are those of one process: preparation has one worker here.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from export import savedmodel
from export.savedmodel import write_savedmodel
from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation import shards
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path
from training import checkpoint

SIZE = (16, 12)


def copied(folder, url):
    """Copies the files of a local folder to a URL."""
    for path in folder.rglob("*"):
        if path.is_file():
            target = as_path(f"{url}/{path.relative_to(folder).as_posix()}")
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, path.read_bytes())
    return url


def files_of(place):
    """{name: bytes} of all files below a place."""
    found = {}
    for folder, _, names in tf.io.gfile.walk(str(place)):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            found[path.removeprefix(f"{place}/")] = tf.io.gfile.GFile(path, "rb").read()
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A catalogue with a broken photo, and its data set; both here and in the store."""
    local = tmp_path_factory.mktemp("local")
    shop = write_catalogue(local / "shop", 40, SIZE)
    (shop / "e007.png").write_bytes(b"no picture")
    url = copied(shop, "ram://road/shop")
    prepare(shop, local / "data", SIZE, workers=1, quiet=True)
    return local, url, prepare(url, "ram://road/data", SIZE, workers=1, quiet=True)


def test_the_store_gets_the_bytes_that_the_disk_gets(stored, capsys):
    local, url, dataset = stored
    here, there = files_of(local / "data"), files_of("ram://road/data")
    # A done file has the files' times and, for what is bad, their names.
    assert {name for name in here if not name.endswith(".done.json")} == {
        name for name in there if not name.endswith(".done.json")
    }
    others = {"members": 0, "skipped": 0}
    for name in here:
        if name.endswith(".done.json"):
            assert {**json.loads(here[name]), **others} == {**json.loads(there[name]), **others}
        elif name != "skipped.jsonl":
            assert here[name] == there[name], name
    skipped = json.loads(there["skipped.jsonl"])
    assert skipped["id"] == "e007" and "ram://road/shop/e007.png: expected a picture" in skipped["reason"]
    assert dataset.checksum == open_dataset(local / "data").checksum
    assert open_dataset("ram://road/data") == dataset
    assert prepare(url, "ram://road/data", SIZE, workers=1, quiet=True) == dataset
    assert "already prepared ram://road/data" in capsys.readouterr().out


def test_a_stream_from_the_store_is_that_from_the_disk(stored):
    local, _, dataset = stored
    streams = [batches(data, "train", SIZE, (8, 6), 8, seed=3, mirror=True) for data in (open_dataset(local / "data"), dataset)]
    for here, there in zip(*(stream.take(6) for stream in streams)):
        for name, values in here.items():
            np.testing.assert_array_equal(values, there[name])


def test_killed_and_run_again(stored, monkeypatch):
    _, url, dataset = stored
    monkeypatch.setattr(shards, "MANY_ENTRIES", 8)
    make, made = shards.make_shard, []

    def killed(job, shard, advance):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(shard.name)
        make(job, shard, advance)

    monkeypatch.setattr(shards, "make_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(url, "ram://road/again", SIZE, workers=1, quiet=True)
    with pytest.raises(UserError, match="ram://road/again/dataset.json: no such file; expected a data set"):
        open_dataset("ram://road/again")
    written = []
    monkeypatch.setattr(shards, "make_shard", make)
    monkeypatch.setattr(
        shards,
        "_write_shard",
        lambda job, shard, results, write=shards._write_shard: (written.append(shard.name), write(job, shard, results)),
    )
    again = prepare(url, "ram://road/again", SIZE, workers=1, quiet=True)
    assert not set(made) & set(written) and len(made) + len(written) == sum(map(len, again.splits.values()))
    assert again.count("train") == dataset.count("train")


def test_a_lost_file_is_named(stored):
    local, *_ = stored
    copied(local / "data", "ram://road/lost")
    name = next(iter(open_dataset("ram://road/lost").splits["train"][0]["files"]))
    as_path(f"ram://road/lost/records/{name}").unlink()
    with pytest.raises(UserError, match=f"ram://road/lost/records/{name}: expected .* bytes, found none"):
        open_dataset("ram://road/lost")


def test_an_update_in_the_store(stored, tmp_path, capsys):
    local, *_ = stored
    shop = tmp_path / "shop"
    shutil.copytree(local / "shop", shop)
    url = copied(shop, "ram://road/daily")
    prepare(url, "ram://road/daily-data", SIZE, workers=1, quiet=True)
    lines = (shop / "manifest.jsonl").read_text().splitlines()
    write_whole(as_path(f"{url}/manifest.jsonl"), "\n".join(line for line in lines if '"e011"' not in line) + "\n")
    dataset = prepare(url, "ram://road/daily-data", SIZE, workers=1, quiet=True, update=True)
    assert dataset.version == 2 and "0 added, 0 changed, 1 removed" in capsys.readouterr().out
    # Without locks it is unknown whether a process reads the first version.
    assert as_path("ram://road/daily-data/dataset-0001.json").exists()


def test_a_run_reads_the_store(stored, tmp_path):
    local, *_ = stored
    settings = ["size=8x6", "stable_kimg=0.016", "fade_kimg=0.016", "total_kimg=0.032", "conditional=false", "seed=1"]
    for name, data in (("here", local / "data"), ("there", "ram://road/data")):
        words = ["train", str(tmp_path / name), "--data", str(data), "--preset", "tiny", "--quiet"]
        assert main([*words, *(f"--set={setting}" for setting in settings)]) == 0
    runs = [json.loads((tmp_path / name / "config.json").read_text()) for name in ("here", "there")]
    assert runs[1]["data"] == "ram://road/data" and runs[0]["data_checksum"] == runs[1]["data_checksum"]
    stats = [
        [json.loads(line)["loss_discriminator"] for line in (tmp_path / name / "stats.jsonl").read_text().splitlines()]
        for name in ("here", "there")
    ]
    assert stats[0] == stats[1] and checkpoint.found(tmp_path / "there/checkpoints")


def test_an_export_in_the_store_is_the_one_on_the_disk(tiny_export, monkeypatch):
    snapshot, base_path = tiny_export

    def exported(snapshot, local, limits, version, *options):  # What an export here writes; another one takes long.
        return shutil.copytree(base_path / "1", Path(local) / str(version))

    monkeypatch.setattr(savedmodel, "write_savedmodel", exported)
    there = write_savedmodel(snapshot, "ram://road/models")
    assert str(there) == "ram://road/models/1" and files_of(there) == files_of(base_path / "1")
    assert tf.saved_model.contains_saved_model(str(there))
    assert str(write_savedmodel(snapshot, "ram://road/models")) == "ram://road/models/2"
    with pytest.raises(UserError, match="ram://road/models has that version already"):
        write_savedmodel(snapshot, "ram://road/models", version=2)
    with pytest.raises(UserError, match="ram://road/models/2 is one version of a model; give the folder that it lies in"):
        write_savedmodel(snapshot, "ram://road/models/2")
