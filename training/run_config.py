"""RUN/config.json: what a run is made of, compared when it resumes and written at each start."""

import json

from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.provenance import provenance
from training import checkpoint
from training.distribute import devices
from training.run_folder import read_config


def keep_config(folder, dataset, settings, about, *, defaults=None, free=(), accept_data=False, writes=True):
    """Compares a run's settings and data with those in its config.json, and writes them there.

    Args:
        folder: of the run.
        dataset: the prepared `Dataset`.
        settings: {part: {name: value}} as JSON has them; they decide about the result.
        about: further fields to write down, which are not compared.
        defaults: what settings were before there was a name for them, in the form of `settings`.
        free: names of settings that may change when a run resumes.
        accept_data: whether the data may change, too.
        writes: whether this process writes. In a cluster one does.

    Returns:
        Lines for the log.

    Raises:
        UserError: when the folder holds a run with other settings or data, or checkpoints whose settings are lost.
    """
    path, news = folder / "config.json", []
    ours = {"data": str(dataset.path.resolve()), "data_checksum": dataset.checksum}
    if path.exists():
        theirs = read_config(folder)
        _compare(folder, theirs, settings, defaults or {}, free)
        if theirs.get("data_checksum", dataset.checksum) != dataset.checksum:  # A run of an earlier version has none.
            change = f"{ours['data']} ({_short(ours)}) is not the data of this run, {theirs['data']} ({_short(theirs)})"
            if not accept_data:
                raise UserError(f"{folder}: {change}: resume it with its own, or add --accept-data to go on with these")
            news.append(f"{change}; going on with it, as --accept-data asks")
    elif checkpoint.found(folder / "checkpoints"):
        raise UserError(
            f"{path}: no such file, but {folder / 'checkpoints'} holds a run: bring the file back to resume it, or choose "
            "a new folder"
        )
    if writes:
        # The machine is not compared: a run may move.
        fields = {**ours, **settings, **about, **provenance(), "machine": devices.describe()}
        write_whole(path, json.dumps(fields, indent=2))
    return news


def _short(fields):
    """The checksum of a run's data, short enough for a message."""
    return f"checksum {fields['data_checksum'][:12]}"


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
