"""What importers share: listings and annotations, read with errors that name the file."""

import json

from tf_outfit_gan.data.files import read_file
from tf_outfit_gan.errors import UserError

# The largest listing there is, of garments2look, holds some hundred megabytes.
MAX_BYTES = 1 << 30


def table(path):
    """Yields (line number from 1, its words) of a text file of white-space separated columns, empty lines left out."""
    for number, line in enumerate(read_file(path, MAX_BYTES).decode(errors="replace").split("\n"), start=1):
        if line.strip():
            yield number, line.split()


def json_object(path):
    """Reads a file that holds one JSON object; raises `UserError` for anything else."""
    try:
        return parse_object(read_file(path, MAX_BYTES))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def parse_object(text):
    """Parses one JSON object; raises `UserError` for anything else."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not valid JSON ({error})") from None
    if not isinstance(fields, dict):
        raise UserError(f"expected a JSON object, found {text[:40]!r}")
    return fields


def first_of(folder, *names):
    """Returns the first of the named files or folders that `folder` holds, or None: releases differ in spelling."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def listings(source, *names):
    """Returns those of the named listings that the source folder holds; raises `UserError` when there is none."""
    found = [name for name in names if (source / name).is_file()]
    if not found:
        raise UserError(f"{source}: expected a folder that holds {' or '.join(names)}, found none of them")
    return found
