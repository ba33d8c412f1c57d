"""A snapshot: the averaged generator at one moment of a run, and all that is needed to use it.

    000400kimg/
        config.json            the ModelConfig
        state.json             cur_nimg, level, alpha, format, and what wrote it: version, commit, command
        generator.weights.h5   the weights, float32; float16 where half the size counts for more than the last digits
        training/              optional: generator and discriminator as training left them, to train on from here
        noise.npz              optional: fixed noise maps, where the model came with some
        transfer.json          optional: where the layers of the pose end and those of the colors begin: see `evaluate`

It is what everyone but the trainer reads. It is written under another name and renamed: what has the name is whole. In a
bucket, where folders have no names, state.json comes last and says so.
Wherever the path of one is expected, the word "shipped" means the one that comes with this package.
"""

import dataclasses
import hashlib
import json
import math
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_outfit_gan.config import ModelConfig, from_json, to_json
from tf_outfit_gan.util.atomic import check_room, upload_folder, whole_folder, write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.provenance import provenance
from tf_outfit_gan.util.storage import Place, RemotePath, as_path, local_copy

if TYPE_CHECKING:
    import keras

FORMAT = 1
SHIPPED = "shipped"  # The name of the model that comes with the package, at _SHIPPED_FOLDER.
_SHIPPED_FOLDER = Path(__file__).with_name("shipped_model") / "snapshot"
STATE = "state.json"
GENERATOR = "generator.weights.h5"
_UNROUNDED = "unrounded.weights.h5"
_TRANSFER = "transfer.json"
_TRAINING = ("training/generator.weights.h5", "training/discriminator.weights.h5")


@dataclasses.dataclass
class Snapshot:
    """A generator with where it stands in its growth.

    `level` is the level that it draws and `alpha` how far that level is faded in (1 = stable).
    """

    config: ModelConfig
    generator: "keras.Model"  # None where it was not asked for: see `read`.
    level: int
    alpha: float
    cur_nimg: int
    noise: list[np.ndarray] | None = None  # Fixed noise maps, two a level, [1, H, W, 1].
    training: "tuple[keras.Model, keras.Model] | None" = None  # (generator, discriminator), which are not the averaged ones.

    @property
    def name(self) -> str:
        """What a run calls it, and what belongs to it."""
        return f"{self.cur_nimg // 1000:06d}kimg"

    @property
    def size(self) -> tuple[int, int]:
        """The size of its pictures."""
        return self.config.level_sizes[self.level]

    @property
    def num_layers(self) -> int:
        """The style layers that its pictures read, two a level."""
        return 2 * (self.level + 1)


def weights_checksum(snapshot: Snapshot) -> str:
    """SHA-256 over the weights in the generator's order: the same for the same weights, wherever they are loaded."""
    digest = hashlib.sha256()
    for variable in snapshot.generator.variables:
        digest.update(f"{variable.name} {tuple(variable.shape)}\n".encode())  # Paths have numbers that the process counts.
        digest.update(np.ascontiguousarray(variable.numpy(), "<f4").tobytes())
    return digest.hexdigest()


def save(path: Place, snapshot: Snapshot, half: bool = False) -> None:
    """Writes a snapshot folder, all or nothing; `half` rounds the weights to float16, as they are to be published."""
    path = as_path(path)
    if isinstance(path, RemotePath):
        with tempfile.TemporaryDirectory() as folder:
            save(Path(folder) / path.name, snapshot, half)
            upload_folder(Path(folder) / path.name, path, STATE)
        return
    with whole_folder(path) as beside:
        networks = dict(zip((GENERATOR, *_TRAINING), (snapshot.generator, *(snapshot.training or ()))))
        check_room(beside, map(_file_bytes, networks.values()))
        for name, network in networks.items():
            (beside / name).parent.mkdir(exist_ok=True)
            if not half:
                network.save_weights(beside / name)
                continue
            network.save_weights(beside / _UNROUNDED)
            _round(beside / _UNROUNDED, beside / name)
            (beside / _UNROUNDED).unlink()
        if snapshot.noise is not None:
            np.savez(beside / "noise.npz", *snapshot.noise)
        (beside / "config.json").write_text(to_json(snapshot.config))
        state = {"cur_nimg": snapshot.cur_nimg, "level": snapshot.level, "alpha": snapshot.alpha, "format": FORMAT}
        (beside / STATE).write_text(json.dumps(state | {"made_by": provenance()}, indent=2))


def read(path: Place) -> Snapshot:
    """What a snapshot is, without its generator: known before TensorFlow is imported.

    Args:
        path: a snapshot folder, or a run folder, which means its newest snapshot; here or, as a URL, in a bucket.

    Raises:
        UserError: when there is none, or it cannot be read.
    """
    path = newest(path)
    try:
        state = json.loads((path / STATE).read_text())
        if state["format"] != FORMAT:
            raise UserError(f"format {state['format']}, but this version reads format {FORMAT}")
        config = from_json(ModelConfig, (path / "config.json").read_text())
        level, alpha, cur_nimg = int(state["level"]), float(state["alpha"]), int(state["cur_nimg"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: not a readable snapshot: {_first_line(error)}") from None
    return Snapshot(config, None, level, alpha, cur_nimg)


def load(path: Place, training: bool = False) -> Snapshot:
    """`read`, with the generator and its weights, and with the fixed noise maps if there are some.

    Args:
        path: as for `read`.
        training: also read the networks of the training, which not every snapshot has.
    """
    path = newest(path)
    snapshot = read(path)

    from tf_outfit_gan.networks import build_generator, build_networks

    generator = _loaded(build_generator(snapshot.config), path / GENERATOR)
    networks = noise = None
    if training and (path / "training").is_dir():
        built = build_networks(snapshot.config)
        networks = tuple(_loaded(network, path / name) for name, network in zip(_TRAINING, built))
    if (path / "noise.npz").is_file():
        try:
            with local_copy(path / "noise.npz") as file, np.load(file) as maps:
                noise = [maps[f"arr_{layer}"] for layer in range(snapshot.config.num_layers)]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}/noise.npz: noise maps do not load ({_first_line(error)})") from None
    return dataclasses.replace(snapshot, generator=generator, noise=noise, training=networks)


def save_transfer_split(path: Place, split: int) -> None:
    """Adds to the snapshot that a path means, as for `read`: layers below `split`, 0-based, carry the pose, the others colors."""
    write_whole(newest(path) / _TRANSFER, json.dumps({"split": split}) + "\n")


def transfer_split(path: Place) -> int | None:
    """What `save_transfer_split` wrote into the snapshot that a path means, as for `read`; None where there is none."""
    file = newest(path) / _TRANSFER
    if not file.is_file():
        return None
    try:
        return int(json.loads(file.read_text(encoding="utf-8"))["split"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file}: not readable ({_first_line(error)}); delete it and evaluate again") from None


def _file_bytes(network: "keras.Model") -> int:
    """At least as many as its weights take in a file: float32, and for each some kilobytes that say where it is."""
    return sum(4 * math.prod(weight.shape) + 4096 for weight in network.weights)


def _round(path: Path, rounded: Path) -> None:
    """Copies a file of float32 weights as compressed float16, which Keras casts back as it loads them."""
    import h5py

    with h5py.File(path) as source, h5py.File(rounded, "w") as target:

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Group):
                target.require_group(name).attrs.update(item.attrs)
                return
            packed = {"compression": "gzip", "shuffle": True} if item.shape else {}  # A scalar cannot be packed.
            target.create_dataset(name, data=item[()].astype(np.float16), **packed)

        source.visititems(copy)
        target.attrs.update(source.attrs)


def _loaded(network: "keras.Model", path: Path | RemotePath) -> "keras.Model":
    try:
        with local_copy(path) as file:
            network.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: weights do not load ({_first_line(error)})") from None
    return network


def newest(path: Place) -> Path | RemotePath:
    """The snapshot folder that a path means: itself, or the newest one in a run folder, or the shipped one."""
    path = as_path(path)
    if path == Path(SHIPPED) and not path.exists():
        path = _SHIPPED_FOLDER
    if (path / STATE).is_file():
        return path
    folder = path / "snapshots" if (path / "snapshots").is_dir() else path
    names = sorted((found.name for found in folder.glob("[0-9]*kimg")), reverse=True) if folder.is_dir() else []
    for name in names:
        if (folder / name / STATE).is_file():
            return folder / name
    raise UserError(f"{path}: no snapshot here; expected a snapshot folder or a run folder with snapshots/")


def as_asked(path: Place) -> str:
    """A snapshot's folder as commands take it on any machine: "shipped" is in another place on each."""
    return SHIPPED if path == _SHIPPED_FOLDER else str(path)


def _first_line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error).partition("\n")[0]
