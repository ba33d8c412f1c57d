"""Snapshots: what is saved comes back, the newest is found, and a damaged one is refused; and truncation's truth."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.exported import write_snapshot
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan import styles
from tf_outfit_gan.util.errors import UserError


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "snapshots" / "000400kimg"
    return write_snapshot(path, "pose_path=style", level=1, alpha=0.25), path


def test_what_is_saved_comes_back(saved):
    snapshot, path = saved
    loaded = snapshots.load(path)
    assert (loaded.config, loaded.level, loaded.alpha, loaded.cur_nimg) == (snapshot.config, 1, 0.25, 400_000)
    assert loaded.size == (8, 6) and loaded.num_layers == 4
    for before, after in zip(snapshot.generator.get_weights(), loaded.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert snapshots.read(path).generator is None


def test_weights_may_be_rounded_to_half_the_size(saved, tmp_path):
    """Each weight comes back as the nearest float16, in a network of float32."""
    snapshot, path = saved
    snapshots.save(tmp_path / "half", snapshot, half=True)
    assert sorted(file.name for file in (tmp_path / "half").iterdir()) == sorted(file.name for file in path.iterdir())
    loaded = snapshots.load(tmp_path / "half")
    for before, after in zip(snapshot.generator.get_weights(), loaded.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(before.astype(np.float16), after)
        assert after.dtype == np.float32


def test_a_run_folder_means_its_newest_snapshot(saved, tmp_path):
    for name in ("000040kimg", "000200kimg", "000100kimg", ".000900kimg.beside"):
        shutil.copytree(saved[1], tmp_path / "snapshots" / name)
    (tmp_path / "snapshots" / "000800kimg").mkdir()
    for path in (tmp_path, tmp_path / "snapshots", tmp_path / "snapshots" / "000200kimg"):
        assert snapshots.newest(path) == tmp_path / "snapshots" / "000200kimg"


def test_saving_again_replaces_the_whole(saved, tmp_path):
    path = tmp_path / "000400kimg"
    path.mkdir()
    (path / "leftover").write_text("")
    snapshots.save(path, saved[0])
    assert sorted(file.name for file in path.iterdir()) == ["config.json", "generator.weights.h5", "state.json"]
    assert list(tmp_path.iterdir()) == [path]


def damaged_state(**changes):
    def damage(path):
        state = json.loads((path / "state.json").read_text()) | changes
        (path / "state.json").write_text(json.dumps({key: value for key, value in state.items() if value is not None}))

    return damage


@pytest.mark.parametrize(
    "damage, text",
    [
        (damaged_state(format=9), "not a readable snapshot: format 9, but this version reads format 1"),
        (damaged_state(level=None), "not a readable snapshot: 'level' is missing"),
        (lambda path: (path / "state.json").write_text("{"), "not a readable snapshot: Expecting"),
        (lambda path: (path / "config.json").write_text('{"color": 1}'), "not a readable snapshot: .*unexpected keyword"),
        (lambda path: (path / "config.json").unlink(), "not a readable snapshot: .*No such file"),
        (lambda path: (path / "state.json").unlink(), "no snapshot here; expected a snapshot folder or a run folder"),
        (lambda path: (path / "generator.weights.h5").write_bytes(b"half"), "generator.weights.h5: weights do not load"),
        (lambda path: (path / "generator.weights.h5").unlink(), "generator.weights.h5: weights do not load"),
    ],
)
def test_a_damaged_snapshot_is_refused_in_one_line(saved, tmp_path, damage, text):
    path = tmp_path / "000400kimg"
    shutil.copytree(saved[1], path)
    damage(path)
    with pytest.raises(UserError, match=text) as error:
        snapshots.load(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_truncation_pulls_the_first_eight_layers_to_the_average():
    w = tf.constant(np.arange(2 * 10 * 3).reshape(2, 10, 3), tf.float32)
    w_avg = tf.constant([1.0, 2.0, 3.0])
    truncated = styles.truncate(w, w_avg, tf.constant([0.0, 0.5])).numpy()
    np.testing.assert_allclose(truncated[0, :8], np.tile(w_avg, (8, 1)))
    np.testing.assert_allclose(truncated[1, :8], (w[1, :8] + w_avg) / 2)
    np.testing.assert_array_equal(truncated[:, 8:], w[:, 8:])


def test_copied_layers_come_from_the_source():
    source, target = tf.ones([2, 6, 1]), tf.zeros([2, 6, 1])
    np.testing.assert_array_equal(styles.copy_layers(source, target, 1, 3)[0, :, 0], [0, 1, 1, 0, 0, 0])
    rows = styles.copy_layers(source, target, tf.constant([0, 4]), tf.constant([2, 6]))[..., 0]
    np.testing.assert_array_equal(rows, [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]])
