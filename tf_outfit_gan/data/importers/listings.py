"""What importers share: listings and annotations, read with errors that name the file."""

from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import json_object, read_file

# The largest listing there is, of Garments2Look, holds some hundred megabytes.
MAX_BYTES = 1 << 30


def table(path):
    """Yields (line number from 1, its words) of a text file of white-space separated columns, empty lines left out."""
    for number, line in enumerate(read_file(path, MAX_BYTES).decode(errors="replace").split("\n"), start=1):
        if line.strip():
            yield number, line.split()


def read_json(path):
    """Reads a file that holds one JSON object; raises `UserError` that names it for anything else."""
    content = read_file(path, MAX_BYTES)
    try:
        return json_object(content)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def first_of(folder, *names):
    """Returns the first of the names that `folder` holds, or None: releases differ in spelling."""
    return next((name for name in names if (folder / name).exists()), None)


def all_of(folder, *names):
    """Returns those of the names that `folder` holds; raises `UserError` when there is none."""
    found = [name for name in names if (folder / name).exists()]
    if not found:
        raise UserError(f"{folder}: expected a folder that holds {' or '.join(names)}, found none of them")
    return found
