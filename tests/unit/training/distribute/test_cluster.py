"""Which cluster a process belongs to: TF_CONFIG, SLURM's variables, a list of hosts; and what is refused."""

import json
import socket
import subprocess
import sys

import pytest

from tf_outfit_gan.cli.main import main
from tf_outfit_gan.util.errors import UserError
from training.distribute.cluster import Cluster, expand_hosts, resolve

ALONE = {"PATH": "/bin"}


def tf_config(workers, index=0, job="worker", **jobs):
    return {"TF_CONFIG": json.dumps({"cluster": {"worker": workers, **jobs}, "task": {"type": job, "index": index}})}


def slurm(node, place, **changed):
    """The environment of a task of `srun --nodes 4 --ntasks 7`, in SLURM's documented form."""
    return {
        "SLURM_JOB_ID": "4242",
        "SLURM_STEP_ID": "1",
        "SLURM_STEP_NUM_TASKS": "7",
        "SLURM_STEP_NODELIST": "node[01-03,07]",
        "SLURM_STEP_TASKS_PER_NODE": "2(x3),1",
        "SLURM_NODEID": str(node),
        "SLURM_LOCALID": str(place),
    } | changed


@pytest.mark.parametrize(
    "text, hosts",
    [
        ("a", ["a"]),
        ("node[01-03,07]", ["node01", "node02", "node03", "node07"]),
        (
            "gpu[9-11],cpu,n[1-2]x[3,5].local",
            ["gpu9", "gpu10", "gpu11", "cpu", "n1x3.local", "n1x5.local", "n2x3.local", "n2x5.local"],
        ),
        ("train-[0-1].train:2222", ["train-0.train:2222", "train-1.train:2222"]),
    ],
)
def test_lists_of_hosts(text, hosts):
    assert expand_hosts(text) == hosts


def test_nothing_said_is_a_process_alone():
    assert resolve(None, ALONE) is None
    assert resolve(None, tf_config(["one:1"])) is None
    assert resolve("none", tf_config(["one:1", "two:2"])) is None
    assert resolve(None, {"TF_CONFIG": "{}"}) is None


def test_tf_config_as_it_is():
    assert resolve(None, tf_config(["one:1", "two:2"], 1)) == Cluster(("one:1", "two:2"), 1)


def test_a_chief_of_its_own_is_the_first_worker():
    assert resolve(None, tf_config(["one:1"], 0, "chief", chief=["head:9"])) == Cluster(("head:9", "one:1"), 0)
    assert resolve(None, tf_config(["one:1"], 0, "worker", chief=["head:9"])) == Cluster(("head:9", "one:1"), 1)


def test_tasks_of_slurm():
    """Job 4242, step 1: ports from 20000 + 42421 % 10000 on, one a task of a node."""
    workers = tuple(f"node{node}:2242{task}" for node in ("01", "02", "03") for task in (1, 2)) + ("node07:22421",)
    assert resolve(None, slurm(0, 0)) == Cluster(workers, 0)
    assert resolve(None, slurm(1, 1)) == Cluster(workers, 3)
    # Distributed cyclically over the nodes, this would be task 3; it listens on its own node all the same.
    assert resolve(None, slurm(3, 0, SLURM_PROCID="3")) == Cluster(workers, 6)
    assert resolve(None, slurm(0, 0, SLURM_STEP_NUM_TASKS="1")) is None
    assert resolve(None, slurm(0, 0) | tf_config(["one:1", "two:2"])).workers == ("one:1", "two:2")


def test_a_machine_finds_itself_in_a_list_of_hosts(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "train-1")  # As a pod of an indexed job is called.
    assert resolve("train-[0-2].train", ALONE) == Cluster(tuple(f"train-{i}.train:8888" for i in range(3)), 1)
    with pytest.raises(UserError, match="host name, train-1, once in the list, found it 0 times"):
        resolve("gpu1,gpu2", ALONE)
    with pytest.raises(UserError, match="found it 2 times"):
        resolve("train-1:1,train-1:2", ALONE)


@pytest.mark.parametrize(
    "environment, message",
    [
        ({"TF_CONFIG": "{cluster"}, "TF_CONFIG '{cluster': expected"),
        ({"TF_CONFIG": "[1]"}, r"TF_CONFIG '\[1\]': expected"),
        (tf_config(["one:1", "two:2"], 2), 'its task {"type": "worker", "index": 2} is none of its cluster'),
        (tf_config(["one:1", "two:2"], -1), "is none of its cluster"),
        (tf_config(["one:1", "two:2"], 0, "chief"), "is none of its cluster"),
        ({"TF_CONFIG": json.dumps({"cluster": {"worker": ["one:1", "two:2"]}})}, "its task null is none of its cluster"),
        (tf_config(["one:1", "one:1"], 1), "the address one:1 is there twice"),
        (tf_config(["one:1", "two"]), "'two' is no address of a worker; expected one such as gpu01:8888"),
        (tf_config(["one:1", "two:0"]), "'two:0' is no address"),
        (tf_config(["one:1", "two:2"], ps=["three:3"]), "a job 'ps', which this program has no use for"),
        (slurm(0, 0, SLURM_STEP_NODELIST="node[01-0x]"), r"\[01-0x\] is no range"),
        (slurm(0, 0, SLURM_STEP_TASKS_PER_NODE="2"), r"4 nodes with \[2\] tasks do not make 7 tasks"),
        (slurm(3, 1), "number 1 of node 3, is none of them"),
        (slurm(0, 0, SLURM_STEP_TASKS_PER_NODE="two"), "SLURM: invalid literal.*'two'.*train alone with --cluster none"),
        ({"SLURM_STEP_NUM_TASKS": "2"}, "SLURM_STEP_NODELIST is not set"),
    ],
)
def test_what_is_no_cluster_is_refused(environment, message):
    with pytest.raises(UserError, match=message):
        resolve(None, environment)


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"worker 0 at localhost:{port}: cannot listen on port {port}"):
            Cluster((f"localhost:{port}", "localhost:1"), 0).check_port()
    Cluster((f"localhost:{port}", "localhost:1"), 0).check_port()


def test_the_command_refuses_before_tensorflow_is_imported(tmp_path):
    """One line and exit code 2, in a fraction of the time that TensorFlow's import takes."""
    code = (
        "import sys; from tf_outfit_gan.cli.main import main; code = main(sys.argv[1:]); "
        "sys.exit(9 if 'tensorflow' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "train", str(tmp_path / "run"), "--data", "nowhere"],
        env=tf_config(["one:1", "one:1"]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "outfit-gan train: error: TF_CONFIG: the address one:1 is there twice; each worker needs one of its own\n"
    )


def test_bad_options_are_refused(tmp_path, capsys):
    assert main(["train", str(tmp_path / "run"), "--data", "nowhere", "--cluster-timeout", "0"]) == 2
    assert "--cluster-timeout: expected a number above 0, got '0'" in capsys.readouterr().err
