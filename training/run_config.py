"""RUN/config.json: what a run is made of, compared when it resumes and written at each start."""

import json

from tf_outfit_gan import __version__
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from training import checkpoint
from training.distribute import devices
from training.run_folder import read_config


def keep_config(folder, dataset, settings, about, *, defaults=None, free=(), writes=True):
    """Compares a run's settings with those in its config.json, and writes them there.

    Args:
        folder: of the run.
        dataset: the prepared `Dataset`.
        settings: {part: {name: value}} as JSON has them; they decide about the result.
        about: further fields to write down, which are not compared.
        defaults: what settings were before there was a name for them, in the form of `settings`.
        free: names of settings that may change when a run resumes.
        writes: whether this process writes. In a cluster one does.

    Raises:
        UserError: when the folder holds a run with other settings, or checkpoints whose settings are lost.
    """
    path = folder / "config.json"
    if path.exists():
        _compare(folder, read_config(folder), settings, defaults or {}, free)
    elif checkpoint.found(folder / "checkpoints"):
        raise UserError(
            f"{path}: no such file, but {folder / 'checkpoints'} holds a run: bring the file back to resume it, or choose "
            "a new folder"
        )
    if writes:
        # The machine is not compared: a run may move.
        fields = {"data": str(dataset.path.resolve()), **settings, **about}
        write_whole(path, json.dumps(fields | {"version": __version__, "machine": devices.describe()}, indent=2))


def _compare(folder, theirs, settings, defaults, free):
    """Raises `UserError` for the first setting that is another one."""
    for part, values in settings.items():
        for name, value in values.items():
            before = theirs.get(part, {}).get(name, defaults.get(part, {}).get(name))
            if value != before and name not in free:
                raise UserError(
                    f"{folder}: holds a run with {name}={before}, asked for {value}: resume it with its own settings, or "
                    "choose a new folder"
                )
