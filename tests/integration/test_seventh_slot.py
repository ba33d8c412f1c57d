"""A seventh slot goes all the way: catalogue, records, training, picture, exported model, client."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.catalogues import write_catalogue
from tests.helpers.serving_model import running_server
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.api import load
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.client import Client
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

SEVEN = (*SLOTS, "hat")
SETTINGS = ("size=8x6", "condition_size=4x3", "total_kimg=0.008", "start_level=1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A catalogue in which everybody wears a hat, its records, and a run on them."""
    folder = tmp_path_factory.mktemp("seven")
    shop = write_catalogue(folder / "shop", 20, (8, 6))
    entries = [json.loads(line) for line in (shop / "manifest.jsonl").read_text().splitlines()]
    for number, entry in enumerate(entries):
        Image.new("RGB", (6, 8), (10 * number, 0, 200)).save(shop / f"hat{number}.png")
        entry["articles"]["hat"] = f"hat{number}.png"
    (shop / "manifest.jsonl").write_text("\n".join(map(json.dumps, entries)))
    data, run = str(folder / "data"), str(folder / "run")
    assert main(["prepare", str(shop), data, "--slots", ",".join(SEVEN), "--workers", "1", "--quiet"]) == 0
    settings = [f"--set={setting}" for setting in SETTINGS]
    assert main(["train", run, "--data", data, "--preset", "tiny", "--quiet", *settings]) == 0
    return folder


def test_the_records_hold_it(folder):
    dataset = open_dataset(folder / "data")
    assert dataset.slots == SEVEN and dataset.skipped == 0
    assert dataset.articles("train")["hat"] == dataset.count("train") == 16


def test_without_being_named_it_is_a_mistake(folder, tmp_path, capsys):
    assert main(["prepare", str(folder / "shop"), str(tmp_path / "data"), "--quiet"]) == 2
    assert "unknown slot 'hat': expected one of outerwear" in capsys.readouterr().err
    assert main(["prepare", str(folder / "shop"), str(folder / "data"), "--slots", "hat,bag", "--quiet"]) == 2
    assert main(["prepare", str(folder / "shop"), str(tmp_path / "data"), "--slots", "hat,hat", "--quiet"]) == 2
    assert "--slots: expected names" in capsys.readouterr().err


def test_the_model_takes_the_slots_of_its_data_and_from_nowhere_else(folder, capsys):
    assert snapshots.read(folder / "run").config.slots == SEVEN
    assert main(["train", str(folder / "run"), "--data", str(folder / "data"), "--set", "slots=top"]) == 2
    assert "a model has the slots of its data; name them in `outfit-gan prepare --slots`" in capsys.readouterr().err


def test_pictures_and_served_pictures_wear_it(folder, tmp_path):
    model, outfit = load(folder / "run"), f"{folder / 'data'}:e003"
    [dressed] = model.render(outfit)
    # The frame of a slot that the body has no place for is the whole figure.
    bare = {"articles": {}, "keypoints": model.styles(outfit).outfit.keypoints}
    hat = np.full((8, 6, 3), 40, np.uint8)
    assert not np.array_equal(model.render(bare), model.render(bare | {"articles": {"hat": hat}}))

    assert main(["export", str(folder / "run"), str(tmp_path / "gen")]) == 0
    card = json.loads((tmp_path / "gen" / "1" / "assets.extra" / "model.json").read_text())
    assert card["slots"] == list(SEVEN)
    assert card["signatures"]["serving_default"]["inputs"]["article_images_bytes"]["shape"] == [None, 7]
    with running_server(tmp_path / "gen") as server:
        for port in (server.rest_port, server.port):
            client = Client(f"localhost:{port}", "gen")
            assert client.slots() == SEVEN
            [served] = client.render(model.styles(outfit).outfit)
            assert np.abs(np.int16(served) - dressed).max() <= 1
            with pytest.raises(UserError, match="unknown slot 'scarf': expected one of .*bag, hat"):
                client.render(bare | {"articles": {"scarf": hat}})
