"""Importers: other layouts of a catalogue, read as if each had a manifest.

An importer is a function of the source folder that yields rows as `manifest.collect` takes them: (listing, line, id,
function that returns the entry's fields). Whatever is checked about a manifest's entry is checked about an imported
one, files outside the source folder included. Besides those that stand here, there are those that installed packages offer
(entry points of the group `GROUP`), and any function by its name, MODULE:FUNCTION.
"""

import hashlib
import importlib
import json
import os
import sys
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

from tf_outfit_gan.data.importers.deepfashion_multimodal import deepfashion_multimodal
from tf_outfit_gan.data.importers.dress_code import dress_code
from tf_outfit_gan.data.importers.dress_code_mr import dress_code_mr
from tf_outfit_gan.data.importers.garments2look import SHOPS, garments2look, garments2look_official
from tf_outfit_gan.data.importers.viton_hd import viton_hd
from tf_outfit_gan.data.manifest import FILENAME, Manifest, collect, read_manifest
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path, local_only

IMPORTERS = {
    "viton-hd": viton_hd,
    "dress-code": dress_code,
    "dress-code-mr": dress_code_mr,
    "deepfashion-multimodal": deepfashion_multimodal,
    "garments2look": garments2look,
    "garments2look-official": garments2look_official,
}
FORMATS = ("manifest", *IMPORTERS)
GROUP = "outfit_gan.importers"


# Files, or patterns of them, one of which shows that a folder is laid out like that.
SIGNS = {
    "manifest": [FILENAME],
    "viton-hd": ["train/cloth", "test/cloth"],
    "dress-code": ["dresses/*_pairs*.txt", "upper_body/*_pairs*.txt", "lower_body/*_pairs*.txt", "test_pairs_unpaired.txt"],
    "dress-code-mr": ["train.jsonl", "test.jsonl"],
    "deepfashion-multimodal": ["keypoints/keypoints_loc.txt"],
    "garments2look": [f"{shop}_outfit_v*.json" for shop in SHOPS],
}


def guess(source):
    """Returns the format of a catalogue's folder, or None where nothing shows it; raises `UserError` where two are shown."""
    found = [name for name, signs in SIGNS.items() if any(any(as_path(source).glob(sign)) for sign in signs)]
    if "manifest" in found:
        return "manifest"
    if len(found) > 1:
        raise UserError(f"{source}: looks like {' and like '.join(found)}; choose one by --format")
    return found[0] if found else None


def importer_of(format):
    """Returns the importer of a format: one of `IMPORTERS`, a package's, or MODULE:FUNCTION, also of the current folder.

    Raises `UserError` where there is none.
    """
    if format in IMPORTERS:
        return IMPORTERS[format]
    offered = {point.name: point for point in entry_points(group=GROUP)}
    try:
        if format in offered:
            return offered[format].load()
        module, colon, function = format.partition(":")
        if colon:
            sys.path.insert(0, os.getcwd())
            try:
                return getattr(importlib.import_module(module), function)
            finally:
                sys.path.remove(os.getcwd())
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"--format {format}: expected an importer, could not load it ({error})") from None
    names = ", ".join((*FORMATS, *sorted(offered)))
    raise UserError(f"--format {format}: expected one of {names}, or MODULE:FUNCTION of an importer of your own")


def read(source, format=None, slots=SLOTS):
    """Reads a catalogue laid out in a format that `importer_of` knows as a `Manifest`, whose articles have one of `slots` each.

    Where the format is None, it is the one that the folder shows; a manifest.jsonl counts more than any other sign.

    The checksum of an imported one is that of all fields as they were read, so it changes with the listing and with the
    annotations. Raises `UserError` when the folder is not laid out like that or not one entry in it is good.
    """
    format = format or guess(source) or "manifest"
    if format == "manifest":
        return read_manifest(source, slots)
    importer = importer_of(format)
    local_only(source, f"reading the format {format}")
    source = Path(source)
    if not source.is_dir():
        raise UserError(f"{source}: expected a folder with a {format} data set, found no folder")
    digest = hashlib.sha256(format.encode())

    def watched(fields_of, *place):
        fields = None
        try:
            fields = fields_of()
        except UserError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"not laid out as {format} is ({type(error).__name__}: {error})") from None
        finally:  # A bad entry counts as well: mended, this is another data set.
            digest.update(json.dumps([*place, fields]).encode())
        return fields

    rows = ((*place, partial(watched, fields_of, *place)) for *place, fields_of in importer(source))
    entries, skipped = collect(source, rows, slots)
    return Manifest(entries, skipped, digest.hexdigest())
