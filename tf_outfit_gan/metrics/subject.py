"""What is measured: a model in a snapshot, in an export, or behind a server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.client import Client
from tf_outfit_gan.metrics.exported_sampler import ExportedSampler, newest_version, read_card
from tf_outfit_gan.metrics.parallel_sampler import ParallelSampler
from tf_outfit_gan.metrics.served_sampler import ServedSampler
from tf_outfit_gan.util.storage import as_path

# The steps of which path lengths are made are far smaller than one of 255.
_NO_FLOATS = {"path_length": "no signature of an export answers with pictures that are not rounded"}


@dataclass(frozen=True)
class Subject:
    """A model with what draws its pictures.

    Args:
        kind: "snapshot", "export" or "server".
        name: the folder, "shipped", or HOST:PORT.
        size: (height, width) of its pictures.
        conditional, slots, condition_size: as in the `ModelConfig`.
        sampler: draws pictures uint8 [N, H, W, 3] of seeds [N], articles [N, S, h, w, 3] and keypoints [N, K, 3]; the
            last two are left out for an unconditional model. That of a snapshot is a `ParallelSampler`.
        num_layers: style layers that its pictures read; None = unknown.
        cur_nimg: images that it was trained on; None = unknown.
        alpha: how far its last level is faded in; None = unknown.
        lacks: {metric: why it cannot be measured}.
        details: more fields of the result.
    """

    kind: str
    name: str
    size: tuple[int, int]
    conditional: bool
    slots: tuple[str, ...]
    condition_size: tuple[int, int]
    sampler: Callable
    num_layers: int | None = None
    cur_nimg: int | None = None
    alpha: float | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)


def open_subject(place, model_name):
    """Opens what a user names.

    Args:
        place: a snapshot folder, a run folder (its newest snapshot), a folder of exported versions (its newest one), one
            of these versions, or HOST:PORT of a server.
        model_name: the model's name on the server.

    Raises:
        UserError: when there is nothing of these, or it cannot be read.
        ServerError: when the server is not there or fails.
    """
    path = as_path(place)
    if ":" in str(place) and isinstance(path, Path) and not path.exists():
        return _of_server(str(place), model_name)
    version = newest_version(path)
    if version:
        return _of_export(version)
    path = snapshots.newest(path)
    return of_snapshot(path, snapshots.load(path))


def of_snapshot(path, snapshot, sampler=None):
    """The subject of a `Snapshot` in memory.

    Args:
        path: where it is saved, which the result and errors name.
        sampler: draws in the place of the snapshot's own `ParallelSampler`.
    """
    config = snapshot.config
    return Subject(
        "snapshot",
        snapshots.as_asked(path),
        snapshot.size,
        config.conditional,
        config.slots,
        config.condition_size,
        sampler or ParallelSampler(path, snapshot),
        snapshot.num_layers,
        snapshot.cur_nimg,
        snapshot.alpha,
        details={"weights_sha256": snapshots.weights_checksum(snapshot)},
    )


def _of_export(path):
    card = read_card(path)
    layers = card["layers"]["count"]
    return Subject(
        "export",
        str(path),
        tuple(card["size"]),
        card["conditional"],
        tuple(card["slots"]),
        tuple(card["condition_size"]),
        ExportedSampler(path, layers, card.get("limits", {}).get("max_rows")),
        layers,
        card["cur_nimg"],
        card["alpha"],
        _NO_FLOATS,
        # Exports of earlier versions have none.
        {"weights_sha256": card["weights_sha256"]} if "weights_sha256" in card else {},
    )


def _of_server(host_port, model_name):
    client = Client(host_port, model_name)
    facts = client.describe()
    return Subject(
        "server",
        host_port,
        tuple(facts["size"]),
        facts["conditional"],
        tuple(facts["slots"]),
        tuple(facts["condition_size"]),
        ServedSampler(client),
        lacks=_NO_FLOATS | {"transfer": "the client of a server has one seed for both outfits"},
        details={"model_name": model_name},
    )
