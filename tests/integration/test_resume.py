"""Resuming: damaged checkpoints, signals, another number of replicas, repeated log lines, two runs in a folder."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from tests.helpers.catalogues import write_catalogue
from tests.helpers.exported import make_snapshot
from tests.helpers.runs import newest_checkpoint, small_steps, train_command
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.util.errors import UserError
from training import checkpoint
from training.checkpoint import Checkpoints, clear_leftovers, set_aside_broken_lines, truncate_logs
from training.loop import StepsPerCall, train
from training.run_folder import locked
from training.run_options import RunOptions
from training.step import Steps

MODEL = ("size=4x3", "condition_size=4x3", "conditional=false", "mapping_layers=1")
SETTINGS = (*MODEL, "total_kimg=0.064", "checkpoint_kimg=0.016", "tick_kimg=0.008", "snapshot_kimg=1")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    return prepare(write_catalogue(folder / "shop", 45, (4, 3)), folder / "data", workers=1, quiet=True)


def test_a_checkpoint_holds_every_weight(tmp_path):
    """Of all networks, the average that only pictures are made with included; of layers in lists, too."""
    model_config, config = from_preset("tiny")
    networks = ("generator", "discriminator", "average")
    before, after = (Steps(tf.distribute.get_strategy(), model_config, config) for _ in range(2))
    for network in networks:
        for weight in getattr(before, network).weights:
            weight.assign(np.random.default_rng(7).normal(size=weight.shape))
    Checkpoints(tmp_path, before.memory()).save(8, 0)
    assert Checkpoints(tmp_path, after.memory()).restore() == (8, 0, [])
    for network in networks:
        weights, expected = (getattr(steps, network).weights for steps in (after, before))
        for weight, other in zip(weights, expected, strict=True):
            np.testing.assert_array_equal(weight, other, f"{network} {weight.path}")


class TestCheckpoints:
    """What lies on the disk, with a state that is small enough to damage everywhere."""

    @pytest.fixture
    def saved(self, tmp_path):
        """Three checkpoints were saved, of which two are kept."""
        state = small_steps(50)
        for cur_nimg in (8, 16, 24):
            state.generator.assign([cur_nimg] * 50)
            Checkpoints(tmp_path, state.memory()).save(cur_nimg, cur_nimg // 16)
        return tmp_path

    def restored(self, folder):
        state = small_steps(50)
        return *Checkpoints(folder, state.memory()).restore(), state.generator.numpy()[0]

    def test_the_newest_of_two_is_restored(self, saved):
        assert self.restored(saved) == (24, 1, [], 24)
        assert sorted(path.name for path in saved.iterdir()) == ["000000016img", "000000024img"]

    def test_half_a_checkpoint_is_none(self, saved):
        (saved / ".000000032img.host-1.partial").mkdir()
        assert self.restored(saved)[0] == 24
        assert self.restored(saved / "empty") == (0, -1, [], 0)

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "no index", "no data"])
    def test_a_damaged_one_is_named_and_the_one_before_is_used(self, saved, damage):
        data, index = (saved / "000000024img" / f"state.{part}" for part in ("data-00000-of-00001", "index"))
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        {
            "truncated": lambda: os.truncate(data, len(content) - 1),
            "flipped": lambda: data.write_bytes(content),
            "no index": index.unlink,
            "no data": data.unlink,
        }[damage]()
        cur_nimg, period, (line,), value = self.restored(saved)
        assert (cur_nimg, period, value) == (16, 1, 16)
        assert "000000024img: is damaged (" in line and "\n" not in line
        # It is out of the way of those that are kept.
        assert self.restored(saved)[:3] == (16, 1, [])

    def test_every_flipped_byte_of_the_data_is_found(self, saved):
        data = saved / "000000024img" / "state.data-00000-of-00001"
        content = data.read_bytes()
        for place in range(0, len(content), len(content) // 40):
            data.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
            assert checkpoint.damage_of(saved / "000000024img"), place

    def test_if_all_are_damaged_all_are_named_and_none_is_touched(self, saved):
        for path in saved.iterdir():
            (path / "state.index").write_bytes(b"")
        text = "000000024img: is damaged .*; .*000000016img: is damaged .* no checkpoint can be read"
        with pytest.raises(UserError, match=text) as error:
            self.restored(saved)
        assert "\n" not in str(error.value) and len(checkpoint.found(saved)) == 2


def test_what_comes_again_is_taken_back(tmp_path):
    """Lines of stats.jsonl and points of TensorBoard beyond the checkpoint; half a line, and half-written files."""

    def log(values):
        with tf.summary.create_file_writer(str(tmp_path / "tensorboard")).as_default():
            for cur_nimg, value in values.items():
                tf.summary.scalar("loss", value, step=cur_nimg)

    truncate_logs(tmp_path, 0)
    log({8: 1.0, 16: 1.0, 24: 1.0})
    lines = "".join(f'{{"cur_nimg": {cur_nimg}, "loss": 1}}\n' for cur_nimg in (8, 16, 24))
    (tmp_path / "stats.jsonl").write_text(lines + '{"cur_n')  # A kill cut the last line off.
    (tmp_path / "snapshots" / ".000024kimg.host-1.partial").mkdir(parents=True)
    time.sleep(1.1)  # TensorBoard reads files in the order of their names, which begin with the second.
    clear_leftovers(tmp_path)
    (line,) = truncate_logs(tmp_path, 16)
    assert line.endswith("""stats.jsonl line 4: no record, but b'{"cur_n'; it is in stats.jsonl.broken now""")
    assert (tmp_path / "stats.jsonl").read_text() == '{"cur_nimg": 8, "loss": 1}\n{"cur_nimg": 16, "loss": 1}\n'
    assert not list((tmp_path / "snapshots").iterdir())
    log({20: 2.0, 28: 2.0})
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    found = [(event.step, tf.make_ndarray(event.tensor_proto).item()) for event in board.Tensors("loss")]
    assert found == [(8, 1.0), (16, 1.0), (20, 2.0), (28, 2.0)]


GOOD = [b'{"cur_nimg": 8, "loss": 1}', b'{"cur_nimg": 16, "loss": 2}', b'{"cur_nimg": 24, "loss": 3}']


@pytest.mark.parametrize("broken", [b'{"cur_nimg": 1', b"\x00\xff\x00", b"[]", b'{"loss": 1}', b'{"cur_nimg": null}'])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_broken_line_is_named_and_set_aside_and_the_others_stay(tmp_path, broken, place):
    stats = tmp_path / "stats.jsonl"
    stats.write_bytes(b"\n".join([*GOOD[:place], broken, *GOOD[place:]]))
    (line,) = set_aside_broken_lines(stats)
    assert line == f"{stats} line {place + 1}: no record, but {broken!r}; it is in stats.jsonl.broken now"
    assert stats.read_bytes().splitlines() == GOOD and stats.read_bytes().endswith(b"\n")
    assert (tmp_path / "stats.jsonl.broken").read_bytes() == broken + b"\n"
    assert set_aside_broken_lines(stats) == []
    # Those of another time are added.
    stats.write_bytes(b"x\n\n" + stats.read_bytes())
    assert len(set_aside_broken_lines(stats)) == 1
    assert (tmp_path / "stats.jsonl.broken").read_bytes() == broken + b"\nx\n"
    assert stats.read_bytes().splitlines() == GOOD


def test_the_second_run_in_a_folder_is_refused(tmp_path):
    code = "import sys, pathlib\nfrom training.run_folder import locked\n"
    code += "with locked(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(UserError, match=rf"process {holder.pid} on \S+ trains here"), locked(tmp_path):
        pass
    holder.kill()
    holder.wait()
    with locked(tmp_path):  # The dead hold nothing.
        assert f"process {os.getpid()} on " in (tmp_path / "lock").read_text()


def test_a_call_lasts_about_a_second_and_has_so_many_steps_at_most():
    steps_per_call = StepsPerCall(8)
    assert steps_per_call.steps("stage") == 1
    for steps, seconds, expected in ((1, 0.3, 3), (3, 0.9, 3), (3, 0.3, 8), (8, 20.0, 1)):
        steps_per_call.add("stage", steps, seconds)
        assert steps_per_call.steps("stage") == expected
    assert steps_per_call.steps("another") == 1


def test_a_signal_stops_a_run_that_goes_on_later_on_two_replicas(dataset, tmp_path, monkeypatch):
    """SIGTERM while a graph is built, then Ctrl-C while steps are trained; at the end another machine takes over.

    The run starts from another model, once.
    """
    run, arguments, source = tmp_path / "run", (dataset, *from_preset("tiny", SETTINGS)), make_snapshot(*MODEL)
    snapshots.save(tmp_path / "source", source)
    init = str(tmp_path / "source")
    trace, traced = Steps.trace, []

    def interrupted(steps, *args):
        if not traced:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        trace(steps, *args)
        traced.append(True)

    monkeypatch.setattr(Steps, "trace", interrupted)
    with pytest.raises(SystemExit) as stop:
        train(run, *arguments, RunOptions(quiet=True, init=init))
    assert stop.value.code == 143 and traced and newest_checkpoint(run) == 0
    for ours, theirs in zip(snapshots.load(run).generator.get_weights(), source.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)

    def interrupt():
        while not (run / "stats.jsonl").read_text():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Steps, "trace", trace)
    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(SystemExit) as stop:
        train(run, *arguments, RunOptions(quiet=True, init=init))
    watcher.join()
    reached = newest_checkpoint(run)
    assert stop.value.code == 130 and 0 < reached < 64
    assert json.loads((run / "stats.jsonl").read_text().splitlines()[-1])["cur_nimg"] == reached

    code = "import sys, tensorflow as tf\nfrom tf_outfit_gan.cli.main import main\n"
    code += "tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], "
    code += "[tf.config.LogicalDeviceConfiguration()] * 2)\nsys.exit(main(sys.argv[1:]))"
    command = train_command(run, dataset, SETTINGS)
    done = subprocess.run([sys.executable, "-c", code, *command[3:]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert newest_checkpoint(run) == 64
    log = (run / "log.txt").read_text()
    assert f"resuming {run} at {reached / 1000:.1f} kimg on 2 replica(s)" in log
    assert log.count("starting from") == 1 and json.loads((run / "config.json").read_text())["init"] == init


def test_a_run_knows_its_data_and_keeps_what_its_settings_say(dataset, tmp_path, capsys):
    run, settings = tmp_path / "run", (*MODEL, "total_kimg=2", "snapshot_kimg=1", "steps_per_call=64", "keep_snapshots=1")
    assert main(train_command(run, dataset, (*settings, "keep_grids=1"))[3:]) == 0
    assert [path.name for path in (run / "snapshots").iterdir()] == ["000002kimg"]
    assert [path.name for path in run.glob("fakes_*.png")] == ["fakes_000002kimg.png"]
    log = (run / "log.txt").read_text()
    assert f"when done, {run} holds about " in log and "removed snapshots/000001kimg, fakes_000001kimg.png (keep_" in log

    # Other data of the same shape, and a line of stats.jsonl that the disk has damaged.
    shop = write_catalogue(tmp_path / "shop", 45, (4, 3))
    (shop / "e001.png").write_bytes((shop / "e002.png").read_bytes())
    other = prepare(shop, tmp_path / "data", workers=1, quiet=True)
    stats = (run / "stats.jsonl").read_bytes()
    (run / "stats.jsonl").write_bytes(b"\x00\x00\n" + stats)
    assert main(train_command(run, other, settings)[3:]) == 2
    assert "is not the data of this run" in capsys.readouterr().err
    assert main(train_command(run, other, settings, "--accept-data")[3:]) == 0
    log = (run / "log.txt").read_text()
    assert "going on with it, as --accept-data asks" in log and "stats.jsonl line 1: no record" in log
    assert (run / "stats.jsonl").read_bytes() == stats
