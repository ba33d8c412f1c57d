"""Which processes train together: found in TF_CONFIG, in SLURM's variables, or in a list of hosts.

Nothing here imports TensorFlow, so that a mistake is reported immediately.
"""

import itertools
import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from tf_outfit_gan.util.errors import UserError

PORT = 8888  # Of a host in a list that names no port.


@dataclass(frozen=True)
class Cluster:
    """The workers of a run, the first of which is the chief.

    Args:
        workers: the address of each, "host:port"; the same list on all of them.
        index: which of them this process is.
    """

    workers: tuple
    index: int

    @property
    def port(self):
        """Where this worker listens."""
        return int(self.workers[self.index].rpartition(":")[2])

    def check_port(self):
        """Raises `UserError` when another process has this worker's port; TensorFlow would not say so."""
        try:
            socket.create_server(("", self.port)).close()
        except OSError as error:
            raise UserError(
                f"worker {self.index} at {self.workers[self.index]}: cannot listen on port {self.port} "
                f"({error.strerror}); end what does, or choose another port"
            ) from None


def resolve(hosts: str | None = None, environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster that this process belongs to; None when it trains alone.

    Args:
        hosts: a list such as "gpu[01-03],gpu07:9000", the same on every machine, each of which finds itself in it by
            its host name; "none" = train alone, whatever the environment says; None = as the environment says.
        environment: its TF_CONFIG counts before what SLURM says.

    Raises:
        UserError: when what is said is not a cluster with this process in it.
    """
    if hosts == "none":
        return None
    if hosts is not None:
        source, workers, index = "--cluster", *_from_hosts(hosts)
    elif environment.get("TF_CONFIG"):
        source, workers, index = "TF_CONFIG", *_from_tf_config(environment["TF_CONFIG"])
    elif int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
        source, workers, index = "SLURM", *_from_slurm(environment)
    else:
        return None
    for address in workers:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 2**16:
            raise UserError(f"{source}: {address!r} is no address of a worker; expected one such as gpu01:{PORT}")
        if workers.count(address) > 1:
            raise UserError(f"{source}: the address {address} is there twice; each worker needs one of its own")
    return Cluster(tuple(workers), index) if len(workers) > 1 else None


def expand_hosts(text: str) -> list[str]:
    """The hosts of a list in SLURM's notation: "gpu[01-02,7],cpu" -> ["gpu01", "gpu02", "gpu7", "cpu"]."""
    hosts: list[str] = []
    for item in re.findall(r"(?:[^,\[\]]|\[[^\[\]]*\])+", text):
        parts = [_numbers(part[1:-1]) if part[0] == "[" else [part] for part in re.findall(r"\[[^]]*\]|[^\[]+", item)]
        hosts += map("".join, itertools.product(*parts))
    return hosts


def _numbers(text: str) -> list[str]:
    """ "01-03,7" -> ["01", "02", "03", "7"]."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        last = last or first
        if not (first.isdigit() and last.isdigit()):
            raise UserError(f"hosts: [{text}] is no range; expected one such as [01-03,7]")
        found += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return found


def _from_hosts(text: str) -> tuple[list[str], int]:
    workers = [host if ":" in host else f"{host}:{PORT}" for host in expand_hosts(text)]
    name = socket.gethostname()
    places = [place for place, address in enumerate(workers) if _short(address) == _short(name)]
    if len(places) != 1:
        raise UserError(
            f"--cluster {text}: expected this machine's host name, {name}, once in the list, found it {len(places)} times"
        )
    return workers, places[0]


def _from_tf_config(text: str) -> tuple[list[str], int]:
    expected = 'expected {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
    try:
        found = json.loads(text)
        jobs, task = dict(found.get("cluster") or {}), found.get("task")
    except (ValueError, TypeError, AttributeError):
        raise UserError(f"TF_CONFIG {text!r}: {expected}") from None
    if not jobs:
        return [], 0
    # The chief, where it has a name of its own, is the first worker.
    chief, workers = (jobs.pop(name, []) for name in ("chief", "worker"))
    if jobs:
        raise UserError(f"TF_CONFIG: a job {next(iter(jobs))!r}, which this program has no use for; {expected}")
    try:
        place = int(task["index"])
        own = {"chief": chief, "worker": workers}[task["type"]][place]
        addresses = [*chief, *workers]
        if place < 0 or not all(isinstance(address, str) for address in addresses):
            raise ValueError
    except (ValueError, TypeError, KeyError, IndexError):
        raise UserError(f"TF_CONFIG: its task {json.dumps(task)} is none of its cluster; {expected}") from None
    return addresses, addresses.index(own)


def _from_slurm(environment: Mapping[str, str]) -> tuple[list[str], int]:
    """`srun`'s tasks, node by node, whichever way SLURM has dealt them to the nodes."""
    try:
        hosts = expand_hosts(environment["SLURM_STEP_NODELIST"])
        tasks = _tasks_per_node(environment["SLURM_STEP_TASKS_PER_NODE"])
        node, place = int(environment["SLURM_NODEID"]), int(environment["SLURM_LOCALID"])
        # Jobs and steps that share a node should not meet at a port.
        first_port = 20000 + (int(environment["SLURM_JOB_ID"]) * 10 + int(environment.get("SLURM_STEP_ID", 0))) % 10000
    except KeyError as error:
        raise UserError(
            f"SLURM: {error.args[0]} is not set, though SLURM_STEP_NUM_TASKS is above 1; start the workers "
            "with srun, or train alone with --cluster none"
        ) from None
    except ValueError as error:
        raise UserError(f"SLURM: {error}; start the workers with srun, or train alone with --cluster none") from None
    total = int(environment["SLURM_STEP_NUM_TASKS"])
    if len(hosts) != len(tasks) or sum(tasks) != total or node >= len(hosts) or place >= tasks[node]:
        raise UserError(
            f"SLURM: {len(hosts)} nodes with {tasks} tasks do not make {total} tasks, or this one, number "
            f"{place} of node {node}, is none of them; train alone with --cluster none"
        )
    workers = [f"{host}:{first_port + task}" for host, count in zip(hosts, tasks) for task in range(count)]
    return workers, sum(tasks[:node]) + place


def _tasks_per_node(text):
    """ "2(x3),1" -> [2, 2, 2, 1]."""
    found = []
    for part in text.split(","):
        count, _, times = part.rstrip(")").partition("(x")
        found += [int(count)] * int(times or 1)
    return found


def _short(address):
    """A host's name without its port and domain."""
    return re.split("[.:]", address)[0]
