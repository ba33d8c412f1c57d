"""The way from a catalogue to a served version on another file system: TensorFlow's own in memory.

Files of `ram://` are those of one process: preparation has one worker here.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf_outfit_gan as og
from export import savedmodel
from export.savedmodel import write_savedmodel
from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import with_overrides
from tf_outfit_gan.config_file import read_settings
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation import shards
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.metrics.subject import open_subject
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path
from training.finetune import resolve_init

SIZE = (16, 12)


def copied(folder, url):
    """Copies the files of a local folder to a URL."""
    for name, content in files_of(folder).items():
        target = as_path(f"{url}/{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
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


@pytest.fixture(scope="module")
def runs(stored, tmp_path_factory):
    """A run on the disk; and the same one in the store, by two machines one after the other."""
    local, *_ = stored
    folder = tmp_path_factory.mktemp("runs")
    settings = ["size=8x6", "stable_kimg=0.016", "fade_kimg=0.016", "conditional=false", "seed=1", "tick_kimg=0.008"]

    def train(run, data, total_kimg):
        words = ["train", str(run), "--data", str(data), "--preset", "tiny", "--quiet", "--set", f"total_kimg={total_kimg}"]
        assert main([*words, *(f"--set={setting}" for setting in settings)]) == 0

    train(folder / "here", local / "data", 0.032)
    with pytest.MonkeyPatch.context() as patch:
        for machine, total_kimg in (("first", 0.016), ("second", 0.032)):
            (folder / machine).mkdir()
            patch.setattr(tempfile, "tempdir", str(folder / machine))
            train("ram://road/runs/there", "ram://road/data", total_kimg)
    return folder / "here", as_path("ram://road/runs/there")


def test_a_run_in_the_store_is_the_run_on_the_disk(runs):
    here, there = runs
    configs = [json.loads((run / "config.json").read_text()) for run in (here, there)]
    assert configs[1]["data"] == "ram://road/data" and configs[0]["data_checksum"] == configs[1]["data_checksum"]
    losses = [
        [json.loads(line)["loss_discriminator"] for line in (run / "stats.jsonl").read_text().splitlines()]
        for run in (here, there)
    ]
    assert losses[0] == losses[1] and "resuming" in (there / "log.txt").read_text()
    name = snapshots.newest(here).name
    assert snapshots.newest(there) == there / "snapshots" / name
    ours, theirs = files_of(here / "snapshots" / name), files_of(there / "snapshots" / name)
    assert ours.keys() == theirs.keys() and ours["config.json"] == theirs["config.json"]
    assert {path.name for path in here.iterdir()} - {"lock"} == {path.name for path in there.iterdir()}


def test_everyone_reads_a_run_in_the_store(runs, tmp_path, monkeypatch):
    here, there = runs
    monkeypatch.chdir(tmp_path)
    ours, theirs = (snapshots.load(run, training=True) for run in (here, there))
    assert (ours.config, ours.cur_nimg) == (theirs.config, theirs.cur_nimg)
    for network, other in zip((ours.generator, *ours.training), (theirs.generator, *theirs.training)):
        for weight, expected in zip(network.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, expected)
    assert repr(og.load(str(there))) == repr(og.load(here))
    assert main(["render", str(there), "--seed", "1", "--out", "picture.png"]) == 0

    newest = str(snapshots.newest(there))
    assert open_subject(str(there), None).name == newest
    snapshots.save_transfer_split(newest, 2)
    assert snapshots.transfer_split(there) == 2 and snapshots.transfer_split(here) is None
    snapshots.save("ram://road/saved", theirs)
    assert files_of("ram://road/saved").keys() == files_of(snapshots.newest(here)).keys()
    as_path(f"{newest}/state.json").unlink()
    with pytest.raises(UserError, match="ram://road/runs/there: no snapshot here"):
        snapshots.load(there)
    as_path("ram://road/saved/generator.weights.h5").unlink()
    with pytest.raises(UserError, match="ram://road/saved/generator.weights.h5: weights do not load .*no such file"):
        snapshots.load("ram://road/saved")

    _, model, training = read_settings(f"{there}/config.json")
    configs = with_overrides(model, training, [])
    assert resolve_init(tmp_path / "next", "ram://road/saved", *configs, False)[0] == "ram://road/saved"
    assert main(["report", str(there)]) == main(["report", str(here), str(there)]) == 0
    assert str(there) in (there / "report.html").read_text() and Path("comparison.html").is_file()


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
