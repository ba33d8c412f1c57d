"""What a run keeps, whatever happens, and what it says about its folder."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from tf_outfit_gan.util.errors import UserError
from training.retention import RECENT, Retention, kept, memory_forecast


def test_few_enough_and_no_limit_keep_all():
    assert kept([300, 100, 200], 3) == kept([300, 100, 200], 0) == [100, 200, 300]


def test_the_newest_stay_and_of_the_others_the_first_of_each_span():
    # 8 stay: the newest 4, and of 100 ... 1600 the first in each span of 512 kimg.
    assert kept(range(100, 2001, 100), 8) == [100, 600, 1100, 1600, 1700, 1800, 1900, 2000]
    assert kept(range(100, 2001, 100), RECENT) == [1700, 1800, 1900, 2000]
    assert kept(range(100, 2001, 100), 1) == [2000]


@pytest.mark.parametrize("most", [5, 8, 32])
def test_a_run_thinned_on_its_way_has_all_that_a_thinning_at_its_end_would_keep(most):
    moments, present = [(7 * place * place) % 90 + 200 * place for place in range(1, 126)], []
    for place, moment in enumerate(moments, start=1):
        present = kept([*present, moment], most)
        assert set(kept(moments[:place], most)) <= set(present)
        assert len(present) <= most and present[-RECENT:] == moments[max(0, place - RECENT) : place]


@pytest.fixture
def folder(tmp_path):
    for kimg in range(100, 1001, 100):
        (tmp_path / "snapshots" / f"{kimg:06d}kimg" / "training").mkdir(parents=True)
        (tmp_path / "snapshots" / f"{kimg:06d}kimg" / "state.json").touch()
        (tmp_path / f"fakes_{kimg:06d}kimg.png").touch()
    return tmp_path


def shown(folder):
    snapshots = sorted((folder / "snapshots").iterdir())
    return (
        [int(path.name[:6]) for path in snapshots],
        [int(path.name[:6]) for path in snapshots if (path / "training").exists()],
        sorted(int(path.name[6:12]) for path in folder.glob("fakes_*")),
    )


def config(**settings):
    return from_preset("tiny", [f"{name}={value}" for name, value in settings.items()])[1]


def test_what_goes_is_named_and_the_best_stays(folder):
    (folder / "snapshots" / "my own").mkdir()
    retention = Retention(folder, config(keep_snapshots=6, keep_training=2, keep_grids=3))
    (line,) = retention.prune(best=[300])
    (folder / "snapshots" / "my own").rmdir()
    assert shown(folder) == ([100, 300, 600, 700, 800, 900, 1000], [300, 900, 1000], [300, 800, 900, 1000])
    assert line.startswith("removed snapshots/000200kimg, snapshots/000400kimg, snapshots/000500kimg, ")
    assert "snapshots/000100kimg/training, " in line and "fakes_000700kimg.png (keep_snapshots" in line
    assert "000500kimg/training" not in line  # It went with its snapshot.
    assert retention.prune(best=[300]) == []
    assert not list(folder.rglob(".*"))


def test_zero_keeps_all(folder):
    before = shown(folder)
    assert Retention(folder, config(keep_snapshots=0, keep_training=0, keep_grids=0)).prune() == []
    assert shown(folder) == before
    with pytest.raises(UserError, match="keep_grids must not be negative, got -1"):
        config(keep_grids=-1)


def test_the_forecast_adds_up_what_is_kept(tmp_path):
    (tmp_path / "reals.png").write_bytes(bytes(500_000))
    weights = [SimpleNamespace(weights=[tf.zeros(shape)]) for shape in ([1000, 250], [500, 100])]  # 1 MB and 0.2 MB.
    settings = dict(total_kimg=2000, snapshot_kimg=100, tick_kimg=4, keep_snapshots=8, keep_training=2, keep_grids=4)
    line = Retention(tmp_path, config(**settings)).forecast(*weights)
    # 8 x 1 + 2 x 1.2 + 4 x 0.5 + 2 x (1 + 2 x 1.2) + 500 ticks of 2 kB.
    assert line.startswith(
        f"when done, {tmp_path} holds about 20.2 MB: 8 snapshots of 1.0 MB, 2 with training networks of 1.2 MB, "
        "4 grids of 0.5 MB, 2 checkpoints of 3.4 MB; "
    )
    assert line.endswith(" are free")


def test_the_weights_of_small_networks_are_counted_one_by_one():
    networks = [SimpleNamespace(weights=[], count_params=lambda count=count: count) for count in (1_060_000, 4321)]
    assert memory_forecast(*networks).startswith("generator 1.1 M weights, discriminator 4,321; each device keeps ")
