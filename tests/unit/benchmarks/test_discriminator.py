"""benchmarks/discriminator.py: a discriminator that sees no shoes gives nothing for other shoes."""

import numpy as np
import pytest

from benchmarks import discriminator
from tests.helpers.exported import make_snapshot
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.networks import build_networks
from tf_outfit_gan.slots import SLOTS

SHOES = SLOTS.index("shoes")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dolls")
    assert main(["paperdoll", str(folder / "dolls"), "--count", "12", "--size", "16x12", "--quiet"]) == 0
    assert main(["prepare", str(folder / "dolls"), str(folder / "data"), "--quiet"]) == 0
    return folder / "data"


def test_an_article_that_is_not_seen_costs_nothing(data):
    snapshot = make_snapshot("size=16x12", "article_differences=true")
    snapshot.training = build_networks(snapshot.config)
    for kind in discriminator.falls(snapshot, open_dataset(data), 8)["shoes"]:
        assert len(kind) == 8 and np.any(kind)

    network = snapshot.training[1]
    kernels = [network.embedding.from_conditions.kernel, *(layer.kernel for layer in network.from_differences)]
    for kernel, first in [(kernel, 3 * SHOES) for kernel in kernels] + [
        (layer.kernel, 3 * (SHOES - len(SLOTS))) for layer in network.from_maps
    ]:
        value = kernel.numpy()
        value[:, :, first : first + 3] = 0
        kernel.assign(value)
    unseen = discriminator.falls(snapshot, open_dataset(data), 8)
    assert not np.any(unseen["shoes"]) and np.any(unseen["top"]) and np.any(unseen["pose"])


def test_the_table_has_a_row_for_each_slot_and_the_pose(data, tmp_path, monkeypatch, capsys):
    snapshot = make_snapshot("size=16x12")
    snapshot.training = build_networks(snapshot.config)
    snapshots.save(tmp_path / "snapshot", snapshot)
    monkeypatch.setattr("sys.argv", ["discriminator", str(tmp_path / "snapshot"), "--data", str(data), "--count", "8"])
    discriminator.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[-len(SLOTS) - 1 :]]
    assert [row[0] for row in rows] == [f"| {part}" for part in (*SLOTS, "pose")] and {len(row) for row in rows} == {6}
